"""Tables read from TSV, CSV or XLSX and typed by the schema; what is wrong is listed row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sudeck.core.record import Record
from sudeck.core.spreadsheet import read_sheets
from sudeck.core.storage import table_text
from sudeck.study.folder.cells import is_workbook, read_cells
from sudeck.study.folder.dialect.arrangement import arrange
from sudeck.study.folder.dialect.wordings import contradictions, has_order
from sudeck.study.folder.fields import Table, Value
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import TABLES

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Problem(Record):
    """Something missing, impossible or contradictory.

    Attributes
    ----------
    where : str
        The table or file.
    row : int or None
        Line of the table as an editor counts, the header being line 1.
    column, patient : str
        Where it concerns one; empty otherwise.
    message : str
        One phrase that says what is wrong; never the content of a free text.
    serious : bool
        Whether the study can not be run as it is; otherwise a person should look.
    """

    where: str
    message: str
    row: int | None = None
    column: str = ""
    patient: str = ""
    serious: bool = True

    def __str__(self) -> str:
        place = ", ".join(
            filter(
                None,
                (
                    self.where,
                    f"line {self.row}" if self.row is not None else "",
                    self.patient,
                    self.column,
                ),
            )
        )
        return f"{place}: {self.message}."


@dataclass(frozen=True)
class ReadTable:
    """A table as read.

    Attributes
    ----------
    table : Table
        Its schema.
    rows : tuple of Mapping
        Typed values by column; a cell that could not be read is None, and is among the problems.
    lines : tuple of int
        Line of each row in the file.
    problems : tuple of Problem
    present : bool
        Whether there is a file at all.
    found_as : str
        Name of the file; that of our own unless another was found.
    """

    table: Table
    rows: tuple[Row, ...]
    lines: tuple[int, ...]
    problems: tuple[Problem, ...]
    present: bool = True
    found_as: str = ""

    @property
    def file(self) -> str:
        """The name of the file as it is, by which problems are told."""
        return self.found_as or Path(self.table.path).name

    def frame(self) -> pd.DataFrame:
        """Return the rows as a DataFrame: numbers as floats with NaN, the rest as objects with None."""
        import pandas as pd

        data: dict[str, Any] = {}
        for field in self.table.fields:
            values = [row[field.name] for row in self.rows]
            numeric = field.type in ("integer", "number")
            data[field.name] = pd.Series(values, dtype="float64" if numeric else "object")
        return pd.DataFrame(data, columns=list(self.table.columns))

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows a table holds and how many of them take part, with the reason where these differ."""

    table: str
    rows: int
    used: int
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {"rows": self.rows, "used": self.used, "reasons": list(self.reasons)}

    def __str__(self) -> str:
        return f"{self.table} {self.rows}" + (
            f", {self.used} used ({', '.join(self.reasons)})" if self.reasons else ""
        )


