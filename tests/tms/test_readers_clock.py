"""Every reader: the times a run gives its trials, given back as events, find the same sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

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
}


@pytest.mark.parametrize("form", MAKERS)
def test_times_given_back_as_events_find_the_same_sweeps(
    tmp_path: Path, forge: ModuleType, form: str
) -> None:
    path = MAKERS[form](tmp_path, forge)
    first = read_trials(path)
    assert isinstance(first[0], TrialSet)
    times = [pulse.time_s for pulse in first[0].pulses]
    rows = "".join(f"{time_s!r}\t0\tsingle\n" for time_s in times)
    (tmp_path / "events.tsv").write_text("onset\tduration\ttrial_type\n" + rows)
    again = read_trials(path, events=tmp_path / "events.tsv")
    for one, other in zip(first, again, strict=True):
        assert isinstance(one, TrialSet)
        assert isinstance(other, TrialSet)
        assert [pulse.time_s for pulse in other.pulses] == pytest.approx(times, abs=1e-9)
        np.testing.assert_array_equal(one.emg_mv, other.emg_mv)
