"""Frames of a triggered recording: put back in order of time, and laid on one clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sudeck.core.flags import Flag

# Starts are rounded when they are stored; frames may seem to overlap by that much of their length.
_ROUNDING = 1e-3


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
