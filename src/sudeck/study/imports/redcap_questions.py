"""The map of a REDCap project found by asking: each question with what names, labels and codes already say.

Whoever answers is a function, so that a person at a terminal, a test or nobody (the proposals stand) can.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sudeck.core.errors import InputError
from sudeck.core.missing import MISSING
from sudeck.study.folder.dialect.headings import column_of, says_hundred, visit_in
from sudeck.study.folder.dialect.wordings import day_of_visit, folded, meaning
from sudeck.study.folder.dictionary import RECORD, redcap_code, redcap_name
from sudeck.study.folder.fields import Field
from sudeck.study.folder.schema import PAIN, PARTICIPANTS, TABLES
from sudeck.study.imports.redcap_export import Dictionary, ExportRow

NONE: Final = "-"
# Without these a patient has no prediction: asked for even where nothing in the export looks like them.
_NEEDED: Final = ("limb", "affected_side", "sex", "age", "duration_months")
_NUMBER_OF_PATIENT: Final = re.compile(
    r"mrn|ipp|nip|hospital|dossier|record_number|patient_?(id|nr|no)", re.I
)
_EVENT: Final = "redcap_event_name"
# Months in one of each (365.25 / 12 days a month).
_MONTHS_IN: Final = {"months": 1.0, "weeks": 7 / 30.4375, "days": 1 / 30.4375, "years": 12.0}
_UNIT_WORDS: Final = {
    "weeks": frozenset(
        ["week", "weeks", "wk", "wks", "semaine", "semaines", "woche", "wochen", "semana", "semanas", "weken"]
    ),
    "years": frozenset(
        [
            "year",
            "years",
            "yr",
            "yrs",
            "an",
            "ans",
            "annee",
            "annees",
            "jahr",
            "jahre",
            "ano",
            "anos",
            "jaar",
            "jaren",
        ]
    ),
    "days": frozenset(["day", "days", "jour", "jours", "tag", "tage", "dia", "dias", "dag", "dagen"]),
}
_DURATION: Final = frozenset(["duration", "duree", "dauer", "duracion", "duur"])
_PAIN_WORDS: Final = frozenset(
    ["pain", "douleur", "schmerz", "schmerzen", "dolor", "pijn", "nrs", "vas", "eva", "en"]
)
_MOST_CODES: Final = 12


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a project.

    Attributes
    ----------
    text : str
        The question.
    options : tuple of str
        What may be answered; anything where there are none. ``"-"`` says that there is nothing of the kind.
    proposed : str
        What the export itself says; ``"-"`` where it says nothing.
    """

    text: str
    options: tuple[str, ...]
    proposed: str = NONE


Answer = Callable[[Question], str]


def ask_for_map(rows: Sequence[ExportRow], said: Dictionary, answer: Answer) -> str:
    """Ask which column of an export is which of ours, and return the map, TOML.

    Parameters
    ----------
    rows : sequence of ExportRow
        The export; only names of columns, codes and numbers are looked at.
    said : Dictionary
        What the data dictionary says; empty where there is none.
    answer : callable
        Takes a `Question`, returns one of its options.

    Returns
    -------
    str
        Fields that nothing was answered for are left out; tables whose columns have our own names are taken.

    Raises
    ------
    InputError
        If neither patients nor scores of pain were found.
    """
    export = _Export(rows, said, answer)
    lines = ["# Which column of the REDCap export is which of ours, as it was answered; correct it by hand."]
    identifier = export.column("number by which scans and recordings know the patient", export.number())
    lines += ["", "[patients]", f"identifier = {_quoted(identifier or export.header[0])}"]
    events = export.events()
    if events:
        lines += ["", "[events]", *events]
    people = list(export.fields_of_people())
    scores = list(export.scores(visits=bool(events)))
    if not people and not scores:
        raise InputError(
            "the REDCap export",
            "neither patients nor scores of pain were found in it",
            "name their columns when asked, or write a map by hand and give it with --map",
        )
    if people:
        lines += ["", f"[{PARTICIPANTS.name}]", *people]
    lines += scores
    for table in TABLES.values():
        if table in (PARTICIPANTS, PAIN):
            continue
        own = [
            _line(field, redcap_name(table, field), {redcap_code(choice): choice for choice in field.choices})
            for field in table.fields
            if field.name != RECORD and redcap_name(table, field) in export.header
        ]
        if own:
            lines += ["", f"[{table.name}]", *own]
    return "\n".join(lines) + "\n"


