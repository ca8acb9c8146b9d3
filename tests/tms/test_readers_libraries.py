"""Formats read through libraries, from small files written here."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.tms.readers import read_file, recognises
from sudeck.tms.recordings.labelled_trials import read_trials
from sudeck.tms.signals.recording import Recording


def recorded(path: Path) -> Recording:
    assert recognises(path)
    recording = read_file(path)
    assert isinstance(recording, Recording)
    return recording


@pytest.mark.filterwarnings("ignore")  # MNE's own, while it writes
def test_fif_comes_back(tmp_path: Path, forge: ModuleType) -> None:
    mne = pytest.importorskip("mne")
    truth = forge.make_emg()
    codes = np.zeros(truth.emg_mv.shape[1])
    for time_s in truth.times_s:
        codes[round(time_s * 5000) : round(time_s * 5000) + 20] = 7
    info = mne.create_info([*truth.names, "STI"], 5000.0, ["emg", "emg", "stim"])
    raw = mne.io.RawArray(np.vstack([1e-3 * truth.emg_mv, codes]), info, verbose="CRITICAL")
    raw.set_annotations(mne.Annotations([2.0, 2.5], 0.0, ["Jeanne", "TMS"]))
    raw.save(tmp_path / "a_raw.fif", fmt="double", verbose="CRITICAL")
    recording = recorded(tmp_path / "a_raw.fif")
    np.testing.assert_allclose(recording.signals[0].samples_mv, truth.emg_mv[0], atol=1e-9)
    found = [marker.time_s for marker in recording.markers if marker.label == "7"]
    assert found == pytest.approx(truth.times_s)
    assert [m.time_s for m in recording.markers if m.label == "TMS"] == pytest.approx([2.5])
    assert "Jeanne" not in repr(recording)


@pytest.mark.filterwarnings("ignore")  # MNE's own, while it writes
def test_epochs_of_fif_come_back_with_what_their_metadata_say(tmp_path: Path, forge: ModuleType) -> None:
    mne, pandas = pytest.importorskip("mne"), pytest.importorskip("pandas")
    truth = forge.make_emg()
    info = mne.create_info([*truth.names, "STI"], 5000.0, ["emg", "emg", "stim"])
    data = np.vstack([1e-3 * truth.emg_mv, np.zeros(truth.emg_mv.shape[1])])
    raw = mne.io.RawArray(data, info, verbose="CRITICAL")
    at = [round(5000 * time_s) for time_s in truth.times_s]
    events = [[sample, 0, 1 + k % 2] for k, sample in enumerate(at)]
    said = pandas.DataFrame({"test_mso": [50, 51, None, 53, 54], "subject_mood": list("abcde")})
    epochs = mne.Epochs(
        raw, events, {"single": 1, "SICI": 2}, -0.15, 0.3, baseline=None, metadata=said, verbose="CRITICAL"
    )
    epochs.save(tmp_path / "a-epo.fif", fmt="double", verbose="CRITICAL")
    recording = recorded(tmp_path / "a-epo.fif")
    assert [signal.name for signal in recording.signals] == list(truth.names)
    assert [section.label for section in recording.sections] == ["single", "SICI", "single", "SICI", "single"]
    assert [marker.time_s for marker in recording.markers] == pytest.approx(truth.times_s)
    first = slice(at[0] - 750, at[0] + 1501)
    np.testing.assert_allclose(recording.signals[0].samples_mv[:2251], truth.emg_mv[0, first], atol=1e-9)
    trials = read_trials(tmp_path / "a-epo.fif")[0]
    assert [pulse.test_mso for pulse in trials.pulses] == [50, 51, None, 53, 54]
    epochs.average(picks="all").save(tmp_path / "a-ave.fif", verbose="CRITICAL")
    with pytest.raises(InputError, match="neither a raw recording nor epochs"):
        read_file(tmp_path / "a-ave.fif")


def test_nwb_comes_back(tmp_path: Path, forge: ModuleType) -> None:
    h5py = pytest.importorskip("h5py")
    truth = forge.make_emg()
    with h5py.File(tmp_path / "a.nwb", "w") as file:
        for name, row in zip(truth.names, truth.emg_mv, strict=True):
            series = file.create_group(f"acquisition/{name}")
            data = series.create_dataset("data", data=np.round(row * 1e4).astype("i2"))
            data.attrs["unit"], data.attrs["conversion"] = "volts", 1e-7
            series.create_dataset("starting_time", data=3.0).attrs["rate"] = 5000.0
        trials = file.create_group("intervals/trials")
        trials["start_time"] = np.array(truth.times_s) + 3.0
        trials["trial_type"] = ["single", "SICI", "single", "SICI", "single"]
    recording = recorded(tmp_path / "a.nwb")
    np.testing.assert_allclose(recording.signals[1].samples_mv, truth.emg_mv[0], atol=1e-4)
    assert [(s.name, s.rate_hz, s.start_s) for s in recording.signals] == [
        ("LFDI", 5000.0, 3.0),
        ("RFDI", 5000.0, 3.0),
    ]
    assert [m.time_s for m in recording.markers] == pytest.approx(np.array(truth.times_s) + 3.0)
    assert [p.condition for p in read_trials(tmp_path / "a.nwb")[0].pulses][1] == "SICI"


def test_xdf_comes_back(tmp_path: Path, forge: ModuleType) -> None:
    pytest.importorskip("pyxdf")
    truth = forge.make_emg()
    recording = recorded(forge.write_xdf(tmp_path / "a.xdf", truth))
    assert [(s.name, s.unit_in_file, s.rate_hz) for s in recording.signals] == [
        ("RFDI", "microvolts", 5000.0),
        ("LFDI", "microvolts", 5000.0),
    ]
    np.testing.assert_allclose(recording.signals[0].samples_mv, truth.emg_mv[0], atol=1e-9)
    found = [(marker.time_s, marker.label) for marker in recording.markers]
    assert [time_s for time_s, _ in found] == pytest.approx(truth.times_s, abs=1e-6)
    assert {label for _, label in found} == {"TMS"}


def test_axon_sweeps_come_back(tmp_path: Path, forge: ModuleType) -> None:
    pytest.importorskip("neo")
    sweeps = forge.make_emg().emg_mv[0].reshape(6, 10_000)[:5]
    recording = recorded(forge.write_abf(tmp_path / "a.abf", sweeps, 5000.0))
    np.testing.assert_allclose(recording.signals[0].samples_mv, sweeps.ravel(), atol=2e-4)
    assert (recording.signals[0].name, len(recording.sections)) == ("RFDI", 5)


@pytest.mark.filterwarnings("ignore")
def test_what_a_library_skips_in_silence_is_refused(tmp_path: Path, forge: ModuleType) -> None:
    pytest.importorskip("pyxdf")
    path = forge.write_xdf(tmp_path / "a.xdf", forge.make_emg())
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)  # amidst the samples: pyxdf goes on behind it
    path.write_bytes(bytes(data[:-3]))
    with pytest.raises(InputError):
        read_file(path)


def test_infinite_samples_are_refused(tmp_path: Path) -> None:
    emg = np.random.default_rng(0).normal(0, 0.1, (6, 800))
    emg[2, 100] = np.inf
    np.savez(tmp_path / "a.npz", emg=emg, fs=2000.0, pulse_sample=200, unit=np.array("mV"))
    with pytest.raises(InputError, match="infinite"):
        read_file(tmp_path / "a.npz")


@pytest.mark.parametrize("suffix", [".smrx", ".adicht", ".hpf", ".cnt", ".tdms", ".poly5"])
def test_what_nothing_reads_is_named_with_the_way_out(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"\x01\x02\x03" * 100)
    with pytest.raises(InputError, match=r"export|Export|convert"):
        read_file(tmp_path / f"a{suffix}")
