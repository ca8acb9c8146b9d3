"""Files of synthetic recordings, read back without our own readers."""

from __future__ import annotations

import builtins
import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.errors import MissingDependencyError
from sudeck.synthetic.emg.emg_files import (
    write_brainvision,
    write_edf,
    write_epochs_csv,
    write_trials_csv,
    write_truth,
)
from sudeck.synthetic.emg.synthetic_recording import (
    Amplifier,
    SyntheticRecording,
    VirtualHemisphere,
    paired_pulse_block,
    simulate_emg,
)


@pytest.fixture(scope="module")
def recording() -> SyntheticRecording:
    truth = VirtualHemisphere()
    stimuli = paired_pulse_block(truth, trials=2, rng=np.random.default_rng(1))
    return simulate_emg(truth, stimuli, amplifier=Amplifier(interval_s=1.0), rng=np.random.default_rng(2))


def rows_of(path: Path, delimiter: str = "\t") -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def test_brainvision_holds_the_samples_and_markers(recording, tmp_path):
    pytest.importorskip("pybv")
    header = write_brainvision(recording, tmp_path)
    data = np.fromfile(header.with_suffix(".eeg"), dtype="<f4")
    scale_uv = 0.1
    assert data.size == recording.samples_mv.size
    assert scale_uv * data / 1e3 == pytest.approx(recording.samples_mv, abs=1e-5)
    marks = [
        line for line in header.with_suffix(".vmrk").read_text("utf-8").splitlines() if "=Stimulus" in line
    ]
    samples = [int(line.split(",")[2]) - 1 for line in marks]
    assert samples == [round(t.time_s * recording.rate_hz) for t in recording.trials]
    assert {line.split(",")[1] for line in marks} == {"S  1", "S  2", "S  3"}


def test_edf_holds_the_samples_and_annotations(recording, tmp_path):
    edfio = pytest.importorskip("edfio")
    edf = edfio.read_edf(write_edf(recording, tmp_path))
    (signal,) = edf.signals
    n = recording.samples_mv.size
    step_mv = 2 * np.abs(recording.samples_mv).max() / 2**15
    assert signal.sampling_frequency == recording.rate_hz
    assert np.abs(signal.data[:n] / 1e3 - recording.samples_mv).max() < step_mv
    assert [note.text for note in edf.annotations] == [t.stimulus.condition for t in recording.trials]
    assert [note.onset for note in edf.annotations] == pytest.approx(
        [t.time_s for t in recording.trials], abs=1e-3
    )


def test_bids_tables_describe_every_trial(recording, tmp_path):
    pytest.importorskip("edfio")
    path = write_edf(recording, tmp_path, stem="sub-007_ses-pre_task-tms")
    events = rows_of(tmp_path / "sub-007_ses-pre_task-tms_events.tsv")
    assert path.name == "sub-007_ses-pre_task-tms_emg.edf"
    assert [row["trial_type"] for row in events] == [t.stimulus.condition for t in recording.trials]
    for row in events:
        assert (row["kind"] == "paired") == (row["isi_ms"] != "n/a")
        assert (row["hemisphere"], row["muscle"], row["state"]) == ("left", "FDI", "rest")
    (channel,) = rows_of(tmp_path / "sub-007_ses-pre_task-tms_channels.tsv")
    assert (channel["name"], channel["type"], channel["units"]) == ("FDI right", "EMG", "uV")
    sidecar = json.loads((tmp_path / "sub-007_ses-pre_task-tms_emg.json").read_text())
    assert sidecar["SamplingFrequency"] == 5000.0
    described = json.loads((tmp_path / "sub-007_ses-pre_task-tms_events.json").read_text())
    assert set(described) == set(events[0])


def test_same_seed_same_bytes(recording, tmp_path):
    pytest.importorskip("edfio")
    one, two = (write_edf(recording, tmp_path / name).read_bytes() for name in ("a", "b"))
    assert one == two


def test_csv_of_sweeps_and_of_trials(recording, tmp_path):
    path = write_epochs_csv(recording, tmp_path, before_s=0.05, after_s=0.1)
    sweeps = np.loadtxt(path, delimiter=",")
    assert sweeps == pytest.approx(recording.epochs(0.05, 0.1), abs=1e-5)
    sidecar = json.loads(path.with_suffix(".json").read_text())
    assert (sidecar["unit"], sidecar["rate_hz"], sidecar["pulse_ms"]) == ("mV", 5000.0, 50.0)
    assert len(sidecar["condition"]) == len(recording.trials)
    rows = rows_of(write_trials_csv([recording, recording], tmp_path / "trials.csv"), ",")
    assert len(rows) == 2 * len(recording.trials)
    assert float(rows[0]["amplitude_mv"]) == pytest.approx(recording.trials[0].amplitude_mv, rel=1e-5)
    truth = json.loads(write_truth(recording, tmp_path / "truth.json").read_text())
    assert len(truth["trials"]) == len(recording.trials)


def test_a_missing_library_is_named(recording, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name in {"pybv", "edfio"}:
            raise ImportError(name)
        return real(name, *rest, **more)

    for name in ("pybv", "edfio"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(builtins, "__import__", without)
    for write in (write_brainvision, write_edf):
        with pytest.raises(MissingDependencyError, match=r"sudeck\[synthetic\]"):
            write(recording, tmp_path)
