"""`sudeck check --fix`: tables as people wrote them become tables as we write them, each change told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sudeck.core.missing import MISSING
from sudeck.core.storage import table_text, write_text
from sudeck.study.folder.cells import read_cells
from sudeck.study.folder.fields import Table, Value
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import TABLES
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.table_edit import cell_text, keep_original
from sudeck.study.folder.tables import ReadTable, read_table
from sudeck.study.folder.wordings import column_of, day_of_visit


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

    Only what is understood is changed: a table with a cell that can not be read, or with a column that is
    not known, is left to its owner, since writing it would lose what stands there.
    """
    fixes = []
    for name, table in TABLES.items():
        path = study.found_table(name)
        if path is None:
            continue
        read = read_table(path, table)
        if any(problem.row is not None or problem.serious for problem in read.problems):
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
    header = [name.strip() for name in cells[0][1]] if cells else []
    columns = [column_of(name, table.columns) for name in header]
    changes = [f"heading {old} becomes {new}" for old, new in zip(header, columns, strict=True) if old != new]
    rows = [dict(row) for row in read.rows]
    if table.name == "pain":
        changes += _named_visits(rows, settings)
    long = len(read.rows) != len([1 for _, texts in cells[1:] if any(text.strip() for text in texts)])
    if long:
        changes.append(f"{len(columns) - 1} columns become {len(rows)} rows, one a visit")
    else:
        of_line = dict(cells[1:])
        for line, row in zip(read.lines, read.rows, strict=True):
            changes += _cells(line, dict(zip(columns, of_line[line], strict=False)), row, table)
    if path.suffix.lower() != ".tsv":
        changes.append("it is saved as TSV in UTF-8")
    if not changes:
        return None
    lines = [table.columns, *([cell_text(row[name]) for name in table.columns] for row in rows)]
    return TableFix(table, path, tuple(changes), "".join("\t".join(line) + "\n" for line in lines))


def _cells(line: int, texts: dict[str, str], row: Any, table: Table) -> list[str]:
    changes = []
    for field in table.fields:
        old, value = texts.get(field.name, "").strip(), row[field.name]
        if field.type == "text" or old.lower() in MISSING or _same(old, value):
            continue
        changes.append(f"line {line}, {field.name}: {table_text(old)} becomes {cell_text(value)}")
    return changes


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
