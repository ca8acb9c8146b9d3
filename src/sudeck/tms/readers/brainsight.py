"""Rogue Research Brainsight (.txt): one line a stimulus, its EMG in one cell.

Versions differ in their columns, so every column is found by its heading. Lines beginning with ``#`` are
headings; each opens a new list (targets, samples, landmarks), of which the one with EMG is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.privacy import Redactor
from sudeck.tms.readers.base import Hints, corrupt, source_of
from sudeck.tms.readers.parts.arrays import PLAUSIBLE_RATE_HZ, Sweeps
from sudeck.tms.readers.parts.epochs import contents_of
from sudeck.tms.readers.parts.values import Array
from sudeck.tms.signals.events import Given

if TYPE_CHECKING:
    from sudeck.tms.readers.base import Contents

FORMAT: Final = "Brainsight"
_HEADING = b"# Sample Name"
_DATA = "EMG Data"
_EMPTY = {"", "(null)", "null", "n/a"}
# The maker exports EMG in microvolts and writes no unit; plausibility is checked all the same.
_UNIT = "uV"
_PRIVATE = ("subject", "patient", "name", "project", "operator")


def sniff(head: bytes, path: Path) -> bool:
    """Recognise the preamble or the heading of the list of samples."""
    return b"# Created by: Brainsight" in head or _HEADING in head


def read(path: Path, hints: Hints) -> Contents:
    """Read the sweeps of every EMG channel, in order of time.

    Raises
    ------
    InputError
        If the file holds no EMG, or its lines do not fit their headings.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_bytes().decode("latin-1")
    redactor, rows = _samples(text)
    n_channels = 1 + max(
        (int(name.removeprefix(_DATA) or 0) for row in rows for name in row if _is_data(name)), default=0
    )
    columns = [f"{_DATA} {i}" for i in range(1, n_channels)] or [_DATA]
    rows = [row for row in rows if any(row.get(name, "").strip().lower() not in _EMPTY for name in columns)]
    if not rows:
        raise InputError(path.name, "no sample in it carries EMG", "export the samples with their EMG data")
    seconds = _seconds(rows)
    if not any(math.isnan(second) for second in seconds):
        order = sorted(range(len(rows)), key=lambda index: seconds[index])
        rows, seconds = [rows[index] for index in order], [seconds[index] for index in order]
    start_ms, interval_ms = _number(rows[0], "EMG Start", path), _number(rows[0], "EMG Res.", path)
    rate_hz = hints.rate_hz or 1e3 / interval_ms
    if not PLAUSIBLE_RATE_HZ[0] <= rate_hz <= PLAUSIBLE_RATE_HZ[1]:
        raise corrupt(path, f"a sampling interval of {interval_ms:g} ms is not one of EMG")
    # The resolution is rounded to a microsecond; a rate is meant to three digits.
    rate_hz = float(f"{rate_hz:.3g}") if hints.rate_hz is None else rate_hz
    given: list[Given] = [
        {
            "time_s": second,
            "condition": redactor.clean(row.get("Assoc. Target", "").replace("(null)", "").strip()),
        }
        for row, second in zip(rows, seconds, strict=True)
    ]
    used = [name for name in columns if all(row.get(name, "").strip().lower() not in _EMPTY for row in rows)]
    if not used:
        raise corrupt(path, "some samples carry EMG of one channel and some of another")
    emg = [[_sweep(row[name], path) for row in rows] for name in used]
    pulse_ms = -start_ms if hints.pulse_ms is None else hints.pulse_ms
    labels = [f"EMG {name.removeprefix(_DATA).strip() or '1'}" for name in used]
    sweeps = Sweeps(emg, labels, given, rate_hz, _UNIT, round(pulse_ms * rate_hz / 1e3))
    return contents_of(sweeps, path, source_of(path, redactor=redactor), FORMAT, hints)


def _samples(text: str) -> tuple[Redactor, list[dict[str, str]]]:
    """Return what to mask, and the lines of the list whose heading has EMG."""
    private: list[str] = []
    heading: list[str] = []
    rows = []
    for line in text.splitlines():
        if line.startswith("#"):
            key, _, value = line[1:].partition(":")
            if value and any(word in key.lower() for word in _PRIVATE):
                private.append(value)
            if "\t" in line:
                heading = [name.strip() for name in line[1:].split("\t")]
        elif line.strip() and any(_is_data(name) for name in heading):
            rows.append(dict(zip(heading, line.split("\t"), strict=False)))
    return Redactor.from_values(private), rows


def _is_data(name: str) -> bool:
    return re.fullmatch(rf"{_DATA}(\s*[0-9]{{1,3}})?", name) is not None


def _number(row: Mapping[str, str], name: str, path: Path) -> float:
    try:
        value = float(row.get(name, ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise corrupt(path, f"column {name} is missing or no number")
    return value


def _sweep(cell: str, path: Path) -> Array:
    try:
        return np.array([float(item) for item in cell.split(";") if item.strip()])
    except ValueError:
        raise corrupt(path, "a sweep holds something that is no number") from None


def _seconds(rows: list[dict[str, str]]) -> list[float]:
    """Return the time of every sample after the first; the date itself is not kept."""
    clocks = []
    for row in rows:
        try:
            clocks.append(
                datetime.fromisoformat(f"{row.get('Date', '').strip()} {row.get('Time', '').strip()[:15]}")
            )
        except ValueError:
            return [math.nan] * len(rows)
    return [(clock - min(clocks)).total_seconds() for clock in clocks]
