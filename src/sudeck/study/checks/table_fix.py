"""`sudeck check --fix`: tables as people wrote them become tables as we write them, each change told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.core.missing import MISSING
from sudeck.core.storage import table_text, write_text
from sudeck.study.folder.cells import read_cells
from sudeck.study.folder.dialect.arrangement import Arranged, arrange
from sudeck.study.folder.dialect.wordings import day_of_visit
from sudeck.study.folder.fields import Table, Value
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import TABLES
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.table_edit import as_ours, cell_text, keep_original
from sudeck.study.folder.tables import ReadTable, read_table

_EXAMPLES: Final = 3


@dataclass(frozen=True)
class TableFix:
    """How one table would be written.

    Attributes
    ----------
    table : Table
    path : Path
        The file as it is.
    changes : tuple of str
        One sentence a change; no free text is repeated.
    text : str
        The table as TSV.
    """

    table: Table
    path: Path
    changes: tuple[str, ...]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {"table": self.table.path, "from": self.path.name, "changes": list(self.changes)}

    def __str__(self) -> str:
        return "\n".join([f"{self.path.name} -> {self.table.path}:", *(f"  {one}" for one in self.changes)])


def propose_fixes(study: StudyFolder, settings: Settings) -> tuple[TableFix, ...]:
    """Return what would change in each table that is not written as we write it.

    Only what is understood is changed: a table with a cell that can not be read is left to its owner, since
    writing it would lose what stands there. Columns that nobody knows are kept, behind the others.
    """
    fixes = []
    for name, table in TABLES.items():
        try:
            path = study.found_table(name)
            if path is None:
                continue
            read = read_table(path, table)
        except InputError:  # the check names it
            continue
        if any(problem.serious for problem in read.problems):
            continue
        fix = _fix(path, read, settings)
        if fix is not None:
            fixes.append(fix)
    return tuple(fixes)


def apply_fix(study: StudyFolder, fix: TableFix) -> Path:
    """Write a table anew; the original is kept among the imports, and its path returned."""
    kept = keep_original(study, fix.path)
    target = study.root / fix.table.path
    write_text(target, fix.text)
    if fix.path != target:
        fix.path.unlink()
    return kept


def _fix(path: Path, read: ReadTable, settings: Settings) -> TableFix | None:
    table = read.table
    cells = read_cells(path)
    if not cells:
        return None
    arranged = arrange(cells, table.columns)
    names = arranged.names
    if not set(names) & set(table.columns[1:]):
        return None  # nothing but the patients is understood
    changes = list(arranged.remarks)
    changes += [
        f"heading {table_text(old)} becomes {new}"
        for old, new in zip(arranged.headings, names, strict=True)
        if old.strip() != new
    ]
    rows = [dict(row) for row in read.rows]
    if table.name == "pain":
        changes += _named_visits(rows, settings)
    changes += _cells(arranged, read)
    if path.suffix.lower() != ".tsv":
        changes.append("it is saved as TSV in UTF-8")
    if not changes:
        return None
    lines = as_ours(arranged, rows, table)
    return TableFix(table, path, tuple(changes), "".join("\t".join(line) + "\n" for line in lines))


def _cells(arranged: Arranged, read: ReadTable) -> Iterator[str]:
    """Yield what becomes of the cells: each wording once, and of numbers and pseudonyms the first few."""
    for field in read.table.fields:
        if field.type == "text" or field.name not in arranged.names:
            continue
        place = arranged.names.index(field.name)
        lines: dict[str, list[int]] = {}
        for (line, texts), row in zip(arranged.body, read.rows, strict=True):
            old = texts[place].strip() if place < len(texts) else ""
            if old.lower() not in MISSING and not _same(old, row[field.name]):
                lines.setdefault(f"{table_text(old)} becomes {cell_text(row[field.name])}", []).append(line)
        shown = lines if field.type in ("choice", "yes-no", "date") else list(lines)[:_EXAMPLES]
        for change in shown:
            places = list(dict.fromkeys(lines[change]))
            more = f" (and in {len(places) - 1} more)" if len(places) > 1 else ""
            yield f"line {places[0]}, {field.name}: {change}{more}"
        if len(shown) < len(lines):
            yield f"{field.name}: {len(lines) - len(shown)} more are written so"


def _same(text: str, value: Value) -> bool:
    if isinstance(value, int | float):
        try:
            return float(text) == value
        except ValueError:
            return False
    return text == cell_text(value)


def _named_visits(rows: list[dict[str, Value]], settings: Settings) -> list[str]:
    """Give visits the names of sudeck.toml where case, language or the day says which is meant."""
    by_day = {day_of_visit(name): name for name in settings.visits if day_of_visit(name) is not None}
    by_case = {name.casefold(): name for name in settings.visits}
    renamed: dict[str, str] = {}
    for row in rows:
        visit = str(row["visit"] or "")
        if not visit or visit in settings.visits:
            continue
        day = day_of_visit(visit)
        meant = by_case.get(visit.casefold()) or (by_day.get(day) if day is not None else None)
        if meant:
            row["visit"] = renamed[visit] = meant
    return [f"visit {table_text(old)} becomes {new}" for old, new in renamed.items()]
