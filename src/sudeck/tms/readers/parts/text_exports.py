"""Text exports with a heading of their own, brought to channels in pieces; here that of LabChart."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.tms.readers.base import corrupt
from sudeck.tms.readers.parts.text_blocks import Block

SECONDS: Final = {
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0,
    "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3, "us": 1e-6, "µs": 1e-6,
}  # fmt: skip
_DAY_S = 86_400.0


@dataclass
class TextChannel:
    """One channel in pieces, one a section, in the unit of the file."""

    name: str
    unit: str
    rate_hz: float
    pieces: list[NDArray[np.float64]] = field(default_factory=list)


@dataclass
class TextRecording:
    """What any of the layouts comes down to: channels in pieces, one piece a section."""

    form: str
    channels: list[TextChannel]
    starts: list[float | None]
    first_x: list[float]
    # Section, seconds into it, text, kind.
    marks: list[tuple[int, float, str, str]] = field(default_factory=list)


def is_labchart(blocks: Sequence[Block]) -> bool:
    """Recognise LabChart by the headings of its blocks."""
    return bool(blocks) and {"Interval=", "ChannelTitle="} <= {row[0] for row in blocks[0].heading}


def labchart(blocks: Sequence[Block], path: Path) -> TextRecording:
    """Read blocks that each begin with ``Interval=``; the time column is optional, and comments end lines."""
    found = TextRecording("LabChart (text)", [], [], [])
    for index, block in enumerate(blocks):
        heading = {row[0]: row[1:] for row in block.heading}
        interval = (heading.get("Interval=") or ("",))[0].split()
        try:
            rate_hz = 1 / (finite_number(interval[0]) * SECONDS.get([*interval, "s"][1].lower(), 1.0))
        except (IndexError, ValueError, ZeroDivisionError):
            raise corrupt(path, "the sampling interval of a block is missing or no number") from None
        names = heading.get("ChannelTitle=", ())
        data = [column for column, text in zip(block.columns, block.texts, strict=True) if not text]
        offset = len(data) - len(names)
        if not names or offset not in {0, 1}:
            raise corrupt(path, f"its lines hold {len(data)} numbers for {len(names)} channels")
        ranges, units = heading.get("Range=", ()), heading.get("UnitName=", ())
        for number, name in enumerate(names):
            unit = units[number] if number < len(units) else ""
            if unit in {"", "*"}:
                unit = [*ranges[number].split(), "", ""][1] if number < len(ranges) else ""
            if index == 0:
                found.channels.append(TextChannel(name, unit, rate_hz))
            elif number >= len(found.channels) or found.channels[number].rate_hz != rate_hz:
                raise corrupt(path, "its blocks differ in channels or in their rate")
            found.channels[number].pieces.append(data[offset + number])
        day = (heading.get("ExcelDateTime=") or ("",))[0]
        found.starts.append(finite_number(day) * _DAY_S if re.fullmatch(r"[\d.,e+]+", day) else None)
        found.first_x.append(0.0)
        for text in block.texts:
            found.marks += [
                (index, row / rate_hz, re.sub(r"^#\S*\s*", "", cell).strip(), "comment")
                for row, cell in text.items()
            ]
    if len({start for start in found.starts if start}) == len(found.starts):
        # Days count from 1899: only what passed since the first block is kept.
        first = min(start for start in found.starts if start is not None)
        found.starts = [None if start is None else start - first for start in found.starts]
    else:
        found.starts = [None] * len(found.starts)
    return found


def rounded(rate_hz: float, tolerance: float) -> float:
    """Return the rate with the fewest digits that the rounding of the times allows."""
    candidates = (float(f"{rate_hz:.{digits}g}") for digits in range(2, 12))
    return next((rate for rate in candidates if abs(rate / rate_hz - 1) <= tolerance + 1e-12), rate_hz)


def finite_number(text: str) -> float:
    """Return the number that a text writes, with a point or a comma; what is none is a ValueError."""
    value = float(text.replace(",", "."))
    if not math.isfinite(value):
        raise ValueError(text)
    return value
