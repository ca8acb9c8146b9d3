"""Write synthetic recordings as files: BrainVision or EDF with BIDS tables beside them, and plain CSV."""

from __future__ import annotations

import datetime
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sudeck.core.errors import MissingDependencyError
from sudeck.core.storage import sidecar_of, write_json, write_text, write_tsv
from sudeck.core.vocabulary import opposite
from sudeck.synthetic.emg.synthetic_recording import SyntheticRecording

# The one date of every synthetic file, so that the same seed writes the same bytes.
_DATE = datetime.datetime(2020, 1, 1, 9, 0, 0)

_EVENT_COLUMNS = {
    "onset": "Time of the test pulse from the start of the recording, in seconds",
    "duration": "Duration of the event, in seconds",
    "trial_type": "Condition of the trial",
    "kind": "single or paired pulse",
    "isi_ms": "Interval from conditioning to test pulse",
    "test_mso": "Test intensity in percent of maximum stimulator output",
    "conditioning_mso": "Conditioning intensity in percent of maximum stimulator output",
    "hemisphere": "Hemisphere that the test pulse stimulated",
    "conditioning_hemisphere": "Hemisphere that the conditioning pulse stimulated",
    "muscle": "Target muscle",
    "state": "Target muscle at rest or active",
}
_CHANNEL_COLUMNS = {
    "name": "Channel name",
    "type": "Kind of channel",
    "units": "Unit of the samples",
    "sampling_frequency": "Samples a second",
    "target_muscle": "Muscle under the electrodes",
    "reference": "Reference electrode",
}
_TRIAL_COLUMNS = {
    "trial": "Number of the trial, from 1",
    "time_s": "Time of the test pulse",
    "condition": "Condition of the trial",
    "hemisphere": "Stimulated hemisphere",
    "muscle": "Target muscle",
    "isi_ms": "Interval from conditioning to test pulse",
    "test_mso": "Test intensity",
    "conditioning_mso": "Conditioning intensity",
    "amplitude_mv": "Peak-to-peak amplitude of the clean response",
    "latency_ms": "Test pulse to onset",
}


def write_brainvision(recording: SyntheticRecording, folder: Path, *, stem: str = "sub-001_task-tms") -> Path:
    """Write ``<stem>_emg.vhdr`` with its marker and data file and the BIDS tables; return the header's path.

    Each condition has its own stimulus code, in order of name: ``S  1``, ``S  2`` …; each code stands at the
    test pulse.

    Raises
    ------
    MissingDependencyError
        If pybv is not installed.
    """
    pybv = _library("pybv", "writing BrainVision")
    codes = {name: code for code, name in enumerate(_conditions(recording), start=1)}
    rate = recording.rate_hz
    events = [
        {
            "onset": round(trial.time_s * rate),
            "duration": 1,
            "type": "Stimulus",
            "description": codes[trial.stimulus.condition],
            "channels": "all",
        }
        for trial in recording.trials
    ]
    folder.mkdir(parents=True, exist_ok=True)
    pybv.write_brainvision(
        data=recording.samples_mv[None] * 1e-3,  # pybv takes volts
        sfreq=rate,
        ch_names=[recording.channel],
        fname_base=f"{stem}_emg",
        folder_out=str(folder),
        events=events,
        overwrite=True,
        resolution=0.1,
        unit="µV",
        fmt="binary_float32",
        meas_date=_DATE,
    )
    write_bids_tables(recording, folder, stem=stem)
    return folder / f"{stem}_emg.vhdr"


def write_edf(recording: SyntheticRecording, folder: Path, *, stem: str = "sub-001_task-tms") -> Path:
    """Write ``<stem>_emg.edf`` (EDF+, one annotation a test pulse) and the BIDS tables; return its path.

    Samples are 16-bit over the range of the recording; the last, incomplete second is padded with zeros.

    Raises
    ------
    MissingDependencyError
        If edfio is not installed.
    """
    edfio = _library("edfio", "writing EDF")
    rate = round(recording.rate_hz)
    samples_uv = 1e3 * recording.samples_mv
    samples_uv = np.concatenate([samples_uv, np.zeros(-samples_uv.size % rate)])
    limit = float(np.ceil(np.abs(samples_uv).max() + 1))
    signal = edfio.EdfSignal(
        samples_uv,
        rate,
        label=recording.channel,
        physical_dimension="uV",
        physical_range=(-limit, limit),
    )
    notes = [edfio.EdfAnnotation(trial.time_s, None, trial.stimulus.condition) for trial in recording.trials]
    edf = edfio.Edf(
        [signal],
        annotations=notes,
        recording=edfio.Recording(startdate=_DATE.date()),
        starttime=_DATE.time(),
        data_record_duration=1,
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}_emg.edf"
    edf.write(str(path))
    write_bids_tables(recording, folder, stem=stem)
    return path


def write_recording(recording: SyntheticRecording, folder: Path, *, stem: str) -> Path:
    """Write EDF or, where edfio is not installed, sweeps as CSV; return the file's path."""
    try:
        return write_edf(recording, folder, stem=stem)
    except MissingDependencyError:
        return write_epochs_csv(recording, folder, stem=stem, before_s=0.2, after_s=0.45)


