"""Text exports of CED Spike2 and CED Signal: one list a channel, in Signal all channels anew in every frame.

Both write ``"INFORMATION"`` and ``"SUMMARY"``, then for every channel ``"CHANNEL"`` with its number, its kind
and title, and either ``"START"`` with time and interval before samples or the times of events. What is listed
again is the next frame; a second ``"START"`` under one ``"CHANNEL"`` is the next stretch of a recording that
was paused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.tms.readers.base import corrupt
from sudeck.tms.readers.parts.text_blocks import Block
from sudeck.tms.readers.parts.text_exports import TextChannel, TextRecording, finite_number, rounded
from sudeck.tms.signals.neutral_labels import reduced
from sudeck.tms.signals.units import voltage_unit

_WAVEFORMS = {"waveform", "realwave", "adc"}
_STATE = re.compile(r"\bstate\W*(\d+)", re.IGNORECASE)
FRAME_TRIGGER: Final = "frame trigger"  # kind of the markers that stand for the trigger of a frame
_TITLED_AFTER = 3  # lines behind "CHANNEL": kind, comment, title


def is_ced(blocks: Sequence[Block]) -> bool:
    """Recognise either program by the headings of its blocks."""
    rows = {row[0] for block in blocks for row in block.heading}
    return "CHANNEL" in rows and ({"START", "SUMMARY", "INFORMATION"} & rows != set())


@dataclass
class _Piece:
    """Samples behind one ``"START"``."""

    frame: int
    begin_s: float
    values: NDArray[np.float64]


@dataclass
class _State:
    """What has been read so far."""

    described: dict[str, tuple[str, ...]]
    channels: dict[str, TextChannel] = field(default_factory=dict)
    pieces: dict[str, list[_Piece]] = field(default_factory=dict)
    events: list[tuple[int, float, str]] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)
    frame: int = 0
    listed: set[str] = field(default_factory=set)
    number: str = ""
    title: str = ""
    unit: str = ""
    rate_hz: float | None = None
    is_wave: bool = False


def read_ced(blocks: Sequence[Block], path: Path) -> TextRecording:
    """Read the lists of all channels and put them together frame by frame."""
    rows = [row for block in blocks for row in block.heading]
    state = _State({row[0]: row for row in rows if len(row) > 3 and row[1].lower() in _WAVEFORMS})
    for block in blocks:
        _take_heading(state, block)
        if block.columns:
            _take_numbers(state, block, path)
    if not state.pieces:
        raise InputError(path.name, "the file holds no waveform", "export the EMG channels along")
    return _together(state, path)


def _take_heading(state: _State, block: Block) -> None:
    """Find out which channel and frame the numbers below belong to."""
    for index, row in enumerate(block.heading):
        key = row[0].upper()
        if key.startswith(("FRAME", "STATE")):
            if key.startswith("FRAME") and state.listed:
                state.frame, state.listed = state.frame + 1, set()
            if number := _STATE.search(" ".join(row)):
                state.labels[state.frame] = f"state {number[1]}"
        elif key == "CHANNEL":
            state.number = row[1] if len(row) > 1 else ""
            if state.number in state.listed:
                state.frame, state.listed = state.frame + 1, set()
            state.listed.add(state.number)
            _describe(state, row, block.heading[index + 1 :])


def _describe(state: _State, row: tuple[str, ...], after: Sequence[tuple[str, ...]]) -> None:
    """Take title, unit and rate of a channel from its own lines, else from the summary."""
    state.title, state.unit, state.rate_hz = (*row, "channel")[1], "", None
    state.is_wave = bool(after) and after[0][0].lower() in _WAVEFORMS
    summary = state.described.get(state.number, ())
    own: tuple[str, ...] = ()
    if state.is_wave and len(after[0]) > 2:  # on one line: kind, title, unit, rate
        own = after[0][1:]
    elif len(after) >= _TITLED_AFTER and voltage_unit(after[2][0]) is not None and state.is_wave:
        own = (after[1][0], after[2][0])
    elif len(after) >= _TITLED_AFTER and after[2][0].upper() != "START":
        own = (after[2][0],)
    named = own or summary[2:]
    described = (*own, *summary[2:][len(own) :]) if named else ()
    if described:
        state.title = described[0] or state.title
    if len(described) > 1:
        state.unit = described[1]
    if len(described) > 2:
        state.rate_hz = _rate(described[2])


def _rate(text: str) -> float | None:
    try:
        value = finite_number(text)
    except ValueError:
        return None
    return value if value > 0 else None


def _take_numbers(state: _State, block: Block, path: Path) -> None:
    """Keep samples or times of events."""
    start = next((row for row in block.heading if row[0].upper() == "START"), None)
    column = block.columns[0]
    if start is None:
        if state.is_wave and column.size == 1:  # the rate on a line of its own
            state.rate_hz = float(column[0]) if column[0] > 0 else state.rate_hz
            return
        if state.is_wave:
            raise corrupt(path, f"nothing says when channel {reduced(state.title)} starts")
        state.events += [(state.frame, float(x), state.title) for x in column if np.isfinite(x)]
        return
    try:
        begin = finite_number(start[1])
        rate_hz = rounded(1 / finite_number(start[2]), 1e-6) if len(start) > 2 else state.rate_hz
        if rate_hz is None:
            raise ValueError
    except (IndexError, ValueError, ZeroDivisionError):
        raise corrupt(path, f"the start of channel {reduced(state.title)} is no number") from None
    key = state.number or state.title
    channel = state.channels.setdefault(key, TextChannel(state.title, state.unit, rate_hz))
    if channel.rate_hz != rate_hz:
        raise corrupt(path, f"channel {reduced(state.title)} changes its rate")
    state.pieces.setdefault(key, []).append(_Piece(state.frame, begin, column))


def _together(state: _State, path: Path) -> TextRecording:
    """Lay the channels beside each other: every one has the same frames or stretches, of one length."""
    first = next(iter(state.pieces))
    main, rate_hz = state.pieces[first], state.channels[first].rate_hz
    for key, pieces in state.pieces.items():
        channel = state.channels[key]
        if [piece.frame for piece in pieces] != [piece.frame for piece in main]:
            what = "the frames" if state.frame else "the stretches in which it was sampled"
            raise InputError(
                path.name,
                f"channel {reduced(channel.name)} has not {what} of {reduced(state.channels[first].name)}",
                "export all channels of the same frames, or as MATLAB (.mat)",
            )
        for piece, other in zip(pieces, main, strict=True):
            apart_s = abs(piece.values.size / channel.rate_hz - other.values.size / rate_hz)
            if len(main) > 1 and apart_s > 1.5 / min(channel.rate_hz, rate_hz):
                raise corrupt(path, "its channels differ in the length of a frame")
        channel.pieces = [piece.values for piece in pieces]
    begins = [piece.begin_s for piece in main]
    framed = state.frame > 0
    form = "CED Signal (text)" if framed else "CED Spike2 (text)"
    found = TextRecording(
        form, list(state.channels.values()), [*begins], begins if framed else [0.0] * len(main)
    )
    for frame, time_s, kind in state.events:
        place = _place(frame, time_s, main, rate_hz) if len(main) > 1 else 0
        if place is not None:
            found.marks.append((place, time_s - begins[place], "", kind))
    if framed:
        # A label of its State stands at the trigger of a frame, where there is one, else at its start.
        found.marks += [
            (place, -piece.begin_s if piece.begin_s < 0 else 0.0, state.labels[piece.frame], FRAME_TRIGGER)
            for place, piece in enumerate(main)
            if piece.frame in state.labels
        ]
        if len(state.labels) == len(main):
            found.first_x = [0.0] * len(main)  # each trigger has its label already
    return found


def _place(frame: int, time_s: float, main: Sequence[_Piece], rate_hz: float) -> int | None:
    """Return the stretch of a frame that an event lies in."""
    for place, piece in enumerate(main):
        if piece.frame == frame and 0 <= time_s - piece.begin_s <= piece.values.size / rate_hz:
            return place
    return None
