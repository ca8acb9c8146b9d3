"""Every reader: the times a run gives its trials, given back as events, find the same sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sudeck.tms.measurement import measure_recordings
from sudeck.tms.recordings.labelled_trials import read_trials
from sudeck.tms.signals.trials import TrialSet

Maker = Callable[[Path, ModuleType], Path]


def _cfs(folder: Path, forge: ModuleType) -> Path:
    truth = forge.make_emg(times_s=(0.5, 1.5, 2.5, 3.5), isis_ms=(None,) * 4, duration_s=4.0)
    frames = list(truth.emg_mv[0].reshape(4, 5000))
    return Path(forge.write_cfs(folder / "a.cfs", frames, starts=[19.06, 25.0, 31.0, 37.5]))


def _signal(folder: Path, forge: ModuleType) -> Path:
    from scipy.io import savemat

    values = (
        forge.make_emg(times_s=(0.4, 1.4), isis_ms=(None,) * 2, duration_s=2.0).emg_mv[0].reshape(2, 5000)
    )
    data = {
        "interval": 2e-4, "points": 5000, "chans": 1, "frames": 2, "start": 0.0, "values": values.T[:, None],
        "chaninfo": np.array([("FDI", "mV")], dtype=[("title", "O"), ("units", "O")]),
        "frameinfo": np.array([(7.0, 1), (12.0, 1)], dtype=[("start", "O"), ("state", "O")]),
    }  # fmt: skip
    savemat(folder / "a.mat", {"wave_data": data})
    return folder / "a.mat"


def _eeglab(folder: Path, forge: ModuleType) -> Path:
    from scipy.io import savemat

    truth = forge.make_emg()
    events = [("S  1", float(round(t * 5000) + 1)) for t in truth.times_s]
    eeg = {
        "nbchan": 2.0, "trials": 1.0, "pnts": 60_000.0, "srate": 5000.0, "xmin": 0.0,
        "data": 1e3 * truth.emg_mv,
        "chanlocs": np.array([(name,) for name in truth.names], dtype=[("labels", "O")]),
        "event": np.array(events, dtype=[("type", "O"), ("latency", "O")]),
    }  # fmt: skip
    savemat(folder / "a.set", {"EEG": eeg}, appendmat=False)
    return folder / "a.set"


def _text(folder: Path, forge: ModuleType, *, start_s: float = 3.25) -> Path:
    truth = forge.make_emg()
    rows = (f"{start_s + i / 5000:.4f},{x:.5f}" for i, x in enumerate(truth.emg_mv[0]))
    (folder / "a.csv").write_text("Time (s),RFDI (mV)\n" + "\n".join(rows))
    return folder / "a.csv"


def _labchart(folder: Path, forge: ModuleType) -> Path:
    truth = forge.make_emg()
    text = ""
    for block, day in enumerate((46000.5, 46000.501)):
        part = truth.emg_mv[0, block * 30_000 : (block + 1) * 30_000]
        text += f"Interval=\t0.0002 s\nExcelDateTime=\t{day}\nChannelTitle=\tRFDI\nRange=\t10 mV\n"
        text += "".join(f"{i / 5000:.4f}\t{x:.5f}\n" for i, x in enumerate(part))
    (folder / "a.txt").write_text(text)
    return folder / "a.txt"


def _nwb(folder: Path, forge: ModuleType) -> Path:
    h5py = pytest.importorskip("h5py")
    truth = forge.make_emg()
    with h5py.File(folder / "a.nwb", "w") as file:
        series = file.create_group("acquisition/RFDI")
        series.create_dataset("data", data=truth.emg_mv[0]).attrs["unit"] = "mV"
        series.create_dataset("starting_time", data=41.5).attrs["rate"] = 5000.0
        file["intervals/trials/start_time"] = np.array(truth.times_s) + 41.5
    return folder / "a.nwb"


def _clocked_text(folder: Path, forge: ModuleType) -> Path:
    rows = (
        f"10:0{i // 300_000}:{i % 300_000 / 5000:09.6f}\t{x:.5f}"
        for i, x in enumerate(forge.make_emg().emg_mv[0], start=270_000)
    )
    (folder / "a.txt").write_text("Time\tRFDI (mV)\n" + "\n".join(rows), encoding="utf-16")
    return folder / "a.txt"


def _xdf(folder: Path, forge: ModuleType) -> Path:
    pytest.importorskip("pyxdf")
    return Path(forge.write_xdf(folder / "a.xdf", forge.make_emg()))


def _fif(folder: Path, forge: ModuleType) -> Path:
    mne = pytest.importorskip("mne")
    truth = forge.make_emg()
    raw = mne.io.RawArray(
        1e-3 * truth.emg_mv, mne.create_info(list(truth.names), 5000.0, ["emg", "emg"]), first_samp=7000,
        verbose="CRITICAL",
    )  # fmt: skip
    raw.set_annotations(mne.Annotations(truth.times_s, 0.0, ["TMS"] * 5))
    raw.save(folder / "a_raw.fif", fmt="double", verbose="CRITICAL")
    return folder / "a_raw.fif"


def _fif_epochs(folder: Path, forge: ModuleType) -> Path:
    mne = pytest.importorskip("mne")
    truth = forge.make_emg()
    info = mne.create_info(list(truth.names), 5000.0, ["emg", "emg"])
    raw = mne.io.RawArray(1e-3 * truth.emg_mv, info, first_samp=7000, verbose="CRITICAL")
    at = [7000 + round(5000 * time_s) for time_s in truth.times_s]
    epochs = mne.Epochs(
        raw, [[sample, 0, 7] for sample in at], {"TMS": 7}, -0.15, 0.3, baseline=None, verbose="CRITICAL"
    )
    epochs.save(folder / "a-epo.fif", fmt="double", verbose="CRITICAL")
    return folder / "a-epo.fif"


def _axon(folder: Path, forge: ModuleType) -> Path:
    pytest.importorskip("neo")
    times = tuple(index * 2 + 0.5 for index in range(5))
    return Path(
        forge.write_abf(
            folder / "a.abf", forge.make_emg(times_s=times).emg_mv[0].reshape(6, 10_000)[:5], 5000.0
        )
    )


def _arrays(folder: Path, forge: ModuleType) -> Path:
    truth = forge.make_emg()
    starts = [round(time_s * 5000) for time_s in truth.times_s]
    sweeps = np.stack([truth.emg_mv[:, at - 500 : at + 1500] for at in starts], axis=1)
    np.savez(folder / "a.npz", emg=sweeps, channels=truth.names, srate=5000.0, pulse_ms=100.0, unit="mV")
    return folder / "a.npz"


MAKERS: dict[str, Maker] = {
    "brainvision": lambda folder, forge: forge.write_brainvision(folder / "a.vhdr", forge.make_emg()),
    "edf": lambda folder, forge: forge.write_edf(folder / "a.edf", forge.make_emg()),
    "bdf": lambda folder, forge: forge.write_edf(folder / "a.bdf", forge.make_emg(), bdf=True),
    "cfs": _cfs,
    "signal": _signal,
    "eeglab": _eeglab,
    "text": _text,
    "labchart": _labchart,
    "nwb": _nwb,
    "text with a clock": _clocked_text,
    "xdf": _xdf,
    "fif": _fif,
    "fif epochs": _fif_epochs,
    "axon": _axon,
    "brainsight": lambda folder, forge: forge.write_brainsight(folder / "a.txt", forge.make_emg()),
    "arrays": _arrays,
}


@pytest.mark.filterwarnings("ignore")  # MNE's own, while it writes
@pytest.mark.parametrize("form", MAKERS)
def test_the_trials_of_a_run_are_an_events_table_that_reproduces_it(
    tmp_path: Path, forge: ModuleType, form: str
) -> None:
    path = MAKERS[form](tmp_path, forge)
    first = measure_recordings(path)
    assert first.find("MEP")
    first.write(tmp_path / "out")
    again = measure_recordings(path, events=tmp_path / "out" / "trials.tsv")
    assert [one.channel for one in again.trials] == [one.channel for one in first.trials]
    for one, two in zip(first.trials, again.trials, strict=True):
        assert two.pulse.time_s == pytest.approx(one.pulse.time_s, abs=1e-9, nan_ok=True)
        assert two["amplitude_mv"] == pytest.approx(one["amplitude_mv"], rel=1e-9, nan_ok=True)
        assert two["latency_ms"] == pytest.approx(one["latency_ms"], rel=1e-9, nan_ok=True)
    assert [one.measure for one in again.estimates] == [one.measure for one in first.estimates]
    for one, two in zip(first.estimates, again.estimates, strict=True):
        assert two.estimate.value == pytest.approx(one.estimate.value, rel=1e-9)


@pytest.mark.parametrize("form", MAKERS)
def test_times_given_back_as_events_find_the_same_sweeps(
    tmp_path: Path, forge: ModuleType, form: str
) -> None:
    path = MAKERS[form](tmp_path, forge)
    first = read_trials(path)
    assert isinstance(first[0], TrialSet)
    times = [pulse.time_s for pulse in first[0].pulses]
    if not np.isfinite(times).all():
        return  # sweeps without times go by order
    rows = "".join(f"{time_s!r}\t0\tsingle\n" for time_s in times)
    (tmp_path / "events.tsv").write_text("onset\tduration\ttrial_type\n" + rows)
    again = read_trials(path, events=tmp_path / "events.tsv")
    for one, other in zip(first, again, strict=True):
        assert isinstance(one, TrialSet)
        assert isinstance(other, TrialSet)
        assert [pulse.time_s for pulse in other.pulses] == pytest.approx(times, abs=1e-9)
        np.testing.assert_array_equal(one.emg_mv, other.emg_mv)