@dataclass(frozen=True)
class StudyTables:
    """Every table of a study, by name."""

    tables: Mapping[str, ReadTable]

    def __getitem__(self, name: str) -> ReadTable:
        return self.tables[name]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Problems of all tables, in the order of the tables."""
        return tuple(problem for table in self.tables.values() for problem in table.problems)

    def frame(self, name: str) -> pd.DataFrame:
        """Return one table as a DataFrame."""
        return self.tables[name].frame()

    def row_counts(self) -> tuple[RowCount, ...]:
        """Count the rows of every table that is there, and those that name a participant."""
        known = {str(row["participant_id"]) for row in self.tables["participants"].rows}
        counts = []
        for name, table in self.tables.items():
            if not table.present:
                continue
            people = [row["participant_id"] for row in table.rows]
            nameless = people.count(None)
            repeated = len(people) - nameless - len({*people} - {None}) if name == "participants" else 0
            unknown = sum(who is not None and str(who) not in known for who in people)
            left_out = (
                (nameless, "without a readable participant_id"),
                (repeated, "of a patient who stands above"),
                (unknown, f"of nobody in {self.tables['participants'].file}"),
            )
            reasons = tuple(f"{number} {why}" for number, why in left_out if number)
            used = len(people) - nameless - repeated - unknown
            counts.append(RowCount(table.file, len(people), used, reasons))
        return tuple(counts)


def read_tables(study: StudyFolder) -> StudyTables:
    """Read every table of a study; an absent one is empty.

    Raises
    ------
    InputError
        If a file can not be read at all, or a table is there in two formats.
    """
    return StudyTables(
        {name: _read_if_there(study.found_table(name), table) for name, table in TABLES.items()}
    )


def read_table(path: Path, table: Table) -> ReadTable:
    """Read one table and type it by its schema.

    Parameters
    ----------
    path : Path
        A ``.tsv``, ``.csv`` (comma or semicolon) or ``.xlsx`` file (first filled sheet); the header is its
        first row.
    table : Table
        What it should hold.

    Raises
    ------
    InputError
        If the file can not be read as a table.
    """
    read = replace(type_rows(read_cells(path), table, where=path.name), found_as=path.name)
    further = sum(bool(sheet.rows) for sheet in read_sheets(path)) - 1 if is_workbook(path) else 0
    if further < 1:
        return read
    said = f"the workbook holds {further} more filled sheet{'s' if further > 1 else ''}; the first is read"
    return replace(read, problems=(*read.problems, Problem(path.name, said, serious=False)))


def type_rows(cells: Sequence[tuple[int, Sequence[str]]], table: Table, *, where: str) -> ReadTable:
    """Type the cells of a table by its schema.

    Parameters
    ----------
    cells : sequence of (line, cells)
        Header first.
    table : Table
        What it should hold.
    where : str
        How problems name the file.
    """
    if not cells:
        return ReadTable(table, (), (), (Problem(where, "the file is empty"),))
    arranged = arrange(cells, table.columns)
    names, body = arranged.names, arranged.body
    problems = [Problem(where, said, serious=False) for said in arranged.remarks]
    problems += [Problem(where, said, arranged.line) for said in arranged.unclear]
    problems += _header_problems(names, table, where, arranged.line)
    unclear = {
        name: list(contradictions(name, [texts[n] for _, texts in body if n < len(texts)]))
        for n, name in enumerate(names)
        if name in table.columns
    }
    problems += [
        Problem(where, said, column=name) for name, sentences in unclear.items() for said in sentences
    ]
    rows: list[Row] = []
    lines: list[int] = []
    ordered: list[str] = []
    for line, texts in body:
        if len(texts) > len(names) and any(text.strip() for text in texts[len(names) :]):
            problems.append(Problem(where, f"has {len(texts)} cells under {len(names)} headings", line))
        given = dict(zip(reversed(names), reversed([*texts, *[""] * len(names)][: len(names)]), strict=True))
        ordered += [name for name, text in given.items() if name in table.columns and has_order(text)]
        row, found = _typed({n: t for n, t in given.items() if not unclear.get(n)}, table, where, line)
        rows.append(row)
        lines.append(line)
        problems += found
    for name in dict.fromkeys(ordered):
        if table.field(name).type == "date" and not unclear[name]:
            problems.append(Problem(where, "dates are read day first", column=name, serious=False))
    problems += _duplicates(rows, lines, table, where)
    return ReadTable(table, tuple(rows), tuple(lines), tuple(problems))


def _header_problems(names: Sequence[str], table: Table, where: str, line: int) -> Iterable[Problem]:
    for name in dict.fromkeys(names):
        if name and names.count(name) > 1:
            yield Problem(where, "the column is there twice; the first counts", line, name)
    # Where the header row is missing, what stands there is a patient's data and is not repeated.
    shown = table.key[0] in names
    unknown = [
        f"{number} ({table_text(name)[:40]})" if shown else str(number)
        for number, name in enumerate(names, 1)
        if name and name not in table.columns
    ]
    if unknown:
        said = "column {} is" if len(unknown) == 1 else "columns {} are"
        message = f"{said.format(', '.join(unknown))} not known and left alone; known are "
        yield Problem(where, message + ", ".join(table.columns), line, serious=not shown)
    for field in table.fields:
        if field.required and field.name not in names:
            yield Problem(where, "the column is missing", line, field.name)


def _typed(given: Mapping[str, str], table: Table, where: str, line: int) -> tuple[Row, list[Problem]]:
    row: dict[str, Value] = {}
    problems: list[Problem] = []
    for field in table.fields:
        row[field.name] = None
        text = given.get(field.name)
        if text is None:
            continue
        try:
            row[field.name] = field.parse(text)
        except ValueError as error:
            problems.append(Problem(where, f"the value {error}", line, field.name, _patient(row)))
            continue
        if row[field.name] is None and field.required:
            problems.append(Problem(where, "is empty and is required", line, field.name, _patient(row)))
    return row, problems


def _patient(row: Row) -> str:
    return str(row.get("participant_id") or "")


def _duplicates(rows: Sequence[Row], lines: Sequence[int], table: Table, where: str) -> Iterable[Problem]:
    if any(all(row[name] is None for row in rows) for name in table.key if table.field(name).required):
        return  # that it is missing is told; without it all rows look alike
    seen: dict[tuple[Value, ...], list[tuple[int, Row]]] = {}
    columns = ", ".join(name for name in table.key if name not in table.numbers)
    for row, line in zip(rows, lines, strict=True):
        key = tuple(row[name] for name in table.key)
        if key[0] is None:
            continue
        twins = seen.setdefault(key, [])
        first = twins[0][0] if twins else line
        unnumbered = bool(table.numbers) and all(row[name] is None for name in table.numbers)
        if twins and unnumbered and all(row != twin for _, twin in twins):
            numbers = " or ".join(table.numbers)
            said = (
                f"is another of line {first} (same {columns}) without {numbers}; taken as one more, number it"
            )
            yield Problem(where, said, line, patient=_patient(row), serious=False)
        elif twins:
            yield Problem(where, f"repeats line {first} (same {columns})", line, patient=_patient(row))
        twins.append((line, row))


def _read_if_there(path: Path | None, table: Table) -> ReadTable:
    return ReadTable(table, (), (), (), present=False) if path is None else read_table(path, table)
