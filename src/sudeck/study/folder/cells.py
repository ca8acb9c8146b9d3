"""The cells of a table file as text: TSV or CSV in any encoding people save, or the first sheet of XLSX."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any, Final, Literal

from sudeck.core.errors import InputError
from sudeck.core.spreadsheet import WORKBOOKS, read_sheets
from sudeck.core.storage import read_limited

_LOOKED_AT: Final = 20  # lines


def read_cells(path: Path) -> list[tuple[int, list[str]]]:
    """Return the cells of a table as text, each row with its line number, header first.

    Raises
    ------
    InputError
        If the file can not be read, is not a table or is not text.
    """
    if is_workbook(path):
        return _cells_of_sheet(path)
    text = decoded(read_limited(path, subject=path.name))
    if "\0" in text:
        raise InputError(path.name, "it is not a text file", "save it as TSV, CSV or XLSX")
    delimiter = _delimiter(text)
    # Quotes are BIDS-foreign in TSV: a lone one must not swallow the rest of the file.
    quoting: Literal[0, 3] = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    try:
        cells = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise InputError(path.name, f"it can not be read as a table ({error})", "save it again") from error
    return [(line, row) for line, row in cells if row]


def _delimiter(text: str) -> str:
    """Return what parts the cells: the sign that stands equally often in most lines."""
    lines = [line for line in text.splitlines()[:_LOOKED_AT] if line.strip()]

    def alike(sign: str) -> int:
        counts = Counter(line.count(sign) for line in lines if sign in line)
        return max(counts.values(), default=0)

    return max("\t;,", key=alike)


def is_workbook(path: Path) -> bool:
    """Tell whether a file is a workbook of a spreadsheet, by its name."""
    return path.suffix.lower() in WORKBOOKS


def decoded(data: bytes) -> str:
    """Return the text of a table as people save them: UTF-8, UTF-16 as Excel writes it, or Windows-1252.

    Examples
    --------
    >>> decoded("côté".encode("cp1252")), decoded("côté".encode())
    ('côté', 'côté')
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Five bytes have no meaning there; they stand for themselves, as they do in browsers.
        return data.decode("cp1252", errors="replace")


def _cells_of_sheet(path: Path) -> list[tuple[int, list[str]]]:
    """Return the cells of the first sheet that holds any."""
    sheet = next((sheet for sheet in read_sheets(path) if sheet.rows), None)
    rows = () if sheet is None else sheet.rows
    cells = [(line, [_plain(value) for value in row]) for line, row in rows]
    return [(line, row) for line, row in cells if any(row)]


def _plain(value: Any) -> str:
    """Return a cell of a sheet as text: whole numbers without a point, days without a time."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value)
