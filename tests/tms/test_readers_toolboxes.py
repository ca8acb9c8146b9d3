"""Data sets of EEGLAB and FieldTrip, written by ourselves, come back as what was written."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from sudeck.core.errors import InputError
from sudeck.tms.readers import read_file
from sudeck.tms.readers.matfiles import matfile
from sudeck.tms.recordings.labelled_trials import read_trials
from sudeck.tms.signals.recording import Recording
from sudeck.tms.signals.trials import TrialSet


def eeglab_set(path: Path, truth: Any, *, epoched: bool = False, outside: bool = False) -> Path:
    """Write a data set as EEGLAB does, continuous or in epochs of 100 ms before to 300 after the pulse."""
    from scipy.io import savemat

    rate = truth.rate_hz
    if epoched:
        cuts = [truth.emg_mv[:, round(t * rate) - 500 : round(t * rate) + 1500] for t in truth.times_s]
        data = 1e3 * np.stack(cuts, axis=2)
        latencies = [500 + 2000 * i + 1 for i in range(len(cuts))]
    else:
        data, latencies = 1e3 * truth.emg_mv, [round(t * rate) + 1 for t in truth.times_s]
    if outside:
        data.astype("<f4").ravel(order="F").tofile(path.with_suffix(".fdt"))
    labels = np.array([(name,) for name in truth.names], dtype=[("labels", "O")])
    events = np.array([("S  1", float(at)) for at in latencies], dtype=[("type", "O"), ("latency", "O")])
    eeg = {
        "setname": "Jeanne Dupont",
        "nbchan": 2.0,
        "trials": float(data.shape[2]) if epoched else 1.0,
        "pnts": float(data.shape[1]),
        "srate": rate,
        "xmin": -0.1 if epoched else 0.0,
        "data": path.with_suffix(".fdt").name if outside else data,
        "chanlocs": labels,
        "event": events,
    }
    savemat(path, {"EEG": eeg}, appendmat=False)
    return path


@pytest.mark.parametrize("outside", [False, True])
def test_eeglab_is_a_recording_and_not_two_sweeps(tmp_path: Path, forge: ModuleType, outside: bool) -> None:
    truth = forge.make_emg()
    path = eeglab_set(tmp_path / "a.set", truth, outside=outside)
    recording = read_file(path)
    assert isinstance(recording, Recording)
    assert recording.format == "EEGLAB"
    np.testing.assert_allclose(recording.signals[0].samples_mv, truth.emg_mv[0], atol=1e-6)
    right, _ = read_trials(path)
    assert [p.time_s for p in right.pulses] == pytest.approx(truth.times_s)
    assert {p.condition for p in right.pulses} == {"S  1"}
    assert "Jeanne" not in repr(recording)


def test_eeglab_epochs_keep_their_event(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg()
    right, _ = read_trials(eeglab_set(tmp_path / "a.set", truth, epoched=True))
    assert isinstance(right, TrialSet)
    assert (right.n_trials, right.pulse_sample) == (5, 500)
    first = round(truth.times_s[0] * 5000) - 500
    np.testing.assert_allclose(right.emg_mv[0], truth.emg_mv[0, first : first + right.emg_mv.shape[1]])


def test_eeglab_without_its_data_file_is_refused(tmp_path: Path, forge: ModuleType) -> None:
    path = eeglab_set(tmp_path / "a.set", forge.make_emg(), outside=True)
    path.with_suffix(".fdt").unlink()
    with pytest.raises(InputError, match="fdt"):
        read_file(path)


def test_fieldtrip_trials_keep_time_and_code(tmp_path: Path, forge: ModuleType) -> None:
    from scipy.io import savemat

    truth = forge.make_emg()
    n = len(truth.times_s)
    starts = [round(t * 5000) - 500 for t in truth.times_s]
    trial, time = np.empty((1, n), dtype=object), np.empty((1, n), dtype=object)
    for i, start in enumerate(starts):
        trial[0, i], time[0, i] = truth.emg_mv[:, start : start + 2000], np.arange(-500, 1500)[None] / 5000
    data = {
        "label": np.array([[name] for name in truth.names], dtype=object),
        "fsample": 5000.0,
        "trial": trial,
        "time": time,
        "sampleinfo": np.array([[start + 1, start + 2000] for start in starts], dtype=float),
        "trialinfo": np.array([[11.0], [12.0], [11.0], [12.0], [11.0]]),
        "hdr": {"chanunit": np.array([["mV"], ["mV"]], dtype=object)},
    }
    savemat(tmp_path / "a.mat", {"data": data})
    right = read_trials(tmp_path / "a.mat")[0]
    assert isinstance(right, TrialSet)
    since_first_sample = np.array(truth.times_s) - starts[0] / 5000
    assert [p.time_s for p in right.pulses] == pytest.approx(since_first_sample)
    assert [p.condition for p in right.pulses] == ["11", "12", "11", "12", "11"]
    n_samples = right.emg_mv.shape[1]
    first = starts[2] + 500 - right.pulse_sample
    np.testing.assert_allclose(right.emg_mv[2], truth.emg_mv[0, first : first + n_samples])


@pytest.mark.filterwarnings("ignore:.*infer_string")
def test_reading_a_table_of_matlab_leaves_the_options_of_pandas_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library behind it turns one on as it is imported, and older pandas then asks for PyArrow."""
    pytest.importorskip("matio")
    for name in [name for name in sys.modules if name.split(".")[0] == "matio"]:
        monkeypatch.delitem(sys.modules, name)
    path = tmp_path / "plain.mat"
    savemat(path, {"x": np.zeros(3)})
    with pd.option_context("future.infer_string", False):
        matfile._load_opaque(path)
        assert pd.get_option("future.infer_string") is False
