"""BIOPAC AcqKnowledge (.acq), read through bioread."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.tms.readers.base import Hints, corrupt, source_of, stimulus_labels
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.signals.recording import Marker, Recording, Section

FORMAT: Final = "AcqKnowledge"


def sniff(head: bytes, path: Path) -> bool:
    """Go by the name: the format has no signature, only a version number."""
    return path.suffix.lower() == ".acq"


def read(path: Path, hints: Hints) -> Recording:
    """Read every channel and the event markers of a file.

    Raises
    ------
    InputError
        If the file is truncated or damaged.
    MissingDependencyError
        If bioread is not installed.
    """
    try:
        import bioread
    except ImportError as error:
        raise MissingDependencyError("Reading AcqKnowledge files", "acqknowledge") from error
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")  # bioread warns about headers it passes over
            file = bioread.read(str(path))
            return _recording(file, path, hints)
    except InputError:
        raise
    except Exception as error:  # bioread fails on damaged files with whatever its parsing runs into
        raise corrupt(path, "the AcqKnowledge file can not be read to its end") from error


def _recording(file: Any, path: Path, hints: Hints) -> Recording:
    channels = [channel for channel in file.channels if channel.data is not None and len(channel.data) > 0]
    if not channels:
        raise InputError(path.name, "the file holds no waveform", "check that the recording was saved")
    raw = [
        RawChannel(
            str(channel.name).strip(),
            np.asarray(channel.data, dtype=np.float64),
            str(channel.units).strip(),
            float(channel.samples_per_second),
        )
        for channel in channels
    ]
    signals, flags = signals_of(raw, path.name, hints)
    rate_hz = float(file.samples_per_second)
    events = [
        (int(event.sample_index) / rate_hz, str(event.text or "").strip()) for event in file.event_markers
    ]
    kept = stimulus_labels(text for _, text in events)
    markers = tuple(Marker(time_s, text, "event marker") for time_s, text in sorted(events) if text in kept)
    stop_s = max(signal.samples_mv.size / signal.rate_hz for signal in signals)
    return Recording(source_of(path), FORMAT, signals, markers, (Section(0.0, stop_s),), tuple(flags))
