"""What a record says was given and when a patient was recorded: the rows every other part starts from."""

from __future__ import annotations

from dataclasses import dataclass

from sudeck.core.errors import InputError
from sudeck.ketamine.units import KETAMINES, base_mg


@dataclass(frozen=True, slots=True)
class GivenDose:
    """One row of a record of treatment: an infusion, a step of its rate, a bolus or a tablet.

    Attributes
    ----------
    patient : str
    day : int
        Day of the study; day 1 is that of the first infusion.
    drug : str
    dose_mg : float or None
        As stated, in the stated form.
    form : str or None
        ``base``, ``hydrochloride`` or ``other``.
    duration_h : float or None
        0 for a bolus.
    route : str or None
    start_h : float or None
        Clock time it began, in hours since midnight.
    infusion : int or None
    planned_mg : float or None
    stopped_early : bool or None
    line : int or None
        Of the table it comes from.
    """

    patient: str
    day: int
    drug: str
    dose_mg: float | None = None
    form: str | None = None
    duration_h: float | None = None
    route: str | None = None
    start_h: float | None = None
    infusion: int | None = None
    planned_mg: float | None = None
    stopped_early: bool | None = None
    line: int | None = None

    @property
    def is_ketamine(self) -> bool:
        """Whether the drug is ketamine in any form."""
        return self.drug in KETAMINES

    @property
    def base_mg(self) -> float | None:
        """The dose as base; None where it is not stated, or the salt is not known."""
        if self.dose_mg is None:
            return None
        try:
            return base_mg(self.dose_mg, self.form if self.is_ketamine else None)
        except InputError:
            return None

    @property
    def begins_h(self) -> float | None:
        """Hours from midnight before day 1 to its start; None where the clock time is not known."""
        return None if self.start_h is None else 24.0 * (self.day - 1) + self.start_h

    @property
    def ends_h(self) -> float | None:
        """The same to its end; a duration that is not known counts as none."""
        return None if self.begins_h is None else self.begins_h + (self.duration_h or 0.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a patient was recorded or asked.

    Attributes
    ----------
    patient : str
    name : str
        Session or visit.
    day : int
    clock_h : float or None
        Hours since midnight.
    line : int or None
        Of the table it comes from.
    """

    patient: str
    name: str
    day: int
    clock_h: float | None = None
    line: int | None = None

    @property
    def at_h(self) -> float | None:
        """Hours from midnight before day 1; None where the clock time is not known."""
        return None if self.clock_h is None else 24.0 * (self.day - 1) + self.clock_h
