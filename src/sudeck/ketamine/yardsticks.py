"""The published regimens at one weight, to hold a centre's own courses against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sudeck.core.record import Record
from sudeck.ketamine.exposure import CourseCurve, course_curve, typical_area
from sudeck.ketamine.published_regimens import PUBLISHED
from sudeck.ketamine.units import S_SHARE

_YARDSTICK_KG: Final = 70.0


@dataclass(frozen=True, slots=True)
class Yardstick(Record):
    """A published regimen at 70 kg, in a typical person of the default model.

    Attributes
    ----------
    key, title, drug, source, read : str
    total_mg, hours, area : float
        mg of base, hours, mg h/L of what was given.
    s_area : float
        The same of S-ketamine, half of a racemate: the one way to hold both beside each other.
    """

    key: str
    title: str
    drug: str
    source: str
    read: str
    total_mg: float
    hours: float
    area: float
    s_area: float


def yardsticks() -> tuple[Yardstick, ...]:
    """Return the published regimens at 70 kg."""
    found = []
    for one in PUBLISHED:
        course = one.for_weight(_YARDSTICK_KG)
        area = typical_area(course, _YARDSTICK_KG)
        found.append(
            Yardstick(
                one.key,
                one.title,
                one.drug,
                one.source,
                one.read,
                course.total_mg,
                course.hours,
                area,
                area * S_SHARE[one.drug],
            )
        )
    return tuple(found)


def backdrop() -> tuple[CourseCurve, ...]:
    """Return the curves of the published regimens at 70 kg, in hours since the first dose, without a band."""
    found = []
    for one in PUBLISHED:
        course = one.for_weight(_YARDSTICK_KG)
        curve = course_curve(course, _YARDSTICK_KG, draws=0, step_h=2.0)
        found.append(replace(curve, times_h=curve.times_h - course.doses[0].start_h))
    return tuple(found)