class _Export:
    """An export, what its dictionary says, and somebody to ask."""

    def __init__(self, rows: Sequence[ExportRow], said: Dictionary, answer: Answer) -> None:
        self.rows, self.said, self.answer = rows, said, answer
        self.header = tuple(rows[0][1])

    def column(self, what: str, proposed: str) -> str:
        """Ask for a column; empty where there is none."""
        question = Question(f"Which column holds the {what}?", self.header, proposed or NONE)
        return self._answered(question)

    def number(self) -> str:
        """Return the column that looks like a record number."""
        marked = [name for name in self.header if name in self.said.identifiers]
        for name in (*marked, *self.header):
            if _NUMBER_OF_PATIENT.search(name):
                return name
        return self.header[0]

    def events(self) -> list[str]:
        """Ask which visit each event is; lines of the map."""
        seen = dict.fromkeys(row.get(_EVENT, "") for _, row in self.rows)
        lines = []
        for event in filter(None, seen):
            words = re.sub(r"_arm_\d+$", "", event).replace("_", " ")
            day = day_of_visit(words)
            visit = "baseline" if day == 0 else f"day {day}" if day is not None else NONE
            visit = self._answered(Question(f"Which visit is the event {event} (e.g. day 5)?", (), visit))
            if visit:
                day = day_of_visit(visit)
                known = f", day = {day}" if day is not None else ""
                lines.append(f"{_quoted(event)} = {{ visit = {_quoted(visit)}{known} }}")
        return lines

    def fields_of_people(self) -> Iterator[str]:
        """Ask for each column of participants that is needed or seems to be there; lines of the map."""
        found = {field.name: self._looks_like(field) for field in PARTICIPANTS.fields}
        if found["onset_date"]:
            found.pop("duration_months", None)
        for field in PARTICIPANTS.fields:
            name = found.get(field.name)
            asked = field.name in _NEEDED and field.name in found
            if field.name == RECORD or not (name or asked):
                continue
            meant = field.description.rstrip(".")
            what = field.name if folded(meant) == field.name else f"{field.name} ({meant})"
            column = self.column(what, name or "")
            if not column:
                continue
            if field.name == "duration_months":
                yield _line(field, column, factor=self._months_in_one(column))
            else:
                yield _line(field, column, self._values(field, column))

    def scores(self, *, visits: bool) -> Iterator[str]:
        """Ask for the scores of pain: one column where events say the visit, else one for each visit."""
        field = PAIN.field("nrs")
        if visits or self._looks_like(PAIN.field("visit")):
            if column := self.column("pain score (0 to 10, or 0 to 100)", self._looks_like(field)):
                yield from ("", f"[{PAIN.name}]", _line(field, column, factor=self._share_of_ten(column)))
                for name in ("visit", "day"):
                    if own := self._looks_like(PAIN.field(name)):
                        yield f"{name} = {_quoted(own)}"
            return
        for column in self.header:
            visit = self._visit_of(column)
            if visit is None or not self._is_score(column):
                continue
            said = Question(
                f"{self._named(column)} is the pain score of which visit (e.g. day 5)?", (), visit
            )
            if answered := self._answered(said):
                day = day_of_visit(answered)
                yield from ("", f"[[{PAIN.name}]]", f"visit = {{ constant = {_quoted(answered)} }}")
                if day is not None:
                    yield f'day = {{ constant = "{day}" }}'
                yield _line(field, column, factor=self._share_of_ten(column))

    def _answered(self, question: Question) -> str:
        given = self.answer(question).strip()
        return "" if given in ("", NONE) else given

    def _named(self, column: str) -> str:
        label = self.said.texts.get(column, "")
        return f"{column} ({label})" if label else column

    def _looks_like(self, field: Field) -> str:
        """Return the column whose name or label is one of a field; the one of our own name first."""
        table = PAIN if field in PAIN.fields[1:] else PARTICIPANTS
        if redcap_name(table, field) in self.header:
            return redcap_name(table, field)
        for text_of in (lambda name: name, lambda name: self.said.texts.get(name, "")):
            for name in self.header:
                text = text_of(name)
                if text and column_of(text, [field.name]) == field.name:
                    return name
                if field.name == "duration_months" and _DURATION & _words(text) and not _infused(text):
                    return name
        return ""

    def _visit_of(self, column: str) -> str | None:
        for text in (column, self.said.texts.get(column, "")):
            if (visit := visit_in(text)) is not None:
                day = day_of_visit(visit)
                return "baseline" if day == 0 else f"day {day}"
        return None

    def _is_score(self, column: str) -> bool:
        numbers = [number for number in map(_number, self._cells(column)) if number is not None]
        described = _PAIN_WORDS & _words(f"{column} {self.said.texts.get(column, '')}")
        return bool(described and numbers) and min(numbers) >= 0 and max(numbers) <= 100

    def _share_of_ten(self, column: str) -> float:
        """Return what brings a score onto 0 to 10: .1 where label or values say that it ends at 100."""
        numbers = [number for number in map(_number, self._cells(column)) if number is not None]
        hundred = says_hundred(self.said.texts.get(column, column)) or max(numbers, default=0) > 10
        scale = Question(
            f"{self._named(column)} ends at 10 or at 100?", ("10", "100"), "100" if hundred else "10"
        )
        return 0.1 if self._answered(scale) == "100" else 1.0

    def _months_in_one(self, column: str) -> float:
        words = _words(f"{column} {self.said.texts.get(column, '')}")
        proposed = next((unit for unit, named in _UNIT_WORDS.items() if named & words), "months")
        unit = Question(f"{self._named(column)} is counted in which unit?", tuple(_MONTHS_IN), proposed)
        return _MONTHS_IN.get(self._answered(unit), 1.0)

    def _values(self, field: Field, column: str) -> dict[str, str]:
        """Ask what codes mean that neither the dictionary nor the word itself explains."""
        if field.type != "choice":
            return {}
        labels = self.said.labels.get(column, {})
        codes = list(labels) or list(dict.fromkeys(self._cells(column)))
        if len(codes) > _MOST_CODES:
            raise InputError("the map", f"{column} holds text, no choice", "name another column, or none")
        values = {}
        for code in codes:
            meant = _meant(field, labels.get(code, code)) or ("" if code in labels else _meant(field, code))
            text = f"{code} ({labels[code]})" if code in labels else code
            question = Question(f"{column}: {text} means which?", tuple(field.choices), meant or NONE)
            if answered := meant or self._answered(question):
                values[code] = answered
        return values

    def _cells(self, column: str) -> list[str]:
        return [row[column] for _, row in self.rows if row[column].lower() not in MISSING]


def _words(text: str) -> frozenset[str]:
    """Return the words of a name or label; parts of words are other words (vas in vascular)."""
    return frozenset(re.findall(r"[a-z]+", folded(text)))


def _infused(text: str) -> bool:
    return any(word.startswith("infus") for word in _words(text))


def _meant(field: Field, text: str) -> str:
    """Return the choice that a word or a label stands for; empty where it is not known."""
    for choice, described in field.choices.items():
        if folded(text) in (folded(choice), folded(described)):
            return choice
    return meaning(field.name, text) or ""


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _line(field: Field, column: str, values: Mapping[str, str] | None = None, *, factor: float = 1.0) -> str:
    changed = {code: value for code, value in (values or {}).items() if code != value}
    if not changed and factor == 1.0:
        return f"{field.name} = {_quoted(column)}"
    parts = [f"column = {_quoted(column)}"]
    if factor != 1.0:
        parts.append(f"factor = {factor:.6g}")
    if changed:
        given = ", ".join(f"{_quoted(code)} = {_quoted(value)}" for code, value in (values or {}).items())
        parts.append(f"values = {{ {given} }}")
    return f"{field.name} = {{ {', '.join(parts)} }}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
