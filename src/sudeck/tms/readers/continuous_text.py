"""Continuous recordings as text: a column of times and a column a channel, whatever program wrote them.

Recognised by content: LabChart (``Interval=``, ``ChannelTitle=``, comments behind ``#*``), CED Spike2 and
Signal (``"CHANNEL"``, ``"START"``), Delsys (a column ``X [s]`` before each channel, each at its own rate) and
every table with a column of evenly spaced times, among them other exports of Signal and that of BrainVision.
Times that begin anew, or leave a gap, begin a new section. A table of a column of times and one column a
sweep is that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.tms.readers.base import Hints, corrupt, source_of, stimulus_labels
from sudeck.tms.readers.parts.arrays import PLAUSIBLE_RATE_HZ, sweeps_in
from sudeck.tms.readers.parts.ced_text import FRAME_TRIGGER, is_ced, read_ced
from sudeck.tms.readers.parts.epochs import contents_of
from sudeck.tms.readers.parts.frames import in_time
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.readers.parts.sidecar import sidecar_of
from sudeck.tms.readers.parts.text_blocks import Block, blocks_of, check_text
from sudeck.tms.readers.parts.text_exports import (
    SECONDS,
    TextChannel,
    TextRecording,
    is_labchart,
    labchart,
    rounded,
)
from sudeck.tms.signals.recording import Marker, Recording, Section
from sudeck.tms.signals.table_text import decode_text, is_utf16
from sudeck.tms.signals.units import plain_text, voltage_unit

if TYPE_CHECKING:
    from sudeck.tms.readers.base import Contents

FORMAT: Final = "continuous text"
_TEXT = {".csv", ".tsv", ".txt", ".asc", ".dat"}
_SNIFFED_BYTES, _SNIFFED_LINES = 65_536, 200
_LEAST_ROWS = 32
_TIMES = {
    "x", "t", "time", "times", "timestamp", "timestamps", "s", "ms", "sec", "second", "seconds",
    "millisecond", "milliseconds", "zeit", "temps", "tiempo", "tempo", "tid", "tijd",
}  # fmt: skip
_SWEEP = re.compile(r"(trial|sweep|frame|epoch|mep|response|stim(ulus)?|pulse)?[\s_-]*\d+", re.IGNORECASE)
_CODES = re.compile(r"(trig|mark|event|stim|code|ttl|annotation|comment)", re.IGNORECASE)
# Headings of what was measured on trials: the times of such a table are not those of sampling.
_MEASURED = re.compile(r"amp|p2p|ptp|peak|latenc|\bmep\b", re.IGNORECASE)
# Sweeps side by side are shorter than this; a recording is longer.
_SWEEP_S = 5.0
_MOST_CODES = 50


def sniff(head: bytes, path: Path) -> bool:
    """Recognise a text whose heading is that of a known export, or whose times are those of sampling."""
    if path.suffix.lower() not in _TEXT or (b"\0" in head and not is_utf16(head)):
        return False
    with path.open("rb") as file:
        text = decode_text(file.read(_SNIFFED_BYTES))
    try:
        blocks = blocks_of(text.rpartition("\n")[0] or text, path, most_lines=_SNIFFED_LINES)
        return is_labchart(blocks) or is_ced(blocks) or any(_times_of(block) for block in blocks)
    except (InputError, ValueError):
        return False


def read(path: Path, hints: Hints) -> Contents:
    """Read a text export.

    Raises
    ------
    InputError
        If lines differ in what they hold, or nothing says how fast was sampled.
    """
    check_text(path)
    blocks = blocks_of(decode_text(path.read_bytes()), path)
    if is_labchart(blocks):
        found = labchart(blocks, path)
    elif is_ced(blocks):
        found = read_ced(blocks, path)
    else:
        sweeps = _side_by_side(blocks)
        if sweeps is not None:
            described = sweeps_in(sweeps | sidecar_of(path), path, hints)
            return contents_of(described, path, source_of(path), "sweeps as text", hints)
        found = _columns(blocks, path)
    return _recording(found, path, hints)


def _recording(found: TextRecording, path: Path, hints: Hints) -> Recording:
    channels = [channel for channel in found.channels if sum(piece.size for piece in channel.pieces)]
    if not channels:
        raise InputError(path.name, "no channel holds samples", "export the EMG channels along")
    first = channels[0]
    durations = [piece.size / first.rate_hz for piece in first.pieces]
    order, starts, flags = in_time(found.starts, durations)
    raw = [
        RawChannel(
            channel.name,
            np.concatenate([channel.pieces[index] for index in order]),
            channel.unit,
            channel.rate_hz,
            starts[0],
        )
        for channel in channels
    ]
    signals, doubts = signals_of(raw, path.name, hints)
    sections = tuple(
        Section(start, start + durations[index]) for start, index in zip(starts, order, strict=True)
    )
    place = {index: start for start, index in zip(starts, order, strict=True)}
    kept = stimulus_labels(text for _, _, text, _ in found.marks if text)
    markers = [
        Marker(place[section] + late_s, text, kind)
        for section, late_s, text, kind in found.marks
        if not text or kind == FRAME_TRIGGER or text in kept
    ]
    if len(sections) > 1:
        markers += [
            Marker(place[index] - x, "", FRAME_TRIGGER)
            for index, x in enumerate(found.first_x)
            if x < 0 < x + durations[index]
        ]
    ordered = tuple(sorted(markers, key=lambda marker: marker.time_s))
    return Recording(source_of(path), found.form, signals, ordered, sections, (*flags, *doubts))


def _times_of(block: Block) -> dict[int, float]:
    """Return the columns of a block that are times, and seconds per unit of each."""
    if block.n_rows < 2 or len(block.columns) < 2:
        return {}
    labels = _labels(block)
    if not labels[0][1] and not block.clock and any(_MEASURED.search(name) for name, _ in labels):
        return {}
    found = {}
    for index, (name, unit) in enumerate(labels):
        named = name.lower() in _TIMES
        if index > 0 and not (named and unit in SECONDS):
            continue
        if labels[0] != ("", "") and not named:
            continue
        steps = np.diff(block.columns[index][np.isfinite(block.columns[index])])
        step = float(np.median(steps)) if steps.size else 0.0
        if step <= 0:  # times printed more coarsely than they were sampled
            step = float(np.mean(steps[steps >= 0])) if np.any(steps > 0) else 0.0
        known = (
            (1.0 if index == 0 and block.clock else 0.0)
            or SECONDS.get(unit)
            or SECONDS.get(name.lower() if name.lower() != "t" else "")
        )
        fitting = [
            seconds
            for seconds in ((known,) if known else (1.0, 1e-3, 1e-6))
            if step > 0 and PLAUSIBLE_RATE_HZ[0] <= 1 / (step * seconds) <= PLAUSIBLE_RATE_HZ[1]
        ]
        even = steps.size > 0 and np.mean(np.abs(steps - step) <= 0.5 * step + 10.0**-block.decimals) > 0.9
        if len(fitting) == 1 and even and (block.n_rows >= _LEAST_ROWS or named):
            found[index] = fitting[0]
        elif index > 0 and known:  # a slower channel of a Delsys export
            found[index] = known
    return found if 0 in found else {}


def _labels(block: Block) -> list[tuple[str, str]]:
    """Return name and unit of every column; empty where there is no heading."""
    width = len(block.columns)
    rows = [row for row in block.heading if abs(len(row) - width) <= 1 and len(row) > 1]
    if not rows:
        return [("", "")] * width
    units: tuple[str, ...] = ()
    names = rows[-1]
    if len(rows) > 1 and all(cell == "" or _is_unit(cell) for cell in rows[-1]):
        units, names = rows[-1], rows[-2]
    labels = []
    for index in range(width):
        name, unit = _name_and_unit(names[index] if index < len(names) else "")
        labels.append((name, plain_text(units[index]) if index < len(units) and not unit else unit))
    return labels


def _is_unit(text: str) -> bool:
    return voltage_unit(text) is not None or text.strip("()[] ").lower() in SECONDS


def _name_and_unit(heading: str) -> tuple[str, str]:
    """Split a heading: ``FDI (mV)``, ``X [s]``, ``time_ms``, ``FDI_uV``."""
    plain = plain_text(heading)
    bracket = re.fullmatch(r"(.*?)\s*[\[(]([^\])]*)[\])]\s*", plain)
    if bracket and _is_unit(bracket[2]):
        unit = bracket[2].strip()
        return bracket[1].strip() or unit, unit.lower() if unit.lower() in SECONDS else unit
    if bracket and re.fullmatch(r"[dmyhs:/., _-]*hh?:mm:ss[.,:]?\w*", bracket[2].lower()):
        return bracket[1].strip() or "time", "s"
    stem, _, last = plain.rpartition("_")
    if stem and _is_unit(last):
        return stem, last.lower() if last.lower() in SECONDS else last
    return plain, ""


def _side_by_side(blocks: Sequence[Block]) -> dict[str, NDArray[np.float64]] | None:
    """Return times and sweeps where the columns of a short table are numbered sweeps."""
    if len(blocks) != 1:
        return None
    times = _times_of(blocks[0])
    labels = _labels(blocks[0])
    if set(times) != {0} or len(labels) < 3 or not all(_SWEEP.fullmatch(name) for name, _ in labels[1:]):
        return None
    time_s = blocks[0].columns[0] * times[0]
    if not np.all(np.diff(time_s) > 0) or time_s[-1] - time_s[0] > _SWEEP_S:
        return None
    unit = labels[1][1]
    return {f"emg_{unit}" if unit else "emg": np.column_stack(blocks[0].columns[1:]), "time_s": time_s}


def _columns(blocks: Sequence[Block], path: Path) -> TextRecording:
    """Read tables whose first column is time; each further column of times holds for those behind it."""
    found = TextRecording("text", [], [], [])
    for block in blocks:
        times = _times_of(block)
        if not times:
            if block.n_rows < _LEAST_ROWS:
                continue
            raise corrupt(path, "its column of times is not evenly spaced")
        labels = _labels(block)
        owner = 0
        spans: list[tuple[int, int]] = []
        for index, (name, unit) in enumerate(labels):
            if index in times:
                owner = index
                time_s, rate_hz, spans = _clock(block, index, times[index], path)
                if owner == 0:
                    main, main_rate, offset = spans, rate_hz, len(found.starts)
                    found.first_x += [float(time_s[start]) for start, _ in spans]
                    found.starts += [float(time_s[start]) for start, _ in spans]
                elif len(spans) != len(main):
                    raise corrupt(path, "its channels do not have the same sections")
                continue
            marks = _marks(block, index, name, unit, main, main_rate, offset) if owner == 0 else None
            if marks is not None:
                found.marks += marks
                continue
            label = name or f"channel {index}"
            channel = next((c for c in found.channels if c.name == label and c.rate_hz == rate_hz), None)
            if channel is None or len(channel.pieces) > offset:
                channel = TextChannel(label, unit, rate_hz, [np.zeros(0)] * offset)
                found.channels.append(channel)
            channel.pieces += [block.columns[index][start:stop] for start, stop in spans]
    if any(len(channel.pieces) != len(found.starts) for channel in found.channels):
        raise corrupt(path, "its blocks differ in their channels")
    return found


def _clock(
    block: Block, index: int, seconds: float, path: Path
) -> tuple[NDArray[np.float64], float, list[tuple[int, int]]]:
    """Return times in seconds, the rate, and the first and last line of every stretch without a gap."""
    column = block.columns[index]
    n = int(np.isfinite(column).sum())
    if n < 2 or not np.isfinite(column[:n]).all():
        raise corrupt(path, "a column of times has holes")
    time_s = column[:n] * seconds
    rounding = seconds * 10.0**-block.decimals
    steps = np.diff(time_s)
    step = float(np.median(steps))
    if step <= 0:
        step = float(np.mean(steps[steps >= 0]))
    breaks = np.flatnonzero((steps > 1.5 * step + 1.01 * rounding) | (steps < -0.5 * rounding)) + 1
    spans = list(pairwise([0, *map(int, breaks), n]))
    start, stop = max(spans, key=lambda span: span[1] - span[0])
    lasting = float(time_s[stop - 1] - time_s[start])
    if stop - start < 2 or lasting <= 0:
        raise corrupt(path, "its column of times is not evenly spaced")
    return time_s, rounded((stop - start - 1) / lasting, rounding / lasting), spans


def _marks(
    block: Block,
    index: int,
    name: str,
    unit: str,
    spans: Sequence[tuple[int, int]],
    rate_hz: float,
    offset: int,
) -> list[tuple[int, float, str, str]] | None:
    """Return the markers of a column of comments or codes, or ``None`` for a column of samples."""
    column, texts = block.columns[index], block.texts[index]
    if texts:
        written = texts | {int(row): f"{column[row]:g}" for row in np.flatnonzero(np.isfinite(column))}
    elif _CODES.search(name) and not unit:
        codes = np.nan_to_num(column)
        values = set(np.unique(codes)[: _MOST_CODES + 1].tolist())
        if len(values) > _MOST_CODES or not all(value.is_integer() for value in values):
            return None
        edges = np.flatnonzero((codes != 0) & (np.concatenate([[0.0], codes[:-1]]) != codes))
        written = {int(row): f"{codes[row]:g}" for row in edges}
    else:
        return None
    marks = []
    for row in sorted(written):
        at = int(np.searchsorted([start for start, _ in spans], row, side="right")) - 1
        late_s = (row - spans[at][0]) / rate_hz
        marks.append((offset + at, late_s, written[row].strip().strip('"'), name or "comment"))
    return marks
