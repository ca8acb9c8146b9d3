"""Data sets of two MATLAB toolboxes: EEGLAB (.set, with or without .fdt) and FieldTrip (``data.trial``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.limits import check_memory
from sudeck.tms.readers.base import is_there, stimulus_labels, truncated
from sudeck.tms.readers.matfiles.found import number_in, structs_in, texts_in
from sudeck.tms.readers.parts.frames import ExportedFrame, Found
from sudeck.tms.signals.recording import Marker

_EEGLAB = {"data", "srate", "nbchan", "pnts"}
_FIELDTRIP = {"trial", "time", "label"}
# EEGLAB keeps microvolts, and has no field that says so.
_EEGLAB_UNIT = "uV"


def eeglab(values: Mapping[str, Any], *, path: Path) -> Found | None:
    """Return an EEGLAB data set: ``data[channel, sample, epoch]``, or the name of the file that holds it.

    Events of epoched data count samples through all epochs, laid end to end. Several data sets are no
    recording, and neither are channels of a type that is no signal.
    """
    inner = values.get("EEG")
    data = inner if isinstance(inner, dict) else values
    if not set(data) >= _EEGLAB:
        return None
    n_channels, n_points = round(number_in(data["nbchan"])), round(number_in(data["pnts"]))
    n_epochs = max(1, round(number_in(data.get("trials", 1)))) if np.size(data.get("trials", 1)) else 1
    rate_hz = number_in(data["srate"])
    samples = data["data"]
    if isinstance(samples, str):
        samples = _companion(path, samples, n_channels * n_points * n_epochs)
    # Fortran order: channels first, then samples, then epochs.
    block = np.reshape(np.asarray(samples, dtype=np.float64), (n_channels, n_points, n_epochs), order="F")
    channels = structs_in(data.get("chanlocs"))
    names = [str(item.get("labels") or f"channel {i + 1}") for i, item in enumerate(channels)]
    names = (names + [f"channel {i + 1}" for i in range(len(names), n_channels)])[:n_channels]
    length_s = n_points / rate_hz
    first_x = number_in(data.get("xmin", 0.0)) if n_epochs > 1 else 0.0
    frames = [
        ExportedFrame(list(block[:, :, epoch]), epoch * length_s, "", first_x, length_s)
        for epoch in range(n_epochs)
    ]
    events = [
        ((number_in(event["latency"]) - 1) / rate_hz, _text_of(event["type"]))
        for event in structs_in(data.get("event"))
        if np.size(event.get("latency", ())) == 1 and "type" in event
    ]
    kept = stimulus_labels(text for _, text in events)
    # Where one sweep is cut from a recording, `boundary` marks the seam and no stimulus.
    markers = [Marker(t, text, "event") for t, text in events if text in kept and text != "boundary"]
    return "EEGLAB", names, [_EEGLAB_UNIT] * n_channels, [rate_hz] * n_channels, frames, markers


def fieldtrip(values: Mapping[str, Any]) -> Found | None:
    """Return FieldTrip raw data: a cell of ``[channel, sample]`` a trial, each with its own axis of times."""
    data = next((v for v in values.values() if isinstance(v, dict) and set(v) >= _FIELDTRIP), None)
    if data is None:
        return None
    trials = data["trial"] if isinstance(data["trial"], list) else [data["trial"]]
    times = data["time"] if isinstance(data["time"], list) else [data["time"]]
    names = texts_in(data["label"])
    axes = [np.ravel(np.asarray(time, dtype=np.float64)) for time in times]
    rate_hz = 1 / float(np.median(np.diff(axes[0])))
    if "fsample" in data:
        rate_hz = number_in(data["fsample"])
    header = data.get("hdr")
    units = texts_in(header.get("chanunit")) if isinstance(header, dict) else []
    units = [unit if unit != "unknown" else "" for unit in units]
    if len(units) != len(names):
        units = [""] * len(names)
    places = np.asarray(data.get("sampleinfo", ()))
    known = places.shape == (len(trials), 2) and places.dtype.kind in "fiu"
    codes = np.asarray(data.get("trialinfo", ()))
    labelled = codes.ndim == 2 and codes.shape[0] == len(trials) and codes.dtype.kind in "fiu"
    frames = []
    for index, (trial, axis) in enumerate(zip(trials, axes, strict=True)):
        block: NDArray[np.float64] = np.asarray(trial, dtype=np.float64)
        if block.shape != (len(names), axis.size):
            raise ValueError("a trial does not fit its channels and times")
        start_s = (float(places[index, 0]) - 1) / rate_hz if known else None
        label = f"{codes[index, 0]:g}" if labelled else ""
        frames.append(ExportedFrame(list(block), start_s, label, float(axis[0]), axis.size / rate_hz))
    return "FieldTrip", names, units, [rate_hz] * len(names), frames, []


def _companion(path: Path, named: str, n_samples: int) -> NDArray[np.float64]:
    """Read the single floats beside a data set: the file it names, or the one of its own name."""
    # The name comes from the file: only its last part counts, so that it can not point elsewhere.
    last = re.split(r"[\\/]", named)[-1]
    candidates = [path.with_name(last)] if last.strip(".") else []
    candidates += [path.with_suffix(".fdt")]
    data_path = next((item for item in candidates if is_there(item) and item.is_file()), None)
    if data_path is None:
        raise InputError(path.name, "its data file (.fdt) is missing", "keep .set and .fdt together")
    if data_path.stat().st_size != 4 * n_samples:
        raise truncated(data_path, f"it should hold {4 * n_samples} bytes, and does not")
    check_memory(data_path, 4 * n_samples, copies=1.0)
    return np.fromfile(data_path, "<f4").astype(np.float64)


def _text_of(value: Any) -> str:
    """Return the type of an event, a text or a number, as text."""
    return value.strip() if isinstance(value, str) else f"{number_in(value):g}"
