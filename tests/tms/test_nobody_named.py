"""Names that somebody typed into labels of channels and markers reach nothing that is printed or written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sudeck.cli.app import app
from sudeck.core.errors import SudeckError
from sudeck.tms.measurement import measure_recordings
from sudeck.tms.recordings.labelled_trials import read_trials
from sudeck.tms.recordings.recording_inspection import inspect_recording
from sudeck.tms.signals.neutral_labels import reduced, stand_ins
from sudeck.tms.signals.trials import TrialSet

Maker = Callable[[Path, ModuleType], Path]
NAMES = ("RFDI Dupontel", "Jehanne")
MARKERS = ("Dupontel TMS", "Jehanne 2")


def _truth(forge: ModuleType) -> object:
    truth = forge.make_emg()
    return forge.Truth(truth.emg_mv, truth.times_s, NAMES)


def _alternating(truth: object) -> list[tuple[str, float]]:
    times = truth.times_s  # type: ignore[attr-defined]
    return [(MARKERS[i % 2], time_s) for i, time_s in enumerate(times)]


def _brainvision(folder: Path, forge: ModuleType) -> Path:
    truth = _truth(forge)
    return Path(forge.write_brainvision(folder / "a.vhdr", truth, markers=_alternating(truth)))


def _edf(folder: Path, forge: ModuleType) -> Path:
    notes = [(time_s, text) for text, time_s in _alternating(_truth(forge))]
    return Path(forge.write_edf(folder / "a.edf", _truth(forge), annotations=notes, patient="X X X X"))


def _signal(folder: Path, forge: ModuleType) -> Path:
    from scipy.io import savemat

    truth = forge.make_emg(times_s=(0.4, 1.4), isis_ms=(None,) * 2, duration_s=2.0)
    data = {
        "interval": 2e-4, "points": 5000, "chans": 1, "frames": 2, "start": 0.0,
        "values": truth.emg_mv[0].reshape(2, 5000).T[:, None],
        "chaninfo": np.array([(NAMES[0], "mV")], dtype=[("title", "O"), ("units", "O")]),
        "frameinfo": np.array([(7.0, 1, MARKERS[0]), (12.0, 2, MARKERS[1])],
                              dtype=[("start", "O"), ("state", "O"), ("label", "O")]),
    }  # fmt: skip
    savemat(folder / "a.mat", {"wave_data": data})
    return folder / "a.mat"


def _arrays(folder: Path, forge: ModuleType) -> Path:
    truth = forge.make_emg()
    starts = [round(time_s * 5000) for time_s in truth.times_s]
    sweeps = np.stack([truth.emg_mv[:, at - 500 : at + 1500] for at in starts], axis=1)
    np.savez(
        folder / "a.npz", emg=sweeps, channels=np.array(NAMES), srate=5000.0, pulse_ms=100.0, unit="mV",
        condition=np.array([MARKERS[i % 2] for i in range(5)]),
    )  # fmt: skip
    return folder / "a.npz"


def _eeglab(folder: Path, forge: ModuleType) -> Path:
    from scipy.io import savemat

    truth = _truth(forge)
    events = [(text, float(round(time_s * 5000) + 1)) for text, time_s in _alternating(truth)] * 2
    eeg = {
        "nbchan": 2.0, "trials": 1.0, "pnts": 60_000.0, "srate": 5000.0, "xmin": 0.0,
        "data": 1e3 * truth.emg_mv,  # type: ignore[attr-defined]
        "chanlocs": np.array([(name,) for name in NAMES], dtype=[("labels", "O")]),
        "event": np.array(events, dtype=[("type", "O"), ("latency", "O")]),
    }  # fmt: skip
    savemat(folder / "a.set", {"EEG": eeg}, appendmat=False)
    return folder / "a.set"


def _text(folder: Path, forge: ModuleType) -> Path:
    emg = forge.make_emg().emg_mv
    marked = {round(time_s * 5000): text for text, time_s in _alternating(_truth(forge))}
    rows = (f"{i / 5000:.4f},{x:.5f},{y:.5f},{marked.get(i, '')}" for i, (x, y) in enumerate(emg.T))
    (folder / "a.csv").write_text(f"Time (s),{NAMES[0]} (mV),{NAMES[1]} (mV),Comment\n" + "\n".join(rows))
    return folder / "a.csv"


def _table(folder: Path, forge: ModuleType) -> Path:
    rows = "".join(f"{MARKERS[i % 2]},left,FDI,{0.5 + 0.01 * i},single\n" for i in range(12))
    (folder / "a.csv").write_text("condition,hemisphere,muscle,MEP amp Dupontel (mV),kind\n" + rows)
    return folder / "a.csv"


def _cfs(folder: Path, forge: ModuleType) -> Path:
    truth = forge.make_emg(times_s=(0.5, 1.5, 2.5, 3.5), isis_ms=(None,) * 4, duration_s=4.0)
    return Path(
        forge.write_cfs(
            folder / "a.cfs", list(truth.emg_mv[0].reshape(4, 5000)), starts=[1.0, 7.0, 13.0, 19.0],
            labels=[MARKERS[i % 2] for i in range(4)], name=NAMES[0],
        )
    )  # fmt: skip


def _xdf(folder: Path, forge: ModuleType) -> Path:
    pytest.importorskip("pyxdf")
    return Path(forge.write_xdf(folder / "a.xdf", _truth(forge), markers=MARKERS))


def _axon(folder: Path, forge: ModuleType) -> Path:
    pytest.importorskip("neo")
    times = tuple(index * 2 + 0.5 for index in range(5))
    sweeps = forge.make_emg(times_s=times).emg_mv[0].reshape(6, 10_000)[:5]
    (folder / "p.toml").write_text("[recording]\npulse_ms = 500\n")
    return Path(forge.write_abf(folder / "a.abf", sweeps, 5000.0, name="FDI Jehan"))


def _fif(folder: Path, forge: ModuleType) -> Path:
    mne = pytest.importorskip("mne")
    truth = _truth(forge)
    info = mne.create_info(list(NAMES), 5000.0, ["emg", "emg"])
    raw = mne.io.RawArray(1e-3 * truth.emg_mv, info, verbose="CRITICAL")  # type: ignore[attr-defined]
    texts, times = zip(*_alternating(truth), strict=True)
    raw.set_annotations(mne.Annotations(times, 0.0, texts))
    raw.save(folder / "a_raw.fif", fmt="double", verbose="CRITICAL")
    return folder / "a_raw.fif"


def _nwb(folder: Path, forge: ModuleType) -> Path:
    h5py = pytest.importorskip("h5py")
    truth = forge.make_emg()
    with h5py.File(folder / "a.nwb", "w") as file:
        for name, row in zip(NAMES, truth.emg_mv, strict=True):
            series = file.create_group(f"acquisition/{name}")
            series.create_dataset("data", data=row).attrs["unit"] = "mV"
            series.create_dataset("starting_time", data=0.0).attrs["rate"] = 5000.0
        file["intervals/trials/start_time"] = np.array(truth.times_s)
        file["intervals/trials/trial_type"] = [MARKERS[i % 2] for i in range(5)]
    return folder / "a.nwb"


def _fieldtrip(folder: Path, forge: ModuleType) -> Path:
    from scipy.io import savemat

    truth = forge.make_emg()
    trial, time = np.empty((1, 5), dtype=object), np.empty((1, 5), dtype=object)
    for i, time_s in enumerate(truth.times_s):
        at = round(time_s * 5000)
        trial[0, i], time[0, i] = truth.emg_mv[:, at - 500 : at + 1500], np.arange(-500, 1500)[None] / 5000
    data = {
        "label": np.array([[name] for name in NAMES], dtype=object), "fsample": 5000.0, "trial": trial,
        "time": time, "hdr": {"chanunit": np.array([["mV"], ["mV"]], dtype=object)},
    }  # fmt: skip
    savemat(folder / "a.mat", {"data": data})
    return folder / "a.mat"


def _labchart(folder: Path, forge: ModuleType) -> Path:
    truth = forge.make_emg()
    marked = {round(time_s * 5000): text for text, time_s in _alternating(_truth(forge))}
    text = "Interval=\t0.0002 s\nExcelDateTime=\t46000.5\nChannelTitle=\t" + "\t".join(NAMES)
    text += "\nRange=\t10 mV\t10 mV\n"
    for i, (x, y) in enumerate(truth.emg_mv.T):
        text += f"{i / 5000:.4f}\t{x:.5f}\t{y:.5f}" + (f"\t#* {marked[i]}" if i in marked else "") + "\n"
    (folder / "a.txt").write_text(text)
    return folder / "a.txt"


def _events_beside(folder: Path, forge: ModuleType) -> Path:
    truth = _truth(forge)
    path = Path(forge.write_brainvision(folder / "sub-01_emg.vhdr", truth))
    rows = "".join(f"{time_s}\t0\t{text}\t{text}\n" for text, time_s in _alternating(truth))
    (folder / "sub-01_events.tsv").write_text("onset\tduration\ttrial_type\tmuscle\n" + rows)
    return path


def _table_of_muscles(folder: Path, forge: ModuleType) -> Path:
    rows = "".join(
        f"Jehanne Dupontel,V{i % 2},left,FDI Dupontel,{0.5 + 0.01 * i},single\n" for i in range(12)
    )
    (folder / "a.csv").write_text("participant,visit,hemisphere,muscle,MEP (mV),kind\n" + rows)
    return folder / "a.csv"


MAKERS: dict[str, Maker] = {
    "brainvision": _brainvision, "edf": _edf, "signal": _signal, "arrays": _arrays, "eeglab": _eeglab,
    "text": _text, "table": _table, "cfs": _cfs, "xdf": _xdf, "axon": _axon, "fif": _fif, "nwb": _nwb,
    "fieldtrip": _fieldtrip, "labchart": _labchart, "events": _events_beside, "columns": _table_of_muscles,
}  # fmt: skip


def _everything_said(path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> str:
    stated = ["--protocol", str(path.with_name("p.toml"))] if path.with_name("p.toml").exists() else []
    for words in (
        ["tms", str(path), "--out", str(out), *stated],
        ["inspect", str(path)],
        ["inspect", str(path), "--template", str(out / "template")],
    ):
        with suppress(SudeckError):
            app(words, standalone_mode=False)
    said = [*capsys.readouterr(), *(str(file.relative_to(out)) for file in out.rglob("*"))]
    result = measure_recordings(path, protocol=stated[-1] if stated else None)
    said += [str(result), repr(result), str(inspect_recording(path).to_dict())]
    return "\n".join(
        [*said, *(file.read_text(errors="replace") for file in out.rglob("*") if file.is_file())]
    )


@pytest.mark.parametrize("form", MAKERS)
def test_a_name_in_a_label_is_in_nothing_that_is_said(
    tmp_path: Path, forge: ModuleType, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = MAKERS[form](tmp_path, forge)
    said = _everything_said(path, tmp_path / "out", capsys).lower()
    assert "mep" in said
    assert "dupontel" not in said
    assert "jehan" not in said
    assert "labels-replaced" in said


def test_what_a_person_names_is_printed(tmp_path: Path, forge: ModuleType) -> None:
    path = _brainvision(tmp_path, forge)
    (tmp_path / "p.toml").write_text(
        '[channels.Jehanne]\nmuscle = "APB"\n\n[conditions."Jehanne 2"]\nisi_ms = 2.5\nkind = "paired"\n'
    )
    sets = read_trials(path, protocol=tmp_path / "p.toml")
    assert {(item.channel, item.pulses[0].muscle) for item in sets if isinstance(item, TrialSet)} == {
        ("RFDI", "FDI"),
        ("Jehanne", "APB"),
    }
    assert {pulse.condition for pulse in sets[0].pulses} == {"TMS", "Jehanne 2"}
    assert [pulse.kind for pulse in sets[0].pulses if pulse.condition == "Jehanne 2"] == ["paired"] * 2
    for channel in ("2", "channel 2"):
        assert [item.channel for item in read_trials(path, channel=channel)] == ["channel 2"]  # type: ignore[union-attr]
    assert [item.channel for item in read_trials(path, channel="jehanne")] == ["Jehanne"]  # type: ignore[union-attr]


def test_channels_that_only_share_a_stand_in_are_not_pooled(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg()
    files = []
    for name in ("Aurelie", "Benedikt"):
        two = forge.Truth(truth.emg_mv[:1], truth.times_s, (name,))
        files.append(forge.write_brainvision(tmp_path / f"{name[0]}.vhdr", two))
    sets = [
        item
        for path in files
        for item in read_trials(path, muscle="APB", hemisphere="left", participant="p1", visit="pre")
    ]
    from sudeck.tms.measurement import measure_trials

    result = measure_trials(sets)
    assert [one.estimate.n for one in result.find("MEP")] == [5, 5]
    assert {group.channel for group in result.groups} == {"channel 1", "channel 1 (2)"}


STAY = (
    *("EMG1", "Chan 3", "FDI_R", "TA-CL-RMS", "FCz", "IN 0", "S  1", "R128", "State 2", "SICI 2.5 ms", "1DI"),
    *(
        "Einzelpuls",
        "Doppelpuls 3ms",
        "repos",
        "Gastroc L",
        "M. interosseus dorsalis I",
        "ADM li.",
        "Kanal 4",
    ),
    *("120% RMT", "TestAlone", "stimOn", "Trigno Sensor 1: EMG", "pré", "Lost Samples", "L_FDI_raw"),
    *("impulsion conditionnée", "1st DI", "MEP links", "ipsilateral", "Post 10 min"),
)


@pytest.mark.parametrize("label", STAY)
def test_what_laboratories_write_stays(label: str) -> None:
    assert reduced(label) == label


@pytest.mark.parametrize(
    "label", ["Dupontel", "Kim", "Marta", "Li", "Olga S1", "stim 04121961", "778899 TMS"]
)
def test_what_may_be_a_person_goes(label: str) -> None:
    assert "*" in reduced(label)


def test_smoothed_channels_stay_known_as_such() -> None:
    assert stand_ins(["Dupontel FDI rms"], letter="channel") == {"Dupontel FDI rms": "FDI rms"}


@pytest.mark.parametrize("as_events", [False, True])
def test_a_person_typed_as_visit_or_muscle_is_not_printed(
    tmp_path: Path, forge: ModuleType, capsys, as_events: bool
) -> None:
    people = ("Jehanne Dupontel", "Dupontel pre", "week 4")
    if as_events:
        truth = forge.make_emg()
        forge.write_edf(tmp_path / "a.edf", truth, patient="X X X X")
        rows = "".join(
            f"{time_s:.4f}\t{people[i % 3]}\tDupontel\tleft\tsingle\n"
            for i, time_s in enumerate(truth.times_s)
        )
        (tmp_path / "e.tsv").write_text("onset\tvisit\tmuscle\themisphere\tkind\n" + rows)
        call = [str(tmp_path / "a.edf"), "--events", str(tmp_path / "e.tsv")]
    else:
        rows = "".join(f"{people[i % 3]},left,Dupontel,{0.5 + 0.01 * i},single\n" for i in range(30))
        (tmp_path / "a.csv").write_text("visit,hemisphere,muscle,amplitude_mv,kind\n" + rows)
        call = [str(tmp_path / "a.csv")]
    with suppress(SystemExit):
        app(["tms", *call, "--out", str(tmp_path / "out")], standalone_mode=False)
    screen = capsys.readouterr()
    written = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").rglob("*.*")]
    assert written
    for text in (screen.out, screen.err, *written):
        assert "Dupontel" not in text
        assert "Jehanne" not in text
    assert "week 4" in screen.out
    assert "2 visits may name a person" in " ".join(screen.out.split())


def test_two_people_typed_as_visits_of_two_files_stay_two_visits(tmp_path: Path) -> None:
    for name, visit in (("a", "Jehanne Dupontel"), ("b", "Marie Durandel")):
        rows = "".join(f"{visit},left,FDI,{0.5 + 0.01 * i},single\n" for i in range(12))
        (tmp_path / f"{name}.csv").write_text("visit,hemisphere,muscle,amplitude_mv,kind\n" + rows)
    result = measure_recordings([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert len(result.groups) == 2
    assert len({group.visit for group in result.groups}) == 2