def write_epochs_csv(
    recording: SyntheticRecording,
    folder: Path,
    *,
    stem: str = "sub-001_task-tms",
    before_s: float = 0.1,
    after_s: float = 0.3,
) -> Path:
    """Write sweeps as a CSV in mV, one row a trial, with a JSON sidecar that says how to read it.

    The sidecar states unit, rate, the place of the test pulse and, a value a trial, what each trial was.
    """
    path = folder / f"{stem}_epochs.csv"
    rows = (",".join(f"{value:.6g}" for value in sweep) for sweep in recording.epochs(before_s, after_s))
    write_text(path, "\n".join(rows) + "\n")
    events = _event_rows(recording)
    given = ("kind", "isi_ms", "test_mso", "conditioning_mso", "hemisphere", "muscle", "state")
    sidecar = {
        "unit": "mV",
        "rate_hz": recording.rate_hz,
        "pulse_ms": 1e3 * before_s,
        "channel": recording.channel,
        "condition": [event["trial_type"] for event in events],
        "onset": [event["onset"] for event in events],
        **{column: [event[column] for event in events] for column in given},
    }
    write_json(path.with_suffix(".json"), sidecar)
    return path


def write_trials_csv(recordings: Sequence[SyntheticRecording], path: Path) -> Path:
    """Write the true trial amplitudes of one or more recordings as a plain table."""
    rows: list[Mapping[str, object]] = []
    for recording in recordings:
        for number, trial in enumerate(recording.trials, start=1):
            rows.append(
                {
                    **_described(recording, trial.stimulus),
                    "trial": number,
                    "time_s": trial.time_s,
                    "condition": trial.stimulus.condition,
                    "amplitude_mv": trial.amplitude_mv,
                    "latency_ms": trial.latency_ms,
                }
            )
    lines = [",".join(_TRIAL_COLUMNS)]
    for row in rows:
        cells = (row.get(name) for name in _TRIAL_COLUMNS)
        lines.append(
            ",".join("" if c is None else f"{c:.6g}" if isinstance(c, float) else str(c) for c in cells)
        )
    write_text(path, "\n".join(lines) + "\n")
    return path


def write_bids_tables(recording: SyntheticRecording, folder: Path, *, stem: str) -> None:
    """Write ``_events.tsv``, ``_channels.tsv`` and ``_emg.json`` of BIDS, with the columns described."""
    events = folder / f"{stem}_events.tsv"
    write_tsv(events, _event_rows(recording), columns=_EVENT_COLUMNS)
    # BIDS names the sidecar of the events table plainly `_events.json`.
    sidecar_of(events).replace(events.with_suffix(".json"))
    channel = {
        "name": recording.channel,
        "type": "EMG",
        "units": "uV",
        "sampling_frequency": recording.rate_hz,
        "target_muscle": recording.truth.muscle,
        "reference": "bipolar",
    }
    channels = folder / f"{stem}_channels.tsv"
    write_tsv(channels, [channel], columns=_CHANNEL_COLUMNS)
    sidecar_of(channels).replace(channels.with_suffix(".json"))
    write_json(folder / f"{stem}_emg.json", _emg_sidecar(recording))


def write_truth(recording: SyntheticRecording, path: Path) -> Path:
    """Write what was true as JSON: the hemisphere, the amplifier, every trial."""
    write_json(path, recording.to_dict())
    return path


def _emg_sidecar(recording: SyntheticRecording) -> dict[str, Any]:
    return {
        "TaskName": "tms",
        "SamplingFrequency": recording.rate_hz,
        "PowerLineFrequency": recording.amplifier.mains_hz,
        "EMGReference": "bipolar",
        "EMGGround": "wrist",
        "EMGPlacementScheme": "Other",
        "EMGPlacementSchemeDescription": "belly-tendon",
        "EMGChannelCount": 1,
        "RecordingType": "continuous",
        "RecordingDuration": recording.samples_mv.size / recording.rate_hz,
        "SoftwareFilters": "n/a",
        "Manufacturer": "Sudeck synthetic recordings",
    }


def _conditions(recording: SyntheticRecording) -> list[str]:
    return sorted({trial.stimulus.condition for trial in recording.trials})


def _event_rows(recording: SyntheticRecording) -> list[dict[str, object]]:
    return [
        {
            **_described(recording, trial.stimulus),
            "onset": trial.time_s,
            "duration": 0.0,
            "trial_type": trial.stimulus.condition,
        }
        for trial in recording.trials
    ]


def _described(recording: SyntheticRecording, stimulus: Any) -> dict[str, object]:
    paired = stimulus.isi_ms is not None
    return {
        **asdict(stimulus),
        "kind": "paired" if paired else "single",
        "hemisphere": recording.truth.hemisphere,
        "muscle": recording.truth.muscle,
        "muscle_side": opposite(recording.truth.hemisphere),
    }


def _library(name: str, feature: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingDependencyError(feature, "synthetic") from None
