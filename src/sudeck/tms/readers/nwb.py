"""Neurodata Without Borders (.nwb), read through h5py: the time series among its acquisitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.limits import check_memory
from sudeck.tms.readers.base import Hints, source_of, stimulus_labels
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.signals.recording import Marker, Recording, Section

FORMAT: Final = "NWB"
_COPIES = 5.0
# Interval tables and columns that say what a stimulus was.
_LABELS = ("trial_type", "condition", "label", "stimulus", "tags")


def sniff(head: bytes, path: Path) -> bool:
    """Go by the name: inside, it is an HDF5 file like others."""
    return path.suffix.lower() == ".nwb"


def read(path: Path, hints: Hints) -> Recording:
    """Read the series of ``/acquisition`` and the starts of its trials and epochs as markers.

    Raises
    ------
    InputError
        If there is no series with a rate, or its times are not even.
    MissingDependencyError
        If h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError("Reading NWB files", "tms") from error
    with h5py.File(path, "r") as file:
        series = [item for item in file.get("acquisition", {}).values() if "data" in item]
        check_memory(path, sum(s["data"].size * s["data"].dtype.itemsize for s in series), copies=_COPIES)
        channels = [channel for item in series for channel in _channels(item, path)]
        marks = [mark for table in file.get("intervals", {}).values() for mark in _marks(table)]
    if not channels:
        raise InputError(path.name, "it holds no acquisition with samples", "export the EMG channels along")
    kept = stimulus_labels(text for _, text, _ in marks)
    signals, flags = signals_of(channels, path.name, hints)
    start_s = signals[0].start_s
    section = Section(start_s, start_s + signals[0].samples_mv.size / signals[0].rate_hz)
    markers = tuple(Marker(t, text if text in kept else "", name) for t, text, name in sorted(marks))
    return Recording(source_of(path), FORMAT, signals, markers, (section,), tuple(flags))


def _channels(item: Any, path: Path) -> list[RawChannel]:
    data = item["data"]
    if "starting_time" in item:
        start_s = float(item["starting_time"][()])
        rate_hz = float(item["starting_time"].attrs["rate"])
    else:
        times = np.asarray(item["timestamps"], dtype=np.float64)
        start_s, rate_hz = float(times[0]), (times.size - 1) / float(times[-1] - times[0])
        if np.max(np.abs(np.diff(times) * rate_hz - 1)) > 0.5:
            raise InputError(path.name, "the times of its samples have gaps", "export one stretch at a time")
    samples = np.asarray(data[()], dtype=np.float64)
    samples = samples[:, None] if samples.ndim == 1 else samples
    conversion = float(data.attrs.get("conversion", 1.0))
    samples = samples * conversion + float(data.attrs.get("offset", 0.0))
    by_channel = (
        np.asarray(item["channel_conversion"], dtype=np.float64) if "channel_conversion" in item else 1.0
    )
    samples = samples * by_channel
    name, unit = item.name.rsplit("/", 1)[-1], _text(data.attrs.get("unit", ""))
    names = [name] if samples.shape[1] == 1 else [f"{name} {i + 1}" for i in range(samples.shape[1])]
    return [RawChannel(n, samples[:, i], unit, rate_hz, start_s) for i, n in enumerate(names)]


def _marks(table: Any) -> list[tuple[float, str, str]]:
    if "start_time" not in table:
        return []
    starts = np.asarray(table["start_time"], dtype=np.float64)
    column = next((name for name in _LABELS if name in table and len(table[name]) == starts.size), None)
    texts = [""] * starts.size if column is None else [_text(cell) for cell in table[column][()]]
    name = table.name.rsplit("/", 1)[-1]
    return [(float(start), text, name) for start, text in zip(starts, texts, strict=True)]


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
