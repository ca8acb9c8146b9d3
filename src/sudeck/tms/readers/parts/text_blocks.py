"""Text exports as blocks: lines of numbers, and the heading above them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sudeck.core.limits import check_memory
from sudeck.tms.readers.base import corrupt

# A line of numbers begins with one; whatever else begins a line belongs to a heading.
_NUMBER = r"[-+]?(?:\d|[.,]\d)"
# A quoted number may begin a row of a list of channels as well: a word comes next.
_BODY_LINE = re.compile(rf'[ \t]*(?:{_NUMBER}|[Nn][Aa][Nn]\b|"{_NUMBER}[^"]*"(?!\s*[,;\t]\s*"?[A-Za-z]))')
_DECIMAL_COMMA = re.compile(r'\s*"?\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*"?\s*')
_DECIMAL_POINT = re.compile(r'\s*"?\s*[-+]?\d*\.\d+(?:[eE][-+]?\d+)?\s*"?\s*')
# A time of day, with or without its date, as programs write it that know no seconds since the start.
_CLOCK = re.compile(
    r"(?:[\d./-]{8,10}[ T])?(?P<h>\d{1,2}):(?P<m>[0-5]?\d):(?P<s>[0-5]?\d(?:[.,:]\d+)?)"
    r"(?: ?(?P<pm>[AaPp])\.?[Mm]\.?)?"
)
_DAY_S = 86_400.0
_ABSENT = ("", "-", "nan", "NaN", "NAN", "n/a", "NA", "*")
# Text lines are split into as many objects; one of them takes about so many times its length.
_COPIES = 8.0


@dataclass(frozen=True)
class Block:
    """Lines of numbers under one heading.

    Attributes
    ----------
    heading : tuple of tuple of str
        The cells of the lines above, empty lines left out.
    columns : list of ndarray
        One a column; NaN where a cell is empty.
    texts : list of dict of int to str
        What else than numbers stands in each column, by row.
    decimals : int
        Digits after the decimal point in the first column.
    clock : bool
        The first column was written as times of day; it holds seconds since its first line.
    """

    heading: tuple[tuple[str, ...], ...]
    columns: list[NDArray[np.float64]]
    texts: list[dict[int, str]]
    decimals: int
    clock: bool = False

    @property
    def n_rows(self) -> int:
        """Number of lines of numbers."""
        return int(self.columns[0].size) if self.columns else 0


def blocks_of(text: str, path: Path, *, most_lines: int | None = None) -> list[Block]:
    """Split a text into blocks.

    Parameters
    ----------
    text : str
    path : Path
        For messages.
    most_lines : int, optional
        Look at so many lines only, to recognise a format.

    Raises
    ------
    InputError
        If a column of numbers holds something that is none.
    """
    lines = text.splitlines()[:most_lines]
    blocks: list[Block] = []
    heading: list[str] = []
    at = 0
    while at < len(lines):
        if not _BODY_LINE.match(lines[at]):
            heading.append(lines[at])
            at += 1
            continue
        end = at
        while end < len(lines) and _BODY_LINE.match(lines[end]):
            end += 1
        blocks.append(_block(heading, lines[at:end], path))
        heading, at = [], end
    if heading and not blocks:
        blocks.append(Block(_cells(heading, ","), [], [], 0))
    return blocks


def check_text(path: Path) -> None:
    """Refuse a text that would take too much memory."""
    check_memory(path, path.stat().st_size, copies=_COPIES if path.stat().st_size > 2**27 else 1.0)


def _block(heading: list[str], body: list[str], path: Path) -> Block:
    delimiter, comma = _conventions(body)
    if delimiter == " ":
        rows = [line.split() for line in body]
    elif any('"' in line for line in body):
        rows = list(csv.reader(io.StringIO("\n".join(body)), delimiter=delimiter))
    else:
        rows = [line.split(delimiter) for line in body]
    width = max(map(len, rows))
    if len(rows) * width > 20 * sum(map(len, body)) + 10_000:
        raise corrupt(path, "one line of the table is far longer than the others")
    columns: list[NDArray[np.float64]] = []
    texts: list[dict[int, str]] = []
    for index in range(width):
        cells = [row[index].strip() if index < len(row) else "" for row in rows]
        if index == 0 and cells and _CLOCK.fullmatch(cells[0].strip('" ')):
            columns.append(_seconds(cells, path))
            texts.append({})
            continue
        values, other = _numbers(cells, comma=comma)
        if other and len(other) > 0 and np.isfinite(values).sum() > len(other) and index > 0:
            raise corrupt(path, f"column {index + 1} holds numbers and something that is no number")
        columns.append(values)
        texts.append(other)
    while len(columns) > 1 and not texts[-1] and np.isnan(columns[-1]).all():  # a delimiter ends every line
        columns.pop()
        texts.pop()
    first = [row[0].strip().strip('"') for row in rows[:200] if row]
    point = "," if comma else "."
    clock = bool(first and _CLOCK.fullmatch(first[0]))
    if clock:
        point = next((mark for mark in ".," if mark in first[-1].rpartition(":")[2]), ".")
        first = [cell.rpartition(":")[2].split(" ")[0] for cell in first]
    decimals = max((len(cell.partition(point)[2]) for cell in first if "e" not in cell.lower()), default=0)
    return Block(_cells(heading, delimiter), columns, texts, decimals, clock)


def _seconds(cells: list[str], path: Path) -> NDArray[np.float64]:
    """Return times of day as seconds since the first, past midnight too."""
    matches = [_CLOCK.fullmatch(cell.strip('" ')) for cell in cells]
    found = np.empty(len(cells))
    for row, match in enumerate(matches):
        if match is None:
            raise corrupt(path, f"line {row + 1} of its samples has no time of day where the first has one")
        hours = int(match["h"]) % 12 + 12 * (match["pm"] in {"P", "p"}) if match["pm"] else int(match["h"])
        seconds = float(match["s"].replace(",", ".").replace(":", "."))
        found[row] = 3600 * hours + 60 * int(match["m"]) + seconds
    midnights = np.concatenate([[0], np.cumsum(np.diff(found) < -_DAY_S / 2)])
    found += _DAY_S * midnights
    return np.asarray(found - found[0])


def _conventions(body: list[str]) -> tuple[str, bool]:
    """Return the delimiter and whether numbers are written with a decimal comma."""
    sample = body[:50]
    for delimiter in ("\t", ";"):
        if all(delimiter in line for line in sample):
            return delimiter, _with_comma([cell for line in sample for cell in line.split(delimiter)])
    spaced = all(len(line.split()) > 1 for line in sample)
    whole = all(re.fullmatch(r"-?\d+(,\d+)?", cell) for line in sample for cell in line.split())
    if spaced and whole:
        return " ", any("," in line for line in sample)
    if not any("," in line for line in sample):
        return " ", False
    alone = [match[1] for line in sample if (match := re.fullmatch(r"\s*[-+]?\d+,(\d+)\s*", line))]
    if len(alone) == len(sample) and any(len(digits) > 1 and digits[0] == "0" for digits in alone):
        return " ", True  # one number a line: no integer is written 05
    quoted = (
        [cell for row in csv.reader(sample) for cell in row] if any('"' in line for line in sample) else []
    )
    return ",", _with_comma(quoted)


def _with_comma(cells: list[str]) -> bool:
    """Tell whether cells hold numbers with a decimal comma, and none with a decimal point."""
    return any(map(_DECIMAL_COMMA.fullmatch, cells)) and not any(map(_DECIMAL_POINT.fullmatch, cells))


def _numbers(cells: list[str], *, comma: bool) -> tuple[NDArray[np.float64], dict[int, str]]:
    """Return the numbers of a column, NaN where there is none, and the texts by row."""
    if comma:
        cells = [cell.replace(",", ".") for cell in cells]
    try:
        return np.array(cells, dtype=np.float64), {}
    except ValueError:
        pass
    values = np.full(len(cells), np.nan)
    texts: dict[int, str] = {}
    for index, cell in enumerate(cells):
        if cell in _ABSENT:
            continue
        try:
            values[index] = float(cell.strip('"'))
        except ValueError:
            texts[index] = cell
    return values, texts


def _cells(lines: list[str], delimiter: str) -> tuple[tuple[str, ...], ...]:
    """Split the lines of a heading; by tabs wherever there are any, since keys may hold commas."""
    found = []
    for line in lines:
        plain = line.strip("\ufeff \r\n")
        if not plain:
            continue
        by = "\t" if "\t" in plain else delimiter
        if by == " ":
            cells = plain.split()
        else:
            cells = next(csv.reader([plain], delimiter=by, skipinitialspace=True))
        found.append(tuple(cell.strip().strip('"') for cell in cells))
    return tuple(found)
