"""Import of recordings: whose they are, nothing left that names anybody, and the same samples."""

from __future__ import annotations

import io
import shutil
import sys
from dataclasses import replace
from datetime import datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import InputError
from sudeck.core.privacy import Redactor
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.imports.bdf_file import BdfSignal, bdf_bytes
from sudeck.study.imports.clean_recording import neutral
from sudeck.study.imports.import_tms import import_tms
from sudeck.tms.readers import read_file
from sudeck.tms.recordings.labelled_trials import read_trials
from sudeck.tms.signals.trials import TrialSet

NAMED = "RFDI Dupontel"
WORDS = ("dupontel", "jehanne", "7788990", "12-apr-1961", "19610412")


@pytest.fixture(scope="module")
def forge() -> Any:
    """The makers of recording files of the tests of readers."""
    path = Path(__file__).parents[2] / "tms" / "made_recordings.py"
    spec = spec_from_file_location("made_recordings", path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[spec.name])
    return sys.modules[spec.name]


def made(forge: Any, kind: str, folder: Path) -> Path:
    """Write a recording of one patient, named in every place a person can type into."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = replace(forge.make_emg(), names=(NAMED, "Jehanne"))
    if kind == "brainvision":
        path = forge.write_brainvision(
            folder / "Dupontel.vhdr", truth, markers=[("Dupontel TMS", time_s) for time_s in truth.times_s]
        )
        header = path.read_text().replace(
            "[Common Infos]", "; Jehanne Dupontel, born 12-APR-1961\n[Common Infos]"
        )
        path.write_text(header)
        return Path(path)
    if kind == "cfs":
        frames = list(truth.emg_mv[0, :50_000].reshape(10, 5000))
        labels = ["Dupontel", "single"] * 5
        return Path(
            forge.write_cfs(folder / "Dupontel.cfs", frames, first_x=-0.2, states=[1, 2] * 5, labels=labels)
        )
    notes = [(time_s, "Dupontel TMS") for time_s in truth.times_s]
    patient = "MRN7788990 F 12-APR-1961 Jehanne_Dupontel"
    return Path(
        forge.write_edf(
            folder / f"Dupontel.{kind}", truth, annotations=notes, patient=patient, bdf=kind == "bdf"
        )
    )


def leaks(*roots: Path) -> list[str]:
    """Name every file whose name or content holds a planted word."""
    found = []
    for path in (path for root in roots for path in root.rglob("*")):
        content = path.read_bytes().decode("latin-1").lower() if path.is_file() else ""
        found += [f"{path.name}: {word}" for word in WORDS if word in content or word in path.name.lower()]
    return found


@pytest.mark.parametrize("kind", ["edf", "bdf", "brainvision", "cfs"])
def test_nothing_that_names_anybody_is_left_and_the_samples_are_the_same(
    kind: str, forge: Any, study: StudyFolder, tmp_path: Path
) -> None:
    source = made(forge, kind, tmp_path / "in")
    done = CliRunner().invoke(
        app,
        ["import", str(study.root), "--tms", str(tmp_path / "in"), "--patient", "MRN-7788990",
         "--session", "ses-pre", "--yes"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (path,) = study.emg_folder("sub-001", "ses-pre").glob("*_emg.bdf")
    assert not leaks(study.root, study.default_key_file.parent / "nothing")
    assert not [word for word in WORDS if word in done.output.lower()]
    before, after = read_file(source), read_file(path)
    assert len(after.sections) == len(before.sections)
    for old, new in zip(before.signals, after.signals, strict=True):
        assert new.rate_hz == pytest.approx(old.rate_hz)
        np.testing.assert_allclose(
            new.samples_mv[: old.samples_mv.size], old.samples_mv, atol=1e-6 * np.abs(old.samples_mv).max()
        )
    assert after.signals[0].name == ("RFDI" if kind != "cfs" else after.signals[0].name)
    old_trials, new_trials = read_trials(source), read_trials(path)
    for first, second in zip(old_trials, new_trials, strict=True):
        assert second.n_trials == first.n_trials
        np.testing.assert_allclose(second.emg_mv, first.emg_mv, atol=1e-5)


def test_states_of_sweeps_become_an_events_table(forge: Any, study: StudyFolder, tmp_path: Path) -> None:
    source = made(forge, "cfs", tmp_path)
    import_tms(study, [source], patient="7", session="ses-pre")
    (path,) = study.emg_folder("sub-001", "ses-pre").glob("*_emg.bdf")
    before, after = read_trials(source)[0], read_trials(path)[0]
    conditions = [pulse.condition for pulse in before.pulses]
    renamed = [pulse.condition for pulse in after.pulses]
    assert len(set(conditions)) == len(set(renamed)) > 1
    assert len(set(zip(conditions, renamed, strict=True))) == len(set(conditions))


def _named_sweeps(folder: Path) -> Path:
    rng = np.random.default_rng(3)
    time_ms = np.arange(-100, 300) / 1.0
    emg = rng.normal(0, 0.01, (2, 12, 400))
    emg[:, :, 120:130] += np.sin(np.arange(10))
    conditions = ["Dupontel single", "SICI Jehanne"] * 6
    path = folder / "Dupontel.npz"
    np.savez(
        path,
        emg=emg, time_ms=time_ms, unit=np.array("mV"), channels=np.array([NAMED, "LFDI"]),
        condition=np.array(conditions), test_mso=np.arange(50.0, 62.0), patient=np.array("Jehanne Dupontel"),
    )  # fmt: skip
    return path


def _named_table(folder: Path) -> Path:
    path = folder / "Dupontel.csv"
    lines = ["name;born;muscle;condition;ISI (ms);MEP amplitude (mV);latency (ms);remark"]
    for trial in range(12):
        isi, kind = ("", "single") if trial % 2 else ("2,5", "Dupontel SICI")
        lines.append(
            f"Jehanne Dupontel;12-APR-1961;right FDI;{kind};{isi};{0.5 + trial / 7:.4f};21.5;MRN7788990"
        )
    path.write_text("\n".join(lines).replace(",", "."))
    return path


@pytest.mark.parametrize("make", [_named_sweeps, _named_table])
def test_sweeps_and_amplitudes_are_written_anew(make: Any, study: StudyFolder, tmp_path: Path) -> None:
    source = make(tmp_path)
    done = import_tms(study, [source], patient="7", session="ses-pre")
    assert not leaks(study.root)
    assert not [word for word in WORDS if word in str(done).lower()]
    assert [file.action for file in done.files] == ["new"], str(done)
    (path,) = study.tms_folder("sub-001", "ses-pre").iterdir()
    before, after = read_trials(source), read_trials(path, participant="", visit="")
    assert len(after) == len(before) > 0
    for old, new in zip(before, after, strict=True):
        if isinstance(old, TrialSet):
            np.testing.assert_array_equal(new.emg_mv, old.emg_mv)
            assert new.pulse_sample == old.pulse_sample
        else:
            np.testing.assert_allclose(new.amplitude_mv, old.amplitude_mv, rtol=1e-9)
            np.testing.assert_allclose(new.latency_ms, old.latency_ms)
        for first, second in zip(old.pulses, new.pulses, strict=True):
            kept = ("kind", "isi_ms", "test_mso")
            assert [getattr(first, n) for n in kept] == [getattr(second, n) for n in kept]
            assert (second.muscle, second.muscle_side) in ((None, None), ("FDI", "right"))
            assert (first.muscle is None) == (second.muscle is None)
    assert [file.action for file in import_tms(study, [source], patient="7", session="ses-pre").files] == [
        "unchanged"
    ]


def test_gaps_between_records_come_back(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).normal(0, 0.3, 2000)
    data = bdf_bytes(
        [BdfSignal("RFDI", "mV", 1000, samples)],
        starts_s=[0.0, 7.5], record_s=1.0, notes=[(7.9, "TMS")], patient="sub-001", started=None,
    )  # fmt: skip
    (tmp_path / "a.bdf").write_bytes(data)
    recording = read_file(tmp_path / "a.bdf")
    assert [(part.start_s, part.stop_s) for part in recording.sections] == [(0.0, 1.0), (7.5, 8.5)]
    assert recording.markers[0].time_s == 7.9


def test_labels_without_a_letter_stay_labels() -> None:
    assert neutral([".", "-", "S 1"], Redactor(), letter="C") == {".": "C 1", "-": "C 2", "S 1": "S 1"}


def test_trials_of_two_people_are_not_given_to_one(study: StudyFolder, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("subject,muscle,MEP (mV)\n" + "".join(f"A{i % 2},FDI,{1 + i / 9}\n" for i in range(12)))
    (file,) = import_tms(study, [path], patient="7", session="ses-pre").files
    assert file.action == "refused"
    assert "several people" in file.reason


def test_the_study_itself_is_no_source(forge: Any, study: StudyFolder) -> None:
    made(forge, "edf", study.root.parent / "MRN 5" / "pre")
    first = import_tms(study, [study.root.parent], patient="MRN 5")
    again = import_tms(study, [study.root.parent], patient="MRN 5")
    assert [len(run.files) for run in (first, again)] == [len(first.files)] * 2


def test_a_second_import_changes_nothing_and_dates_move_with_the_patient(
    forge: Any, study: StudyFolder, tmp_path: Path
) -> None:
    source = made(forge, "edf", tmp_path)
    first = import_tms(study, [source], patient="7", session="ses-pre")
    (path,) = study.emg_folder("sub-001", "ses-pre").glob("*_emg.bdf")
    content = path.read_bytes()
    again = import_tms(study, [source], patient="7", session="ses-pre")
    assert [file.action for file in (*first.files, *again.files)] == ["new", "unchanged"]
    assert path.read_bytes() == content
    moved = datetime.strptime(content[168:184].decode(), "%d.%m.%y%H.%M.%S")
    assert moved == datetime(2024, 1, 1, 10) + first.key.shift("sub-001")


def test_whose_it_is_is_not_guessed(forge: Any, study: StudyFolder, tmp_path: Path) -> None:
    known = import_tms(study, [made(forge, "edf", tmp_path / "a")], patient="REC 9", session="ses-pre")
    shutil.rmtree(tmp_path / "a")
    folder = tmp_path / "in"
    made(forge, "brainvision", folder / "rec-9" / "Post")
    made(forge, "brainvision", folder / "unknown" / "pre")
    made(forge, "edf", folder / "no session")
    files = import_tms(study, [folder], key=known.key).files
    given = {(file.action, file.patient, file.session) for file in files}
    assert ("new", "sub-001", "ses-post") in given
    reasons = sorted(file.reason for file in files if file.action == "refused")
    assert len(reasons) == 2
    assert reasons[0].startswith("nothing says of which session")
    assert reasons[1].startswith("nothing says whose it is")


def test_one_verb_over_a_folder_of_scans_and_recordings(
    planted: Any, forge: Any, study: StudyFolder, tmp_path: Path
) -> None:
    folder = tmp_path / "in" / planted.record
    shutil.copytree(planted.folder, folder / "pre")
    made(forge, "brainvision", folder / "pre")
    where = ["--dicom", str(tmp_path / "in"), "--tms", str(tmp_path / "in")]
    done = CliRunner().invoke(app, ["import", str(study.root), *where, "--yes"])
    assert done.exit_code == 0, done.output
    assert study.scan_files("sub-001", "ses-pre")
    assert len(list(study.emg_folder("sub-001", "ses-pre").glob("*_emg.bdf"))) == 1
    assert study.patients() == ("sub-001",)
    assert "refused" not in done.output
    assert not leaks(study.root)


def test_files_written_can_be_read_by_another_library() -> None:
    edfio = pytest.importorskip("edfio")
    samples = np.random.default_rng(0).normal(0, 0.3, 4000)
    data = bdf_bytes(
        [BdfSignal("RFDI", "mV", 1000, samples)],
        starts_s=[0.0, 1.0, 2.0, 3.0],
        record_s=1.0,
        notes=[(1.5, "TMS")],
        patient="sub-001",
        started=None,
    )
    read = edfio.read_bdf(io.BytesIO(data))
    np.testing.assert_allclose(read.signals[0].data, samples, atol=1e-6)
    assert [(note.onset, note.text) for note in read.annotations] == [(1.5, "TMS")]
    with pytest.raises(InputError, match="missing"):
        bdf_bytes(
            [BdfSignal("RFDI", "mV", 1, np.array([np.nan]))],
            starts_s=[0.0], record_s=1.0, notes=[], patient="sub-001", started=None,
        )  # fmt: skip
