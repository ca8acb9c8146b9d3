"""How long relief lasts and what it costs: responders at every visit, time to its loss, adverse effects.

Time to loss of response is Kaplan & Meier's estimate (1958, J Am Stat Assoc 53:457-481) from SciPy, with
log-log intervals. A loss is known only from the visit at which it is found, so that times are late rather
than early. Counts have exact intervals (Clopper & Pearson 1934).
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from sudeck.core.estimate import Estimate
from sudeck.core.record import Record
from sudeck.statistics.proportion import proportion
from sudeck.study.answers.outcomes import CohortOutcomes, PatientOutcome
from sudeck.study.answers.treatment.treatment_words import treatment_words
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.tables import Row, StudyTables

_KETAMINES: Final = ("ketamine", "esketamine", "arketamine")
_ROUNDING: Final = 1e-9
_PAUSE_DAYS: Final = 7  # between infusions of one course there is less


@dataclass(frozen=True, slots=True)
class VisitResponse(Record):
    """Who responds at one visit.

    Attributes
    ----------
    visit : str
    known, responders : int
        Patients with relief at the visit, and those of them at or above the bound of the rule.
    lost : int
        Patients with pain before treatment and no score at the visit.
    share : Estimate or None
        Of those known.
    """

    visit: str
    known: int
    responders: int
    lost: int
    share: Estimate | None


@dataclass(frozen=True, slots=True)
class Lasting(Record):
    """How long response lasts in those who responded.

    Attributes
    ----------
    responders : int
        Followed beyond the visit of the rule.
    not_followed : int
        Responders without any later score.
    losses, retreated : int
        Ends of response, and those of them that were another course of ketamine.
    still : tuple of Estimate
        Share that still responds so many days after the visit of the rule, at each later visit.
    median_days : float or None
        None where fewer than half lost it.
    """

    responders: int
    not_followed: int
    losses: int
    retreated: int
    still: tuple[Estimate, ...]
    median_days: float | None


@dataclass(frozen=True)
class AfterTreatment(Record):
    """What came of treatment beyond the visit that decides.

    Attributes
    ----------
    visits : tuple of VisitResponse
    lasting : Lasting or None
        None where nobody was followed.
    effects : tuple of Estimate
        Share of treated patients with each adverse effect, most frequent first; then with a serious one, and
        with treatment stopped. Empty where no adverse effect was recorded.
    treated : int
        Patients with ketamine in treatment.tsv.
    treatment : str
        What was given, in words; empty where nothing is recorded.
    """

    visits: tuple[VisitResponse, ...]
    lasting: Lasting | None
    effects: tuple[Estimate, ...]
    treated: int
    treatment: str


def after_treatment(tables: StudyTables, outcomes: CohortOutcomes, settings: Settings) -> AfterTreatment:
    """Say how long relief lasted, and what adverse effects there were.

    Parameters
    ----------
    tables : StudyTables
    outcomes : CohortOutcomes
    settings : Settings
        Its responder rule is applied at every visit.
    """
    enrolled = {one.patient for one in outcomes.patients}
    given = [
        row
        for row in tables["treatment"].rows
        if row["drug"] in _KETAMINES and row["participant_id"] in enrolled
    ]
    treated = {str(row["participant_id"]) for row in given}
    return AfterTreatment(
        tuple(_visit(visit, outcomes.patients, settings) for visit in settings.visits[1:]),
        _lasting(outcomes.patients, given, settings),
        _effects(tables["adverse_effects"].rows, treated, settings.level),
        len(treated),
        treatment_words(tables, sorted(enrolled), model=settings.ketamine_model),
    )


def _responds(one: PatientOutcome, visit: str, settings: Settings) -> bool | None:
    at = one.visits[visit]
    relief = at.relief_percent if settings.responder.unit == "percent" else at.relief_points
    return None if relief is None else relief >= settings.responder.at_least - _ROUNDING


def _visit(visit: str, patients: Sequence[PatientOutcome], settings: Settings) -> VisitResponse:
    answers = [answer for one in patients if (answer := _responds(one, visit, settings)) is not None]
    lost = sum(one.baseline is not None and one.visits[visit].score is None for one in patients)
    share = proportion(visit, sum(answers), len(answers), level=settings.level, method="exact")
    return VisitResponse(visit, len(answers), sum(answers), lost, share)


def _lasting(patients: Sequence[PatientOutcome], given: Sequence[Row], settings: Settings) -> Lasting | None:
    courses: dict[str, list[int]] = {}
    for row in given:
        if isinstance(row["day"], int):
            courses.setdefault(str(row["participant_id"]), []).append(row["day"])
    times, lost, retreated, idle = [], [], 0, 0
    for one in patients:
        if not one.responder or (start := one.visits[settings.responder.visit].day) is None:
            continue
        ends, seen = [], []
        for visit, at in one.visits.items():
            if at.day is None or at.day <= start or (answer := _responds(one, visit, settings)) is None:
                continue
            seen.append(at.day - start)
            if not answer:
                ends.append(at.day - start)
        again = [day - start for day in _new_courses(courses.get(one.patient, ())) if day > start]
        if not seen and not again:
            idle += 1
            continue
        first = min([*ends, *again], default=None)
        retreated += bool(again) and first == min(again)
        times.append(max(seen) if first is None else first)
        lost.append(first is not None)
    if not times:
        return None
    shown = _later_days(patients, settings)
    still, median = _kaplan_meier(np.array(times, dtype=np.float64), np.array(lost), shown, settings.level)
    return Lasting(len(times), idle, sum(lost), retreated, still, median)


def _new_courses(days: Sequence[int]) -> list[int]:
    """Return the days on which ketamine began again after a pause; one course may last beyond the visit."""
    ordered = sorted(days)
    return [day for before, day in pairwise(ordered) if day - before > _PAUSE_DAYS]


def _later_days(patients: Sequence[PatientOutcome], settings: Settings) -> Mapping[str, float]:
    """Return how long after the visit of the rule each later visit usually was, in days."""
    days = {}
    for visit in settings.visits[1:]:
        gaps = [
            at - start
            for one in patients
            if (at := one.visits[visit].day) is not None
            and (start := one.visits[settings.responder.visit].day) is not None
        ]
        if gaps and (middle := statistics.median(gaps)) > 0:
            days[visit] = float(middle)
    return days


def _kaplan_meier(
    times: np.ndarray, lost: np.ndarray, days: Mapping[str, float], level: float
) -> tuple[tuple[Estimate, ...], float | None]:
    from warnings import catch_warnings, simplefilter

    from scipy.stats import CensoredData, ecdf

    with catch_warnings(), np.errstate(all="ignore"):
        simplefilter("ignore")  # bounds of a share of 0 or 1, which are taken from counts below
        curve: Any = ecdf(CensoredData.right_censored(times, ~lost)).sf
        bounds: Any = curve.confidence_interval(level, method="log-log")
    still = []
    for visit, day in days.items():
        at = np.array([day])
        share, low, high = (float(one.evaluate(at)[0]) for one in (curve, bounds.low, bounds.high))
        followed = int((times >= day).sum())
        if not (np.isfinite(low) and np.isfinite(high)) or share in (0.0, 1.0):
            exact = proportion(visit, round(share) * followed, followed, level=level, method="exact")
            low, high = (0.0, 1.0) if exact is None else (exact.low, exact.high)
        still.append(
            Estimate(
                visit,
                share,
                min(low, share),
                max(high, share),
                level=level,
                method=f"Kaplan-Meier, {day:g} days on",
                n=followed,
                n_unit="responders still followed",
            )
        )
    gone = curve.quantiles[curve.probabilities <= 0.5]
    return tuple(still), float(gone[0]) if len(gone) else None


def _effects(rows: Sequence[Row], treated: set[str], level: float) -> tuple[Estimate, ...]:
    """Count patients, not events: who had an effect twice had it."""
    having: dict[str, set[str]] = {}
    serious, stopped = set(), set()
    for row in rows:
        patient, effect = row["participant_id"], row["effect"]
        if patient not in treated or not isinstance(effect, str):
            continue
        having.setdefault(effect.strip().lower(), set()).add(str(patient))
        if row["serious"] == "yes":
            serious.add(str(patient))
        if row["action"] == "stopped":
            stopped.add(str(patient))
    if not having:
        return ()
    ordered = sorted(having.items(), key=lambda item: (-len(item[1]), item[0]))
    counted = [*ordered, ("serious, of any kind", serious), ("ketamine stopped", stopped)]
    shares = [
        proportion(name, len(patients), len(treated), level=level, method="exact")
        for name, patients in counted
    ]
    return tuple(share for share in shares if share is not None)
