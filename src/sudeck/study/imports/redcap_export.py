"""What REDCap exports: rows as text, the data dictionary, and cells turned into values of our fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from sudeck.core.errors import InputError
from sudeck.core.missing import MISSING
from sudeck.core.privacy import Redactor
from sudeck.study.folder.cells import read_cells
from sudeck.study.folder.dialect.wordings import day_first
from sudeck.study.folder.fields import Field, Value
from sudeck.study.folder.pseudonyms import Key
from sudeck.study.imports.redcap_map import Source

ExportRow = tuple[int, dict[str, str]]

_CHOICE: Final = re.compile(r"\s*([^,]+?)\s*,\s*(.*?)\s*")


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What the data dictionary says by variable: its label, its codes, and whether it identifies."""

    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    identifiers: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)


def read_export(path: Path) -> list[ExportRow]:
    """Return the rows of an export with their line numbers, cells by column.

    Raises
    ------
    InputError
        If the file can not be read or holds no row.
    """
    if not path.is_file():
        raise InputError("the REDCap export", "there is no such file", "check the path")
    try:
        cells = read_cells(path)
    except InputError as error:
        raise InputError("the REDCap export", error.problem, error.remedy) from None
    if len(cells) < 2:
        raise InputError("the REDCap export", "it holds no row", "export the records again")
    names = [name.strip() for name in cells[0][1]]
    return [
        (line, {name: text.strip() for name, text in zip(names, [*texts, *[""] * len(names)], strict=False)})
        for line, texts in cells[1:]
    ]


def read_dictionary(path: Path) -> Dictionary:
    """Read the data dictionary of a project.

    Raises
    ------
    InputError
        If the file is no data dictionary.
    """
    subject = "the data dictionary"
    if not path.is_file():
        raise InputError(subject, "there is no such file", "check the path")
    cells = read_cells(path)
    header = [text.strip() for text in cells[0][1]] if cells else []
    labels: dict[str, dict[str, str]] = {}
    wordings: dict[str, str] = {}
    identifiers: set[str] = set()
    if not header or not header[0].lower().startswith(("variable", "field_name")):
        raise InputError(subject, "its first column is not the names of variables", "export it from REDCap")
    choices = next(
        (n for n, name in enumerate(header) if name.lower().startswith(("choices", "select_"))), None
    )
    labelled = next(
        (n for n, name in enumerate(header) if name.lower() in ("field label", "field_label")), None
    )
    identifies = next((n for n, name in enumerate(header) if name.lower().startswith("identifier")), None)
    for _, texts in cells[1:]:
        texts = [*texts, *[""] * (len(header) - len(texts))]
        name = texts[0].strip()
        labels[name] = {}
        if labelled is not None:
            wordings[name] = _without_tags(texts[labelled])
        for choice in (texts[choices] if choices is not None else "").split("|"):
            found = _CHOICE.fullmatch(choice)
            if found is not None:
                labels[name][found[1]] = found[2]
        if identifies is not None and texts[identifies].strip().lower() == "y":
            identifiers.add(name)
    return Dictionary(labels, frozenset(identifiers), wordings)


def _without_tags(text: str) -> str:
    """Return a label on one line, without the HTML that REDCap allows in it."""
    return " ".join(re.sub(r"<[^<>]{0,200}>", " ", text).split())


class CellReader:
    """Turns cells of the export of one patient into values of our fields."""

    def __init__(
        self,
        own: Sequence[ExportRow],
        said: Dictionary,
        key: Key,
        patient: str,
        redactor: Redactor,
    ) -> None:
        self.own = own
        self.said = said
        self.shift = key.shift(patient)
        self.redactor = redactor

    def read(self, field: Field, source: Source, row: Mapping[str, str]) -> Value:
        """Return the value of one field; None where the export holds none.

        Raises
        ------
        ValueError
            If the cell is not allowed; the message does not repeat it.
        """
        if not source.column:
            return field.parse(source.constant)
        text = row[source.column]
        if text.lower() in MISSING:
            return None
        if source.since:
            return field.parse(str(self._day(text, source.since)))
        if source.values:
            if text not in source.values:
                raise ValueError("is a code that the map does not name")
            return field.parse(source.values[text])
        if field.type == "choice":
            return self._choice(field, text, source.column)
        value = field.parse(
            _day_of(text) if field.type == "date" else self._scaled(field, text, source.factor)
        )
        if isinstance(value, date):
            return value + self.shift
        return self.redactor.clean(value) if isinstance(value, str) and field.type == "text" else value

    def _scaled(self, field: Field, text: str, factor: float) -> str:
        if factor == 1.0 or field.type not in ("integer", "number"):
            return text
        plain = replace(field, type="number", low=None, high=None).parse(text)
        return f"{float(plain) * factor:.10g}" if isinstance(plain, int | float) else text

    def _choice(self, field: Field, code: str, column: str) -> Value:
        """Read a code by its label; by itself only where the dictionary does not give it another meaning."""
        label = self.said.labels.get(column, {}).get(code)
        if label is None or field.choices.get(code) == label:
            return field.parse(code)
        try:
            return field.parse(label)
        except ValueError:
            for choice, meaning in field.choices.items():
                if meaning.lower() == label.lower():
                    return choice
            raise ValueError(
                "is a code whose label is none of ours; name it in the map under values"
            ) from None

    def _day(self, text: str, since: str) -> int:
        starts = {row[since] for _, row in self.own} - {""}
        if len(starts) != 1:
            raise ValueError(f"can not be counted: {'no' if not starts else 'more than one'} {since}")
        try:
            return (_date_of(text) - _date_of(starts.pop())).days + 1
        except ValueError:
            raise ValueError("can not be counted: a date is not written YYYY-MM-DD") from None


def _day_of(text: str) -> str:
    """Return the date of a cell without the clock time that may stand behind it."""
    return (text.split() or [""])[0].split("T")[0]


def _date_of(text: str) -> date:
    return day_first(_day_of(text)) or date.fromisoformat(_day_of(text))
