"""CED Filing System (.cfs), the format of CED Signal up to version 7.

Layout, from the maker's public description of the format. All numbers are little-endian; texts begin with
a byte that counts their characters.

======================  ==========================================================================
part                    content
======================  ==========================================================================
general header, 178 B   ``CEDFILE"``, name, size, time, date, numbers of channels, file variables and
                        frame variables, header size, place of the last frame header, number of
                        frames, comment, place of the table of frame headers
channels, 48 B each     name, y unit, x unit, number type, kind, bytes between elements, companion
variables, 36 B each    name, type, unit, place; one more of each sort than counted
frames                  samples, then their header: place of the frame before, place and size of the
                        samples, flags; per channel place, points, y and x scale and offset; variables
======================  ==========================================================================

Channels of kind 0 are waveforms; kind 1 are markers, whose times are ticks. Signal keeps the state of the
stimulator, its label, and the time a frame was taken as frame variables.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.tms.readers.base import Hints, corrupt, source_of, truncated
from sudeck.tms.readers.parts.frames import in_time, state_labels
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.signals.recording import Marker, Recording, Section

FORMAT: Final = "CED Signal (CFS)"
_SIGNATURE = b'CEDFILE"'
_GENERAL = struct.Struct("<8s14si8s8s5hiHH74si40s")
_CHANNEL = struct.Struct("<22s10s10sBBhh")
_VARIABLE = struct.Struct("<22sh10sh")
_FRAME = struct.Struct("<3iH16s")
_FRAME_CHANNEL = struct.Struct("<2i4f")
_NUMBER_TYPES = ("i1", "u1", "<i2", "<u2", "<i4", "<f4", "<f8")
_TEXT_TYPE = 7
_WAVEFORM, _MARKERS = 0, 1
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
# Sample intervals are stored as single floats; a rate is meant to five digits at least.
_RATE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class _Channel:
    name: str
    unit: str
    seconds_per_x: float
    number_type: str
    kind: int
    stride: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """One channel in one frame."""

    place: int
    points: int
    scale: float
    offset: float
    interval: float
    first_x: float


@dataclass(frozen=True, slots=True)
class _Frame:
    pieces: tuple[_Piece, ...]
    start_s: float | None
    state: int | None
    label: str


def sniff(head: bytes, path: Path) -> bool:
    """Recognise the signature; the name settles it for a file whose first bytes are lost."""
    return head.startswith(_SIGNATURE) or path.suffix.lower() == ".cfs"


def read(path: Path, hints: Hints) -> Recording:
    """Read all frames of a file, put back in the order they were taken.

    Raises
    ------
    InputError
        If the file is truncated or damaged, holds no waveform, or its unit is impossible and unclear.
    """
    data = path.read_bytes()
    try:
        channels, frames = _structure(data, path)
    except struct.error as error:
        raise truncated(path) from error
    if not frames:
        raise corrupt(path, "no frame of those it counts is there")
    waves = [index for index, channel in enumerate(channels) if channel.kind == _WAVEFORM]
    waves = [index for index in waves if all(frame.pieces[index].points > 0 for frame in frames)]
    if not waves:
        raise InputError(path.name, "no channel has samples in every frame", "export the EMG channels along")
    first = waves[0]
    lengths = [frame.pieces[first].points * frame.pieces[first].interval for frame in frames]
    order, starts, flags = in_time(
        [frame.start_s for frame in frames], [length * channels[first].seconds_per_x for length in lengths]
    )
    frames = [frames[index] for index in order]
    rates = {index: _rate(frames, index, channels[index], path) for index in waves}
    raw = []
    for index in waves:
        channel = channels[index]
        samples = np.concatenate([_numbers(data, channel, frame.pieces[index], path) for frame in frames])
        raw.append(RawChannel(channel.name, samples, channel.unit, rates[index], starts[0]))
    signals, doubts = signals_of(raw, path.name, hints)
    labels = state_labels([frame.label for frame in frames], [frame.state for frame in frames])
    sections = tuple(
        Section(start, start + frame.pieces[first].points / rates[first], label)
        for start, frame, label in zip(starts, frames, labels, strict=True)
    )
    markers = _markers(data, channels, frames, starts, labels, first, path)
    return Recording(source_of(path), FORMAT, signals, markers, sections, (*flags, *doubts))


def _structure(data: bytes, path: Path) -> tuple[list[_Channel], list[_Frame]]:
    """Parse every header."""
    if not data.startswith(_SIGNATURE):
        raise corrupt(path, "the header of a CFS file is missing")
    fields = _GENERAL.unpack_from(data, 0)
    size, (n_channels, n_file, n_frame_variables) = fields[2], fields[5:8]
    n_frames, table = fields[11], fields[14]
    if min(n_channels, n_file, n_frame_variables) < 0 or n_channels == 0 or n_frames == 0:
        raise corrupt(path, "the header counts no channels or no frames")
    if size > len(data):
        raise truncated(path, f"the file should hold {size} bytes and holds {len(data)}")
    at = _GENERAL.size
    channels = []
    for _ in range(n_channels):
        name, unit, x_unit, number, kind, stride, _ = _CHANNEL.unpack_from(data, at)
        at += _CHANNEL.size
        if number >= len(_NUMBER_TYPES) and kind == _WAVEFORM:
            raise corrupt(path, f"a channel has the unknown number type {number}")
        seconds = _SECONDS.get(_text(x_unit).strip().lower(), 1.0)
        code = _NUMBER_TYPES[number] if number < len(_NUMBER_TYPES) else "u1"
        channels.append(_Channel(_text(name).strip() or "channel", _text(unit), seconds, code, kind, stride))
    at += _VARIABLE.size * (n_file + 1)
    variables = {}
    for _ in range(n_frame_variables):
        name, number, _, place = _VARIABLE.unpack_from(data, at)
        at += _VARIABLE.size
        variables[_text(name)] = (number, place)
    places = (
        struct.unpack_from(f"<{n_frames}i", data, table) if table > 0 else _chain(data, fields[10], n_frames)
    )
    return channels, [_frame(data, place, n_channels, variables, path) for place in places]


def _chain(data: bytes, last: int, n_frames: int) -> tuple[int, ...]:
    """Follow the frame headers from the last one back, where the file has no table of them."""
    places: list[int] = []
    place = last
    while place > 0 and len(places) < n_frames:
        places.append(place)
        place = _FRAME.unpack_from(data, place)[0]
    return tuple(reversed(places))


def _frame(
    data: bytes, place: int, n_channels: int, variables: dict[str, tuple[int, int]], path: Path
) -> _Frame:
    if place <= 0:
        raise corrupt(path, "the place of a frame lies outside the file")
    _, samples_at, _, _, _ = _FRAME.unpack_from(data, place)
    at = place + _FRAME.size
    pieces = []
    for _ in range(n_channels):
        offset, points, scale, zero, interval, first_x = _FRAME_CHANNEL.unpack_from(data, at)
        at += _FRAME_CHANNEL.size
        pieces.append(_Piece(samples_at + offset, points, scale, zero, interval, first_x))
    start = _variable(data, at, variables, "Start")
    state = _variable(data, at, variables, "State")
    label = _variable(data, at, variables, "StateL")
    return _Frame(
        tuple(pieces),
        float(start) if isinstance(start, int | float) and np.isfinite(start) else None,
        int(state) if isinstance(state, int) else None,
        str(label).strip() if isinstance(label, str) else "",
    )


def _variable(
    data: bytes, area: int, variables: dict[str, tuple[int, int]], name: str
) -> int | float | str | None:
    """Return a frame variable by its name."""
    if name not in variables:
        return None
    number, place = variables[name]
    if number == _TEXT_TYPE:
        return _text(data[area + place : area + place + 256])
    if not 0 <= number < len(_NUMBER_TYPES):
        return None
    dtype = np.dtype(_NUMBER_TYPES[number])
    if not 0 <= area + place <= len(data) - dtype.itemsize:
        return None
    value: int | float = np.frombuffer(data, dtype, 1, area + place)[0].item()
    return value


def _numbers(data: bytes, channel: _Channel, piece: _Piece, path: Path) -> NDArray[np.float64]:
    """Return the samples of one channel in one frame, in the unit the file states."""
    dtype = np.dtype(channel.number_type)
    stride = channel.stride if channel.stride >= dtype.itemsize else dtype.itemsize
    end = piece.place + (piece.points - 1) * stride + dtype.itemsize
    if piece.place < 0 or piece.points < 0 or end > len(data):
        raise truncated(path, f"the samples of channel {channel.name} reach beyond the end of the file")
    raw = np.ndarray(piece.points, dtype, data, piece.place, (stride,))
    values = raw.astype(np.float64) * piece.scale + piece.offset
    if not (np.isfinite(piece.scale) and np.isfinite(piece.offset) and piece.scale != 0):
        raise corrupt(path, f"the scale of channel {channel.name} is no number")
    return values


def _rate(frames: list[_Frame], index: int, channel: _Channel, path: Path) -> float:
    intervals = {frame.pieces[index].interval * channel.seconds_per_x for frame in frames}
    low, high = min(intervals), max(intervals)
    if not (np.isfinite(low) and np.isfinite(high) and 1e-7 < low < 10 and high < low * 1.0001):
        raise corrupt(path, f"channel {channel.name} has no single sampling rate")
    return float(f"{1 / low:.{_RATE_DIGITS}g}")


def _markers(
    data: bytes,
    channels: list[_Channel],
    frames: list[_Frame],
    starts: list[float],
    labels: list[str],
    wave: int,
    path: Path,
) -> tuple[Marker, ...]:
    """Return marker channels, and the zero of every frame where samples begin before it: its trigger."""
    markers = []
    for start, frame, label in zip(starts, frames, labels, strict=True):
        piece = frame.pieces[wave]
        seconds = channels[wave].seconds_per_x
        first_s = piece.first_x * seconds
        length_s = piece.points * piece.interval * seconds
        if first_s < 0 < first_s + length_s:
            markers.append(Marker(start - first_s, label, "frame trigger"))
        for channel, marks in zip(channels, frame.pieces, strict=True):
            if channel.kind != _MARKERS or marks.points <= 0 or "time" not in channel.name.lower():
                continue
            name = channel.name.lower().replace("time", "").replace("marker", "").strip() or "marker"
            for seconds_in in _numbers(data, channel, marks, path) * channel.seconds_per_x:
                if 0 <= seconds_in - first_s <= length_s:
                    markers.append(Marker(start - first_s + float(seconds_in), "", name))
    return tuple(sorted(markers, key=lambda marker: marker.time_s))


def _text(field: bytes) -> str:
    """Return a text field; bytes after its counted characters are leftovers of memory."""
    return field[1 : 1 + field[0]].decode("latin-1") if field else ""
