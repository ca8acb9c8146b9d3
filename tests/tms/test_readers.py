"""Each format, written by ourselves, must come back as what was written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.tms.readers import read_file, reader_of
from sudeck.tms.recordings.labelled_trials import read_recording, read_trials
from sudeck.tms.recordings.protocol import protocol_from
from sudeck.tms.signals.recording import Recording
from sudeck.tms.signals.trials import AmplitudeTable, TrialSet


def assert_same_sweeps(
    found: TrialSet, truth_mv: np.ndarray, times_s: tuple[float, ...], atol: float
) -> None:
    """Compare sweeps with the EMG they were cut from, sample by sample."""
    before, n = found.pulse_sample, found.emg_mv.shape[1]
    for sweep, time_s in zip(found.emg_mv, times_s, strict=True):
        first = round(time_s * found.rate_hz) - before
        np.testing.assert_allclose(sweep, truth_mv[first : first + n], atol=atol, rtol=0)


@pytest.mark.parametrize("suffix", [".vhdr", ".vmrk", ".eeg"])
def test_brainvision_comes_back_from_any_of_its_files(tmp_path: Path, forge: ModuleType, suffix: str) -> None:
    truth = forge.make_emg()
    forge.write_brainvision(tmp_path / "a.vhdr", truth)
    right, left = read_trials((tmp_path / "a.vhdr").with_suffix(suffix))
    assert isinstance(right, TrialSet)
    assert isinstance(left, TrialSet)
    assert (right.channel, right.rate_hz, right.n_trials) == ("RFDI", 5000.0, 5)
    assert_same_sweeps(right, truth.emg_mv[0], truth.times_s, atol=6e-5)
    assert_same_sweeps(left, truth.emg_mv[1], truth.times_s, atol=6e-5)
    assert [pulse.time_s for pulse in right.pulses] == pytest.approx(truth.times_s)
    assert {(p.muscle, p.muscle_side, p.condition) for p in right.pulses} == {("FDI", "right", "S  1")}


def test_brainvision_is_found_when_its_files_were_renamed_together(tmp_path: Path, forge: ModuleType) -> None:
    forge.write_brainvision(tmp_path / "a.vhdr", forge.make_emg())
    for part in (".vhdr", ".vmrk", ".eeg"):
        (tmp_path / f"a{part}").rename(tmp_path / f"b{part}")
    assert len(read_trials(tmp_path / "b.vhdr")) == 2


@pytest.mark.parametrize("bdf", [False, True])
def test_edf_and_bdf_come_back(tmp_path: Path, forge: ModuleType, bdf: bool) -> None:
    truth = forge.make_emg()
    path = forge.write_edf(tmp_path / ("a.bdf" if bdf else "a.edf"), truth, bdf=bdf)
    right = read_trials(path, muscle="RFDI")[0]
    assert isinstance(right, TrialSet)
    assert_same_sweeps(right, truth.emg_mv[0], truth.times_s, atol=1e-5 if bdf else 2e-4)
    assert {pulse.condition for pulse in right.pulses} == {"7" if bdf else "TMS"}


def test_bids_events_beside_an_edf_say_what_each_stimulus_was(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg(isis_ms=(None, 3.0, None, 3.0, 12.0))
    path = forge.write_edf(tmp_path / "sub-01_task-sici_emg.edf", truth, annotations=[])
    rows = ["onset\tduration\ttrial_type\tisi_ms\themisphere\tstate"]
    for time_s, name in zip(truth.times_s, ("single", "SICI", "single", "SICI", "ICF"), strict=True):
        isi = {"single": "n/a", "SICI": "3", "ICF": "12"}[name]
        rows.append(f"{time_s}\t0\t{name}\t{isi}\tleft\trest")
    (tmp_path / "sub-01_task-sici_events.tsv").write_text("\n".join(rows) + "\n")
    right = read_trials(path, muscle="RFDI")[0]
    assert [(p.condition, p.kind, p.isi_ms) for p in right.pulses] == [
        ("single", "single", None),
        ("SICI", "paired", 3.0),
        ("single", "single", None),
        ("SICI", "paired", 3.0),
        ("ICF", "paired", 12.0),
    ]
    assert {(p.hemisphere, p.state) for p in right.pulses} == {("left", "rest")}
    assert not [flag for flag in right.flags if flag.code == "not-stated"]


def test_bids_channels_name_muscles_and_leave_others_out(tmp_path: Path, forge: ModuleType) -> None:
    path = forge.write_edf(tmp_path / "sub-01_emg.edf", forge.make_emg())
    rows = "name\ttype\tunits\ttarget_muscle\nRFDI\tEMG\tmV\tright APB\nLFDI\tMISC\tmV\tn/a\n"
    (tmp_path / "sub-01_channels.tsv").write_text(rows)
    (only,) = read_trials(path)
    assert {(p.muscle, p.muscle_side) for p in only.pulses} == {("APB", "right")}


@pytest.mark.parametrize("table", [True, False])
def test_cfs_comes_back_with_frames_in_order_of_time(tmp_path: Path, forge: ModuleType, table: bool) -> None:
    truth = forge.make_emg(times_s=(0.5, 1.5, 2.5, 3.5), isis_ms=(None, 3.0, None, 3.0), duration_s=4.0)
    frames = [truth.emg_mv[0, i * 5000 : (i + 1) * 5000] for i in range(4)]
    by_state = [0, 2, 1, 3]  # Signal sorted the frames by the state of the stimulator
    path = forge.write_cfs(
        tmp_path / "a.cfs",
        [frames[i] for i in by_state],
        starts=[10.0 + 5.0 * i for i in by_state],
        states=[0, 0, 1, 1],
        labels=["single", "single", "SICI", "SICI"],
        table=table,
    )
    recording, _ = read_recording(path)
    assert isinstance(recording, Recording)
    assert [section.start_s for section in recording.sections] == [10.0, 15.0, 20.0, 25.0]
    np.testing.assert_allclose(recording.signals[0].samples_mv, truth.emg_mv[0], atol=1e-4)
    assert "frames-reordered" in {flag.code for flag in recording.flags}
    sweeps = read_trials(path)[0]
    assert [pulse.condition for pulse in sweeps.pulses] == ["single", "SICI", "single", "SICI"]
    # Trials count from the start of the recording, as an events table does.
    assert [pulse.time_s for pulse in sweeps.pulses] == pytest.approx([0.5, 5.5, 10.5, 15.5], abs=3e-4)
    assert [pulse.isi_ms for pulse in sweeps.pulses] == [None, 3.0, None, 3.0]


def test_cfs_with_times_in_milliseconds(tmp_path: Path, forge: ModuleType) -> None:
    frame = forge.make_emg().emg_mv[0, :10_000]
    path = forge.write_cfs(tmp_path / "a.cfs", [frame], first_x=-0.2, per_second=1000.0)
    recording = read_file(path)
    assert isinstance(recording, Recording)
    assert recording.signals[0].rate_hz == pytest.approx(5000.0)
    assert recording.duration_s == pytest.approx(2.0)


def test_cfs_that_counts_millivolts_and_says_microvolts(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg()
    path = forge.write_cfs(tmp_path / "a.cfs", [truth.emg_mv[0]], unit="\xb5V")
    sweeps = read_trials(path)[0]
    flag = next(flag for flag in sweeps.flags if flag.code == "unit-implausible")
    assert flag.severity == "serious"
    assert "taken as mV" in flag.message
    assert_same_sweeps(sweeps, truth.emg_mv[0], tuple(p.time_s for p in sweeps.pulses), atol=1e-4)
    given = read_trials(path, protocol=protocol_from({"recording": {"unit": "uV"}}))[0]
    np.testing.assert_allclose(given.emg_mv, sweeps.emg_mv * 1e-3)


def test_cfs_frames_that_begin_before_their_trigger(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg(times_s=(0.2, 0.7), isis_ms=(None, None), duration_s=1.0, artefact_mv=0.0)
    frames = [truth.emg_mv[0, :2500], truth.emg_mv[0, 2500:]]
    path = forge.write_cfs(tmp_path / "a.cfs", frames, first_x=-0.2, starts=[0.0, 5.0])
    sweeps = read_trials(path)[0]
    assert [pulse.time_s for pulse in sweeps.pulses] == pytest.approx([0.2, 5.2], abs=1e-6)


def test_units_that_end_in_nul_bytes_keep_their_channels(tmp_path: Path) -> None:
    from scipy.io import savemat

    rng = np.random.default_rng(3)
    emg, line = rng.normal(0, 0.003, 40000), np.zeros(40000)
    for at in range(5000, 40000, 5000):
        emg[at + 110 : at + 140] += np.sin(np.linspace(0, 2 * np.pi, 30))
        line[at : at + 50] = 5.0
    channel = {"interval": 2e-4, "start": 0.0}
    nul = chr(0) * 2
    savemat(
        tmp_path / "a.mat",
        {
            "ch1": channel | {"title": "FDI" + nul, "units": "mV" + nul, "values": emg[:, None]},
            "ch2": channel | {"title": "Trigger" + nul, "units": "V" + nul, "values": line[:, None]},
        },
    )
    recording, _ = read_recording(tmp_path / "a.mat")
    assert isinstance(recording, Recording)
    assert [(signal.name, signal.unit_in_file) for signal in recording.signals] == [
        ("FDI", "mV"),
        ("Trigger", "V"),
    ]
    (sweeps,) = read_trials(tmp_path / "a.mat")
    assert isinstance(sweeps, TrialSet)
    assert sweeps.channel == "FDI"


def test_brainsight_comes_back_in_order_of_time_and_without_names(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg()
    path = forge.write_brainsight(tmp_path / "dupont_export.txt", truth)
    sweeps = read_trials(path)[0]
    assert isinstance(sweeps, TrialSet)
    assert sweeps.pulse_sample == 250
    assert_same_sweeps(sweeps, truth.emg_mv[0], truth.times_s, atol=1e-6)
    assert [p.time_s for p in sweeps.pulses] == pytest.approx(np.array(truth.times_s) - 1.0)
    assert sweeps.source.label == "[removed]_export.txt"


@pytest.mark.parametrize("form", ["brainvision", "edf", "cfs"])
def test_no_name_in_a_header_is_kept(tmp_path: Path, forge: ModuleType, form: str) -> None:
    truth = forge.make_emg()
    path = {
        "brainvision": lambda: forge.write_brainvision(tmp_path / "a.vhdr", truth),
        "edf": lambda: forge.write_edf(
            tmp_path / "dupont.edf",
            truth,
            annotations=[(t, "TMS") for t in truth.times_s] + [(2.0, "Jeanne")],
        ),
        "cfs": lambda: forge.write_cfs(tmp_path / "a.cfs", [truth.emg_mv[0]]),
    }[form]()
    text = repr(read_recording(path)).lower() + repr(read_trials(path)).lower()
    assert "dupont" not in text
    assert "jeanne" not in text
    assert "1961" not in text


def test_matlab_arrays_need_only_what_the_file_does_not_say(tmp_path: Path, forge: ModuleType) -> None:
    from scipy.io import savemat

    truth = forge.make_emg()
    sweeps = np.array(
        [truth.emg_mv[0, round(t * 5000) - 500 : round(t * 5000) + 1000] for t in truth.times_s]
    )
    savemat(tmp_path / "bare.mat", {"emg": sweeps.T})
    with pytest.raises(InputError, match="how fast"):
        read_trials(tmp_path / "bare.mat")
    savemat(tmp_path / "full.mat", {"emg": sweeps.T, "fs": 5000.0, "unit": "mV", "ISI": [0, 3, 0, 3, 12]})
    found = read_trials(tmp_path / "full.mat")[0]
    assert isinstance(found, TrialSet)
    np.testing.assert_allclose(found.emg_mv, sweeps)
    assert found.pulse_sample == 500
    assert [p.isi_ms for p in found.pulses] == [None, 3, None, 3, 12]
    (tmp_path / "bare.json").write_text(
        json.dumps({"rate_hz": 5000, "unit": "mV", "pulse_ms": 100, "channel": "FDI"})
    )
    described = read_trials(tmp_path / "bare.mat", muscle="FDI")[0]
    assert described.pulse_sample == 500


def test_matlab_73_with_conditions_as_an_axis(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    rng = np.random.default_rng(1)
    emg = np.cumsum(rng.normal(0, 0.002, (4, 2000, 3)), axis=1)  # intensity, sample, repeat
    emg -= emg.mean(axis=1, keepdims=True)
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file.create_dataset("mep", data=emg.T).attrs["MATLAB_class"] = np.bytes_("double")
        file.create_dataset("intensities", data=[[30.0], [40.0], [50.0], [60.0]])
        file.create_dataset("t", data=(np.arange(2000) / 10 - 50.0)[:, None])
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    data = bytearray((tmp_path / "a.mat").read_bytes())
    data[: len(head)] = head
    (tmp_path / "a.mat").write_bytes(data)
    found = read_trials(tmp_path / "a.mat", protocol=protocol_from({"recording": {"unit": "mV"}}))[0]
    assert isinstance(found, TrialSet)
    assert (found.rate_hz, found.pulse_sample) == (10000.0, 500)
    assert [p.test_mso for p in found.pulses] == [30] * 3 + [40] * 3 + [50] * 3 + [60] * 3
    np.testing.assert_allclose(found.emg_mv[4], emg[1, :, 1])


def test_signal_export_keeps_state_and_time(tmp_path: Path, forge: ModuleType) -> None:
    from scipy.io import savemat

    truth = forge.make_emg(times_s=(0.4, 1.4), isis_ms=(None, None), duration_s=2.0)
    values = truth.emg_mv[0].reshape(2, 5000).T[:, None, ::-1]
    data = {
        "interval": 2e-4, "points": 5000, "chans": 1, "frames": 2, "start": 0.0, "values": values,
        "chaninfo": np.array([("FDI", "mV")], dtype=[("title", "O"), ("units", "O")]),
        "frameinfo": np.array(
            [(9.0, 1, "b"), (2.0, 0, "a")], dtype=[("start", "O"), ("state", "O"), ("label", "O")]
        ),
    }  # fmt: skip
    savemat(tmp_path / "a.mat", {"made_wave_data": data})
    recording, _ = read_recording(tmp_path / "a.mat")
    assert isinstance(recording, Recording)
    assert [(s.start_s, s.label) for s in recording.sections] == [(2.0, "a"), (9.0, "b")]
    np.testing.assert_allclose(recording.signals[0].samples_mv, truth.emg_mv[0])
    assert [p.condition for p in read_trials(tmp_path / "a.mat")[0].pulses] == ["a", "b"]


def test_labchart_export_counts_in_volts(tmp_path: Path, forge: ModuleType) -> None:
    from scipy.io import savemat

    truth = forge.make_emg()
    n = truth.emg_mv.shape[1]
    comments = [[-1, 1, round(t * 5000), 1, 1] for t in truth.times_s] + [[-1, 1, 100, 1, 2]]
    savemat(
        tmp_path / "a.mat",
        {
            "data": truth.emg_mv.ravel()[None] * 1e-3,
            "datastart": [[1], [n + 1]],
            "dataend": [[n], [2 * n]],
            "samplerate": [[5000.0], [5000.0]],
            "tickrate": [[5000.0]],
            "titles": ["RFDI", "LFDI"],
            "unittext": ["V"],
            "unittextmap": [[1], [1]],
            "com": comments,
            "comtext": ["pulse", "Jeanne Dupont"],
        },
    )
    found = read_trials(tmp_path / "a.mat", muscle="left FDI")[0]
    assert isinstance(found, TrialSet)
    assert_same_sweeps(found, truth.emg_mv[1], truth.times_s, atol=1e-12)
    assert "Jeanne" not in repr(read_recording(tmp_path / "a.mat"))


def test_spike2_matlab_export(tmp_path: Path, forge: ModuleType) -> None:
    from scipy.io import savemat

    truth = forge.make_emg()
    savemat(
        tmp_path / "a.mat",
        {
            "ch1": {
                "title": "FDI",
                "units": "mV",
                "interval": 2e-4,
                "start": 0.0,
                "values": truth.emg_mv[0][:, None],
            },
            "ch2": {"title": "TMS", "resolution": 1e-5, "times": np.array(truth.times_s)[:, None]},
        },
    )
    found = read_trials(tmp_path / "a.mat")[0]
    assert isinstance(found, TrialSet)
    assert_same_sweeps(found, truth.emg_mv[0], truth.times_s, atol=1e-12)


def test_numpy_archives_and_wide_tables(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg()
    sweeps = np.array([truth.emg_mv[0, round(t * 5000) - 250 : round(t * 5000) + 500] for t in truth.times_s])
    np.savez(tmp_path / "a.npz", emg_uV=sweeps * 1e3, fs=5000.0, pulse_sample=250)
    np.savetxt(tmp_path / "b.csv", sweeps, delimiter=",")
    sidecar = {"rate_hz": 5000, "pulse_ms": 50, "unit": "mV", "test_mso": [50, 50, 55, 55, 60]}
    (tmp_path / "b.json").write_text(json.dumps(sidecar | {"isi_ms": [None, 3, None, 3, 12]}))
    for name in ("a.npz", "b.csv"):
        found = read_trials(tmp_path / name)[0]
        assert isinstance(found, TrialSet)
        np.testing.assert_allclose(found.emg_mv, sweeps, atol=1e-12)
        assert found.pulse_sample == 250
    assert [p.test_mso for p in found.pulses] == [50, 50, 55, 55, 60]
    assert [(p.kind, p.isi_ms) for p in found.pulses[:2]] == [("single", None), ("paired", 3)]


def test_objects_in_numpy_files_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError):
        read_trials(tmp_path / "a.npy")


def test_amplitude_tables_by_participant_and_muscle(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "participant_id;MEP amplitude (uV);ISI;CS %RMT;muscle;Time;latency\n"
        "p1;1000,5;0;n/a;FDI;Baseline;22,5\np1;300;2,5;80;FDI;Baseline;23\np2;n/a;0;n/a;FDI;Post;n/a\n"
    )
    first, second = read_trials(tmp_path / "a.csv")
    assert isinstance(first, AmplitudeTable)
    assert isinstance(second, AmplitudeTable)
    np.testing.assert_allclose(first.amplitude_mv, [1.0005, 0.3])
    assert first.latency_ms is not None
    np.testing.assert_allclose(first.latency_ms, [22.5, 23.0])
    assert [(p.kind, p.isi_ms, p.visit, p.muscle) for p in first.pulses] == [
        ("single", None, "Baseline", "FDI"),
        ("paired", 2.5, "Baseline", "FDI"),
    ]
    assert (first.participant, second.participant) == ("p1", "p2")
    assert np.isnan(second.amplitude_mv).all()
    assert {"missing-amplitudes", "one-trial"} <= {flag.code for flag in second.flags}


def test_workbooks_of_amplitudes(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["notes"])
    sheet = book.create_sheet("trials")
    for row in (
        ["mep", "intensity_mso", "patient"],
        [1.2, 50, "Dupont"],
        [0.8, 50, "Dupont"],
        [2.2, 60, "Martin"],
    ):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    one, two = read_trials(tmp_path / "a.xlsx")
    assert isinstance(one, AmplitudeTable)
    np.testing.assert_allclose(one.amplitude_mv, [1.2, 0.8])
    assert [p.test_mso for p in one.pulses] == [50, 50]
    assert (one.participant, two.participant) == ("1", "2")
    assert "Dupont" not in repr(one)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.smrx", b"S64xxxx", "Spike2 32-bit"),
        ("a.adicht", b"ADInstruments", "LabChart"),
        ("a.smr", b"nothing of the kind" * 40, "Spike2"),
        ("a.edf", b"nothing of the kind" * 40, "EDF"),
        ("a.cfs", b"nothing of the kind" * 40, "CFS"),
        ("a.mat", b"MATLAB 5.0 MAT-file, broken" * 9, "MAT-file"),
        ("a.acq", b"nothing of the kind" * 40, "AcqKnowledge"),
        ("a.npz", b"PK\x03\x04 broken", "NumPy"),
        ("a.xlsx", b"PK\x03\x04 broken", "workbook"),
        ("a.vhdr", b"Brain Vision Data Exchange Header File Version 1.0\n", "data file"),
        ("a.csv", b"a,b,c\n1,2,3\n", "amplitudes"),
        ("a.docx", b"PK\x03\x04 a document", "none of the formats"),
        ("a.edf", b"", "empty"),
    ],
)
def test_what_can_not_be_read_is_said_in_one_sentence(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_trials(tmp_path / name)
    text = str(caught.value)
    assert words in text
    assert text.startswith(name)
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 220


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_trials(tmp_path / "none.edf")
    with pytest.raises(InputError, match="folder"):
        reader_of(tmp_path)


@pytest.mark.parametrize(
    ("module", "name", "data", "extra"),
    [
        ("neo.rawio", "a.smr", b"\x06\x00(C) CED 87", "tms"),
        ("bioread", "a.acq", b"nothing", "acqknowledge"),
        ("openpyxl", "a.xlsx", b"PK\x03\x04", "tms"),
        ("h5py", "a.mat", b"MATLAB 7.3 MAT-file", "tms"),
    ],
)
def test_a_missing_library_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str, data: bytes, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MissingDependencyError, match=rf"sudeck\[{extra}\]"):
        read_file(tmp_path / name)


def test_content_goes_before_the_name(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg()
    path = forge.write_edf(tmp_path / "a.edf", truth)
    wrong = path.rename(tmp_path / "a.dat")
    assert read_trials(wrong, muscle="RFDI")[0].pulses[0].condition == "TMS"


def test_acqknowledge_channels_and_events(
    tmp_path: Path, forge: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    bioread = pytest.importorskip("bioread")
    truth = forge.make_emg()
    channels = [
        SimpleNamespace(name=name, units="mV", samples_per_second=5000.0, data=emg)
        for name, emg in zip(truth.names, truth.emg_mv, strict=True)
    ]
    events = [SimpleNamespace(sample_index=round(t * 5000), text="TMS") for t in truth.times_s]
    events.append(SimpleNamespace(sample_index=10, text="Mrs Dupont, awake"))
    made = SimpleNamespace(channels=channels, event_markers=events, samples_per_second=5000.0)
    monkeypatch.setattr(bioread, "read", lambda _: made)
    (tmp_path / "a.acq").write_bytes(b"stands for a recording")
    found = read_trials(tmp_path / "a.acq", muscle="RFDI")[0]
    assert isinstance(found, TrialSet)
    assert_same_sweeps(found, truth.emg_mv[0], truth.times_s, atol=1e-12)
    assert "Dupont" not in repr(read_recording(tmp_path / "a.acq"))


def test_amplitudes_on_two_sheets_are_not_taken_from_the_first_alone(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet("right")):
        sheet.append(["amplitude_mv", "isi_ms"])
        for trial in range(6):
            sheet.append([1.0 + trial / 7, 2.5])
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="2 of its sheets hold amplitudes"):
        read_file(tmp_path / "a.xlsx")


def test_an_intensity_that_was_given_once_is_a_stimulus(tmp_path: Path, forge: ModuleType) -> None:
    """Labels at one or two moments were left out as remarks: half of a search for a threshold was lost."""
    truth = forge.make_emg()
    labels = ["R RMT 46", "R RMT 49", "R RMT 38", "R RMT 46", "R RMT 51"]
    noted = [*zip(truth.times_s, labels, strict=True), (1.5, "RMT of Mrs Smith"), (2.5, "moved the coil")]
    path = forge.write_edf(tmp_path / "a.edf", truth, annotations=noted)
    found = read_recording(path, protocol_from({}))[0]
    assert isinstance(found, Recording)
    assert [marker.label for marker in found.markers] == labels
