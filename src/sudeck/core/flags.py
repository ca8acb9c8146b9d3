"""Quality flags: a finding with its number and its limit. Flags inform; they never delete data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sudeck.core.record import Record

Severity = Literal["info", "caution", "serious"]


@dataclass(frozen=True, slots=True)
class Flag(Record):
    """One finding about the quality of a measurement.

    Attributes
    ----------
    code : str
        Stable machine name in kebab-case, e.g. ``"limb-cut-by-field"``.
    message : str
        One sentence for a person, with the number in it.
    severity : {"info", "caution", "serious"}
        How much the finding should weigh in the reader's trust.
    subject : str
        What it concerns: a phase (``"bone"``), a condition, a trial, a file label; may be empty.
    value, limit : float or None
        The number found and the limit it was held against.
    unit : str
        Unit of both.

    Examples
    --------
    >>> print(Flag("low-counts", "The bone phase holds 80 k counts, below 300 k.", "caution", "bone"))
    caution: The bone phase holds 80 k counts, below 300 k.
    """

    code: str
    message: str
    severity: Severity = "caution"
    subject: str = ""
    value: float | None = None
    limit: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.severity}: {self.message}"
