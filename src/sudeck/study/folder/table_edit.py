"""Rows added to the tables of a study, never at the cost of what a person wrote there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from sudeck.core.errors import InputError
from sudeck.core.missing import MISSING
from sudeck.core.storage import table_text, write_bytes, write_text
from sudeck.study.folder.bids import keep_to_bids
from sudeck.study.folder.cells import read_cells
from sudeck.study.folder.dialect.arrangement import Arranged, arrange
from sudeck.study.folder.fields import Table, Value
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import TABLES
from sudeck.study.folder.tables import Row, read_table, type_rows

RowAction = Literal["added", "filled", "unchanged", "kept"]
_MISSING = "n/a"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row.

    Attributes
    ----------
    action : {"added", "filled", "unchanged", "kept"}
        Appended; empty cells filled; everything there already; the table says otherwise and was left as it
        is.
    differs : tuple of str
        Columns in which the table says otherwise.
    """

    action: RowAction
    differs: tuple[str, ...] = ()


def merge_rows(
    study: StudyFolder, name: str, rows: Sequence[Row], *, dry_run: bool = False
) -> tuple[RowOutcome, ...]:
    """Add rows to a table of the study: new ones appended, empty cells filled, nothing overwritten.

    Parameters
    ----------
    study : StudyFolder
    name : str
        Name of the table.
    rows : sequence of Mapping
        Typed values by column.
    dry_run : bool
        Whether to write nothing.

    Returns
    -------
    tuple of RowOutcome
        One a row.

    Raises
    ------
    InputError
        If the table is there as CSV or XLSX and holds cells that can not be read: rows are added to a TSV
        file that takes its place, and nothing may be lost on the way. The original is kept among the imports.
    """
    table = TABLES[name]
    found = study.found_table(name)
    path = study.table_file(name)
    other = found
    cells: list[list[str]] = []
    if found is not None:
        given = read_cells(found)
        if found == path and (not given or is_ours(given, table)):
            other = None
            cells = [texts for _, texts in given]
        else:
            cells = _as_tsv(found, given, table)
    header = [text.strip() for text in cells[0]] if cells else []
    header += [column for column in table.columns if column not in header]
    body = [[*texts, *[_MISSING] * (len(header) - len(texts))] for texts in cells[1:]]
    read = type_rows(list(enumerate([header, *body])), table, where="")
    there = {line - 1: row for row, line in zip(read.rows, read.lines, strict=True)}
    places = {_key(there[place], table): place for place in reversed(there)}
    outcomes = [_merge(row, table, header, body, places, there) for row in rows]
    if not dry_run and any(outcome.action in ("added", "filled") for outcome in outcomes):
        if other is not None:
            keep_original(study, other)
        write_text(path, "".join("\t".join(texts) + "\n" for texts in (header, *body)))
        if other is not None and other != path:
            other.unlink()
        if name == "participants":
            keep_to_bids(study, [texts[header.index("participant_id")] for texts in body])
    return tuple(outcomes)


def _as_tsv(path: Path, cells: list[tuple[int, list[str]]], table: Table) -> list[list[str]]:
    """Return the cells of a table in another format, or with other headings, as we would write them."""
    read = read_table(path, table)
    serious = [problem for problem in read.problems if problem.serious]
    if serious:
        raise InputError(
            path.name, f"rows can not be added while something is wrong ({serious[0]})", "correct it first"
        )
    return as_ours(arrange(cells, table.columns), read.rows, table) if cells else []


def is_ours(cells: Sequence[tuple[int, Sequence[str]]], table: Table) -> bool:
    """Tell whether a table lies as we lay it out, under our headings; what the cells hold is not asked."""
    arranged = arrange(cells, table.columns)
    same = all(old.strip() == new for old, new in zip(arranged.headings, arranged.names, strict=True))
    return same and not arranged.remarks


def as_ours(arranged: Arranged, rows: Sequence[Row], table: Table) -> list[list[str]]:
    """Return a table as we write it, headings first; columns that nobody knows stay as they are, last."""
    others = [n for n, name in enumerate(arranged.names) if name and name not in table.columns]
    lines = [[*table.columns, *(arranged.names[n] for n in others)]]
    for row, (_, texts) in zip(rows, arranged.body, strict=True):
        beside = [texts[n].strip() if n < len(texts) else "" for n in others]
        kept = [cell_text(None if text.lower() in MISSING else text) for text in beside]
        lines.append([*(cell_text(row[name]) for name in table.columns), *kept])
    return lines


def keep_original(study: StudyFolder, path: Path) -> Path:
    """Copy a table as a person made it to the imports of the study, under a name of its own."""
    for number in range(1, 10_000):
        kept = study.imports / "originals" / f"{number:03d}_{path.name}"
        if not kept.exists():
            write_bytes(kept, path.read_bytes())
            return kept
    raise InputError(path.name, "too many originals are kept of it", "move some elsewhere")


def _merge(
    row: Row,
    table: Table,
    header: list[str],
    body: list[list[str]],
    places: dict[tuple[Value, ...], int],
    there: dict[int, Row],
) -> RowOutcome:
    key = _key(row, table)
    if key not in places:
        places[key] = len(body)
        body.append([cell_text(row.get(column)) for column in header])
        there[places[key]] = row
        return RowOutcome("added")
    place = places[key]
    outcome = _fill(row, there[place], table, header, body[place])
    if outcome.action == "filled":
        there[place] = type_rows([(0, header), (1, body[place])], table, where="").rows[0]
    return outcome


def _key(row: Row, table: Table) -> tuple[Value, ...]:
    return tuple(row.get(column) for column in table.key)


def _fill(row: Row, there: Row, table: Table, header: list[str], texts: list[str]) -> RowOutcome:
    differs: list[str] = []
    filled = False
    for column in table.columns:
        value = row.get(column)
        place = header.index(column)
        if value is None or there.get(column) == value:
            continue
        # A cell that is no value of its type was written by somebody, too.
        if there.get(column) is None and _is_empty(texts[place]):
            texts[place] = cell_text(value)
            filled = True
        else:
            differs.append(column)
    action: RowAction = "filled" if filled else "kept" if differs else "unchanged"
    return RowOutcome(action, tuple(differs))


def cell_text(value: Value) -> str:
    """Return a value as a cell holds it.

    Examples
    --------
    >>> cell_text(7.50), cell_text(None), cell_text(date(2020, 1, 31))
    ('7.5', 'n/a', '2020-01-31')
    """
    if value is None:
        return _MISSING
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.10g}"
    return table_text(value) or _MISSING


def _is_empty(text: str) -> bool:
    return text.strip().lower() in MISSING
