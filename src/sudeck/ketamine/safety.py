"""What a record of safety says: liver values by multiples of the upper limit, harms that were published.

Grades are those of the common terminology criteria for adverse events. Nothing here says that a course may go
on or must stop: rules for that are the centre's own and stand in its sudeck.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sudeck.core.estimate import Estimate
from sudeck.core.record import Record
from sudeck.statistics.proportion import proportion

# Multiples of the upper limit of normal above which grades 1 to 4 begin.
LIVER_GRADES: Final = {
    "ALT": (1.0, 3.0, 5.0, 20.0),
    "AST": (1.0, 3.0, 5.0, 20.0),
    "ALP": (1.0, 2.5, 5.0, 20.0),
    "GGT": (1.0, 2.5, 5.0, 20.0),
    "bilirubin": (1.0, 1.5, 3.0, 10.0),
}
LIVER_SOURCE: Final = "common terminology criteria for adverse events, as printed in PMC8807695, table 3"
MONITORING: Final = (
    "transaminases (ALT, AST)",
    "gamma-glutamyl transferase",
    "alkaline phosphatase",
    "bilirubin",
    "renal function",
    "cells in urine",
)
MONITORING_SOURCE: Final = (
    "ANSM, 30 August 2023, quoted by others: what to follow under repeated or long treatment, which is not "
    "to be prolonged; whether to stop is to be considered where a value is disturbed; off-label"
)


@dataclass(frozen=True, slots=True)
class PublishedHarm(Record):
    """How many had a harm in a published series.

    Attributes
    ----------
    effect, regimen : str
    having, of : int
        Patients.
    source, read : str
    """

    effect: str
    regimen: str
    having: int
    of: int
    source: str
    read: str

    @property
    def share(self) -> Estimate:
        """The share with its exact interval."""
        found = proportion(self.effect, self.having, self.of, method="exact")
        assert found is not None
        return found


# Series whose numbers of patients were printed in what was read; shares without them are left out.
PUBLISHED_HARMS: Final = (
    PublishedHarm(
        "liver enzymes at three times the limit or more",
        "S-ketamine, two courses of 100 h at 10 to 20 mg/h, 16 days apart",
        3,
        6,
        "Noppers et al. 2011, Pain 152:2173",
        "abstract",
    ),
    PublishedHarm(
        "liver values abnormal within a day",
        "ketamine, 4 h a day on 7 to 10 days, with boosters",
        0,
        52,
        "Lee et al. 2025, Pain Physician 28:E255",
        "abstract, cut off",
    ),
    PublishedHarm(
        "any adverse event at one week",
        "ketamine in 30 French clinics, one procedure",
        108,
        218,
        "Corriger et al. 2022, Pain 163:690",
        "abstract",
    ),
)


def liver_grade(test: str, value: float, upper_limit: float) -> int:
    """Return the grade of a liver value, 0 to 4, by multiples of the laboratory's own upper limit.

    Where the first value was abnormal already, newer criteria grade multiples of that instead: not done here.

    Examples
    --------
    >>> liver_grade("ALT", 130.0, 40.0), liver_grade("bilirubin", 17.0, 17.0)
    (2, 0)
    """
    return sum(value > bound * upper_limit for bound in LIVER_GRADES[test])
