"""What a table of a study and a field of it are, and how one cell of text becomes a typed value."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from sudeck.core.errors import InputError
from sudeck.core.missing import MISSING
from sudeck.study.folder.dialect.wordings import day_first, meaning, pseudonym_of

FieldType = Literal["text", "identifier", "integer", "number", "date", "time", "choice", "yes-no"]
Value = str | int | float | date | None

_YES: Final = frozenset({"yes", "y", "1", "true", "oui", "o", "ja", "j", "sí", "si", "s"})
_NO: Final = frozenset({"no", "n", "0", "false", "non", "nein", "nee"})
_CLOCK: Final = re.compile(r"(\d{1,2})(?:[:h.](\d{2})(?::\d{2}(?:\.0+)?)?|h)")
_IDENTIFIER: Final = re.compile(r"(sub|ses)-[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a study table.

    Attributes
    ----------
    name : str
        Name of the column, in snake case.
    type : {"text", "identifier", "integer", "number", "date", "time", "choice", "yes-no"}
        An identifier is ``sub-`` or ``ses-`` and letters or digits, as in BIDS; a date is ISO 8601, a time
        of 24 hours ``HH:MM``.
    description : str
        One sentence for the person who fills it in.
    unit : str
        Unit of a number; empty where it has none.
    choices : Mapping of str to str
        Allowed values and what each means, for a choice.
    low, high : float or None
        Allowed range of a number, ends included.
    required : bool
        Whether an empty cell is a problem.
    """

    name: str
    type: FieldType
    description: str
    unit: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    required: bool = False

    @property
    def allowed(self) -> str:
        """The allowed values in words; empty where everything of the type is allowed.

        Examples
        --------
        >>> Field("nrs", "number", "Pain.", low=0, high=10).allowed
        '0 to 10'
        """
        if self.choices:
            return ", ".join(self.choices)
        if self.type == "yes-no":
            return "yes, no"
        if self.type == "date":
            return "YYYY-MM-DD"
        if self.type == "time":
            return "HH:MM"
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{self.low:g} or more"
        return "" if self.high is None else f"{self.high:g} or less"

    def parse(self, text: str) -> Value:
        """Turn the text of a cell into a value; ``None`` for an empty cell.

        Raises
        ------
        ValueError
            If the text is not allowed here; the message says what is, and does not repeat the text.
        """
        text = text.strip()
        if text.lower() in MISSING:
            return None
        if self.type in ("integer", "number"):
            return self._number(text)
        if self.type == "date":
            return _date(text)
        if self.type == "time":
            return _clock(text)
        if self.type == "yes-no":
            return _yes_or_no(text)
        if self.type == "choice":
            return self._choice(text)
        if self.type == "identifier" and not _IDENTIFIER.fullmatch(text):
            whole = pseudonym_of(text) if self.name == "participant_id" else None
            if whole is not None:
                return whole
            raise ValueError("is not sub- or ses- followed by letters and digits")
        return text

    def _number(self, text: str) -> int | float:
        # The unit, or the end of the scale, is often typed behind: 80 kg, 7/10.
        for behind in filter(None, (self.unit, "" if self.high is None else f"/{self.high:g}")):
            text = text.removesuffix(behind).rstrip()
        try:
            # A comma is how half of Europe writes a decimal point.
            number = float(text.replace(",", ".")) if text.count(",") <= 1 else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError("is not a number")
        if self.type == "integer" and number != int(number):
            raise ValueError("is not a whole number")
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise ValueError(f"is outside {self.allowed}{f' {self.unit}' if self.unit else ''}")
        return int(number) if self.type == "integer" else number

    def _choice(self, text: str) -> str:
        for choice in self.choices:
            if choice.lower() == text.lower():
                return choice
        known = meaning(self.name, text)
        if known is not None and known in self.choices:
            return known
        raise ValueError(f"is none of {self.allowed}")

    def to_dict(self) -> dict[str, Any]:
        """Return the description of the column as a BIDS sidecar holds it."""
        entry: dict[str, Any] = {"Description": self.description}
        if self.unit:
            entry["Units"] = self.unit
        if self.choices:
            entry["Levels"] = dict(self.choices)
        if self.type == "yes-no":
            entry["Levels"] = {"yes": "yes", "no": "no"}
        if self.low is not None:
            entry["Minimum"] = self.low
        if self.high is not None:
            entry["Maximum"] = self.high
        if self.required:
            entry["RequirementLevel"] = "required"
        return entry


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the study.

    Attributes
    ----------
    name : str
        Its name, and that of its file.
    path : str
        Where it lies in the study folder.
    description : str
        One sentence.
    fields : tuple of Field
        Columns, in order.
    key : tuple of str
        Columns that together name a row; no two rows share them.
    numbers : tuple of str
        Columns of the key that tell repeats apart. Where they are all empty, a row that says something else
        than its twin is another of its kind and not a contradiction, and is told.
    optional : bool
        Whether a study may do without the file.
    """

    name: str
    path: str
    description: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    optional: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(one.name for one in self.fields)

    def field(self, name: str) -> Field:
        """Return the field of that name.

        Raises
        ------
        InputError
            If the table has no such column.
        """
        for one in self.fields:
            if one.name == name:
                return one
        raise InputError(
            f"column {name}", f"the table {self.name} has none", f"use one of {', '.join(self.columns)}"
        )

    def sidecar(self) -> dict[str, Any]:
        """Return the JSON sidecar of the table, as BIDS asks for it."""
        return {one.name: one.to_dict() for one in self.fields}


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        found = day_first(text)
    if found is None:
        raise ValueError("is not a date written YYYY-MM-DD")
    return found


def _clock(text: str) -> str:
    """Return a time of day as HH:MM; 9h30, 9.30 and 09:30:00 mean the same."""
    found = _CLOCK.fullmatch(text)
    if found is None or int(found[1]) > 23 or int(found[2] or 0) > 59:
        raise ValueError("is not a time of day written HH:MM, 24 hours")
    return f"{int(found[1]):02d}:{int(found[2] or 0):02d}"


def hours_of(clock: str) -> float:
    """Return a time of day as hours since midnight.

    Examples
    --------
    >>> hours_of("09:30")
    9.5
    """
    hours, _, minutes = clock.partition(":")
    return int(hours) + int(minutes) / 60


def _yes_or_no(text: str) -> str:
    if text.lower() in _YES:
        return "yes"
    if text.lower() in _NO:
        return "no"
    raise ValueError("is neither yes nor no")
