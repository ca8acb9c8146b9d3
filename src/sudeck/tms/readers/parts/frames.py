"""Frames of a triggered recording: put back in order of time, laid on one clock, and made a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.provenance import SourceFile
from sudeck.tms.readers.base import Hints, corrupt
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.signals.events import Given
from sudeck.tms.signals.recording import Marker, Recording, Section

# Starts are rounded when they are stored; frames may seem to overlap by that much of their length.
_ROUNDING = 1e-3


@dataclass(frozen=True)
class ExportedFrame:
    """One frame as the file holds it.

    Attributes
    ----------
    samples : sequence of ndarray
        One array a channel.
    start_s : float or None
        When it was taken, if the file says.
    label : str
        State or condition.
    first_x_s : float
        Time of its first sample on the frame's own axis: negative where sampling began before the trigger.
    duration_s : float
    given : Mapping
        What the file says of its stimulus.
    """

    samples: Sequence[NDArray[np.float64]]
    start_s: float | None
    label: str
    first_x_s: float
    duration_s: float
    given: Given = field(default_factory=dict)


# Format, names, units and rates of channels, frames, markers.
Found = tuple[str, list[str], list[str], list[float], list[ExportedFrame], list[Marker]]


def recording_of(found: Found, path: Path, source: SourceFile, hints: Hints) -> Recording:
    """Lay exported frames on one clock, one section each, with a marker where the axis of a frame is zero.

    Raises
    ------
    InputError
        If there is no waveform or no rate, or the unit is impossible and unclear.
    """
    form, names, units, rates, frames, markers = found
    if not names or not frames:
        raise InputError(path.name, "the export holds no waveform", "export the EMG channels along")
    if not all(np.isfinite(rate) and rate > 0 for rate in rates):
        raise corrupt(path, "the export gives no usable sampling rate")
    order, starts, flags = in_time(
        [frame.start_s for frame in frames], [frame.duration_s for frame in frames]
    )
    frames = [frames[index] for index in order]
    raw = [
        RawChannel(name, np.concatenate([frame.samples[index] for frame in frames]), unit, rate_hz, starts[0])
        for index, (name, unit, rate_hz) in enumerate(zip(names, units, rates, strict=True))
    ]
    signals, doubts = signals_of(raw, path.name, hints)
    sections = tuple(
        Section(start, start + frame.samples[0].size / rates[0], frame.label, frame.given)
        for start, frame in zip(starts, frames, strict=True)
    )
    zeros = [
        Marker(start - frame.first_x_s, frame.label, "frame trigger")
        for start, frame in zip(starts, frames, strict=True)
        if frame.first_x_s < 0 < frame.first_x_s + frame.duration_s
    ]
    ordered = tuple(sorted((*markers, *zeros), key=lambda marker: marker.time_s))
    return Recording(source, form, signals, ordered, sections, (*flags, *doubts))


def in_time(
    clock: Sequence[float | None], durations: Sequence[float]
) -> tuple[list[int], list[float], list[Flag]]:
    """Order frames by the time they were taken; lay them end to end where the file's clock is of no use.

    Programs sort frames by the state of the stimulator, average them and copy them: starts are believed
    only if every frame ends before the next begins.

    Parameters
    ----------
    clock : sequence of float or None
        Start of every frame as the file gives it, in seconds.
    durations : sequence of float
        Length of every frame, in seconds.

    Returns
    -------
    order : list of int
        Frames in order of time, by their place in the file.
    starts : list of float
        Start of each frame in that order, in seconds.
    flags : list of Flag
        ``frames-reordered`` or ``frame-times-missing``, where that happened.
    """
    known = [start for start in clock if start is not None and np.isfinite(start)]
    if len(known) == len(clock):
        order = sorted(range(len(clock)), key=lambda index: known[index])
        ends = [known[index] + (1 - _ROUNDING) * durations[index] for index in order]
        if all(end <= known[index] for end, index in zip(ends[:-1], order[1:], strict=True)):
            reordered = order != list(range(len(clock)))
            flags = [_reordered(len(clock))] if reordered else []
            return order, [known[index] for index in order], flags
    starts = [float(start) for start in np.concatenate([[0.0], np.cumsum(durations)[:-1]])]
    missing = Flag(
        "frame-times-missing",
        "The file does not say when its frames were taken; they were laid end to end in file order.",
        "caution",
    )
    return list(range(len(clock))), starts, [missing] if len(clock) > 1 else []


def state_labels(labels: Sequence[str], states: Sequence[int | None]) -> list[str]:
    """Return a label for every frame: what the laboratory called its state, else the state's number.

    Examples
    --------
    >>> state_labels(["Basic", "Basic"], [0, 1]), state_labels(["single", "SICI"], [0, 1])
    (['state 0', 'state 1'], ['single', 'SICI'])
    """
    if len(set(labels)) >= len(set(states)):
        return list(labels)
    return [f"state {state}" for state in states]


def _reordered(n_frames: int) -> Flag:
    return Flag(
        "frames-reordered",
        f"The {n_frames} frames were not in order of time; they were put back by their start.",
        "info",
        value=float(n_frames),
        unit="frames",
    )
