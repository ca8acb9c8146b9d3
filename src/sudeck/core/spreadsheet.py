"""Excel workbooks as rows of cells: every row that is there, whatever the sheet says of its own size."""

from __future__ import annotations

import re
import warnings
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.limits import check_archive, check_memory

WORKBOOKS: Final = frozenset({".xlsx", ".xlsm"})
# XML of a workbook, once parsed, takes about so many times its text.
_PARSED = 8.0
# A cell that is kept takes about so many bytes: its place and a short text or number.
_CELL_BYTES = 64
# As many rows as a sheet of Excel may have.
_MOST_ROWS = 1_048_576
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ />]")


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook.

    Attributes
    ----------
    name : str
    rows : tuple of (int, tuple)
        Number of the row as Excel counts, and its cells up to the last that is filled; empty rows are left
        out.
    """

    name: str
    rows: tuple[tuple[int, tuple[Any, ...]], ...]


def read_sheets(path: Path, *, extra: str = "tables") -> tuple[Sheet, ...]:
    """Read every sheet of a workbook, formulae as the values they last had.

    Parameters
    ----------
    path : Path
    extra : str
        The extra that brings openpyxl, for the message where it is missing.

    Raises
    ------
    InputError
        If the workbook is damaged, would take too much memory, or has formulae whose value was never worked
        out (a program wrote them and Excel never saved them): their cells would read as empty.
    MissingDependencyError
        If openpyxl is not installed.

    Notes
    -----
    The ``<dimension>`` of a sheet is a hint that some programs leave at an older state; rows beyond it were
    lost when it was believed. It is not believed here.
    """
    try:
        import openpyxl
    except ImportError:
        raise MissingDependencyError("Reading Excel workbooks", extra) from None
    try:
        check_archive(path, copies=_PARSED)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles it passes over
            with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
                if _has_formulae(path):
                    with closing(openpyxl.load_workbook(path, read_only=True)) as formulae:
                        _refuse_unknown_values(path, book, formulae)
                return tuple(_sheet(sheet, path) for sheet in book.worksheets)
    except (InputError, FileNotFoundError):
        raise
    except Exception as error:  # a workbook is a zip of XML; each layer fails in its own way
        raise InputError(
            path.name, "the Excel workbook can not be read to its end", "save it again as .xlsx"
        ) from error


def _sheet(sheet: Any, path: Path) -> Sheet:
    sheet.reset_dimensions()
    rows: list[tuple[int, tuple[Any, ...]]] = []
    n_cells = 0
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > _MOST_ROWS:
            raise InputError(path.name, f"a sheet has more than {_MOST_ROWS} rows", "save it again as .xlsx")
        filled = _filled(cells)
        if filled:
            n_cells += len(filled)
            check_memory(path, n_cells, copies=_CELL_BYTES)
            rows.append((number, filled))
    return Sheet(str(sheet.title), tuple(rows))


def _has_formulae(path: Path) -> bool:
    """Tell from its XML whether any sheet has a formula, without parsing it."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if "worksheets/" not in name:
                continue
            with archive.open(name) as sheet:
                end = b""
                while block := sheet.read(1 << 20):
                    if _FORMULA.search(end + block):
                        return True
                    end = block[-8:]
    return False


def _refuse_unknown_values(path: Path, values: Any, formulae: Any) -> None:
    """Refuse a workbook in which a formula stands where no value is; an empty text is one (type ``str``)."""
    for known, written in zip(values.worksheets, formulae.worksheets, strict=True):
        known.reset_dimensions()
        written.reset_dimensions()
        for row in zip(known.iter_rows(), written.iter_rows(), strict=True):
            for value, cell in zip(*row, strict=True):
                if cell.data_type == "f" and value.value is None and value.data_type != "str":
                    raise InputError(
                        path.name,
                        f"cell {cell.coordinate} of sheet {written.title!r} holds a formula whose value was "
                        "never worked out",
                        "open it in Excel or LibreOffice and save it again",
                    )


def _filled(cells: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the cells of a row up to the last that holds something."""
    last = next((i for i in range(len(cells), 0, -1) if cells[i - 1] not in (None, "")), 0)
    return tuple(cells[:last])
