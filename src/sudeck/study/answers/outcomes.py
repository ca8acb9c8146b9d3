"""Relief, responders and follow-up, from the pain scores as they are: what is missing stays missing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import normal_quantile
from sudeck.core.record import Record
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.stated_rules import ResponderRule
from sudeck.study.folder.tables import ReadTable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ReliableChange(Record):
    """From which change on a score has changed beyond its error, after Jacobson and Truax 1991.

    The difference of two scores has the standard error sqrt(2) times that of one score.

    Attributes
    ----------
    points : float
        Least change that is reliable, in points of the scale.
    error_sd : float
        Standard error of one score, in points.
    level : float
        Level of the change: 0.95 for 1.96 standard errors.
    source : str
        Where the error comes from.
    """

    points: float
    error_sd: float
    level: float
    source: str

    def __str__(self) -> str:
        return f"a change of {self.points:.2g} points or more is reliable ({self.source})"


@dataclass(frozen=True, slots=True)
class VisitOutcome(Record):
    """One patient at one visit.

    Attributes
    ----------
    score : float or None
        Pain at the visit, 0 to 10; None where no score was taken.
    day : float or None
        Day of the study.
    relief_points, relief_percent : float or None
        Baseline minus score, and that in per cent of baseline; None where a score is missing, and in per cent
        where baseline is zero.
    reliable : bool or None
        Whether the change, either way, is beyond the error of the scores; None where unknown.
    missing : str
        Why relief is missing; empty where it is not.
    """

    score: float | None
    day: float | None
    relief_points: float | None
    relief_percent: float | None
    reliable: bool | None
    missing: str = ""


@dataclass(frozen=True)
class PatientOutcome:
    """The course of one patient.

    Attributes
    ----------
    patient : str
    baseline : float or None
        Score at baseline; the mean where it was taken more than once.
    visits : Mapping of str to VisitOutcome
        Every visit the study names after baseline.
    responder : bool or None
        By the rule of the study; None where the score at its visit or at baseline is missing.
    follow_up_days : float or None
        Days from baseline to the last score; None without both.
    """

    patient: str
    baseline: float | None
    visits: Mapping[str, VisitOutcome]
    responder: bool | None
    follow_up_days: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "baseline": self.baseline,
            "visits": {visit: outcome.to_dict() for visit, outcome in self.visits.items()},
            "responder": self.responder,
            "follow_up_days": self.follow_up_days,
        }


@dataclass(frozen=True)
class CohortOutcomes:
    """The outcomes of a study.

    Attributes
    ----------
    patients : tuple of PatientOutcome
        In the order of the participants.
    rule : ResponderRule
    reliable_change : ReliableChange or None
        None where the error of the scores is not known, and then why stands in `remarks`.
    remarks : tuple of str
        Sentences for the report.
    """

    patients: tuple[PatientOutcome, ...]
    rule: ResponderRule
    reliable_change: ReliableChange | None
    remarks: tuple[str, ...] = field(default=())

    def share_of_responders(self, *, level: float = 0.95) -> Estimate:
        """Return the share of responders among patients with an outcome, with its Wilson interval (1927).

        Raises
        ------
        InputError
            If no patient has an outcome.
        """
        known = [patient.responder for patient in self.patients if patient.responder is not None]
        n = len(known)
        if n == 0:
            raise InputError(
                "pain scores",
                f"no patient has a score both at baseline and at {self.rule.visit}",
                "fill in phenotype/pain.tsv",
            )
        share = sum(known) / n
        z = normal_quantile(level)
        centre = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        low, high = max(0.0, centre - half), min(1.0, centre + half)
        return Estimate(
            "responders",
            share,
            min(low, share),
            max(high, share),
            level=level,
            method=f"{self.rule}; Wilson interval",
            n=n,
            n_unit="patients",
        )

    def frame(self) -> pd.DataFrame:
        """Return one row a patient: relief at the visit of the rule, responder, and relief at every visit.

        Missing values are NaN. ``relief_points``, ``relief_percent`` and ``responder`` (1 or 0) are at the
        visit of the responder rule; every visit has ``relief_points_at_<visit>`` and so on.
        """
        import pandas as pd

        rows = []
        for patient in self.patients:
            at_rule = patient.visits[self.rule.visit]
            row: dict[str, Any] = {
                "participant_id": patient.patient,
                "baseline_nrs": patient.baseline,
                "relief_points": at_rule.relief_points,
                "relief_percent": at_rule.relief_percent,
                "responder": None if patient.responder is None else float(patient.responder),
                "follow_up_days": patient.follow_up_days,
            }
            for visit, outcome in patient.visits.items():
                name = visit.replace(" ", "_")
                row[f"nrs_at_{name}"] = outcome.score
                row[f"relief_points_at_{name}"] = outcome.relief_points
                row[f"relief_percent_at_{name}"] = outcome.relief_percent
            rows.append(row)
        frame = pd.DataFrame(rows)
        numeric = [column for column in frame.columns if column != "participant_id"]
        return frame.astype(dict.fromkeys(numeric, "float64"))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "rule": str(self.rule),
            "reliable_change": None if self.reliable_change is None else self.reliable_change.to_dict(),
            "remarks": list(self.remarks),
            "patients": {patient.patient: patient.to_dict() for patient in self.patients},
        }

    def __str__(self) -> str:
        known = [patient.responder for patient in self.patients if patient.responder is not None]
        lines = [f"{sum(known)} of {len(known)} patients respond ({self.rule})"]
        without = len(self.patients) - len(known)
        if without:
            lines.append(f"{without} without an outcome")
        return "\n".join([*lines, *self.remarks])


def measure_outcomes(
    pain: ReadTable, settings: Settings, *, patients: Sequence[str] | None = None
) -> CohortOutcomes:
    """Turn pain scores into relief, responders and follow-up.

    Scores of one patient at one visit on several days count as their mean. Nothing is imputed.

    Parameters
    ----------
    pain : ReadTable
        The pain table.
    settings : Settings
        Which visits count and who is a responder.
    patients : sequence of str, optional
        All patients of the study, so that one without any score is shown; those of the table unless given.
    """
    scores: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for row in pain.rows:
        patient, visit, day, nrs = (row[name] for name in ("participant_id", "visit", "day", "nrs"))
        if isinstance(patient, str) and isinstance(visit, str) and isinstance(nrs, int | float):
            scores[patient, visit].append((float(day) if isinstance(day, int) else math.nan, float(nrs)))
    named = patients
    if named is None:
        named = tuple(dict.fromkeys(str(row["participant_id"]) for row in pain.rows if row["participant_id"]))
    reliable, remarks = _reliable_change(scores, settings)
    outcomes = tuple(_patient(name, scores, settings, reliable) for name in named)
    without = [outcome.patient for outcome in outcomes if outcome.responder is None]
    if without:
        remarks = (*remarks, f"Without an outcome by the rule: {', '.join(without)}.")
    painless = [outcome.patient for outcome in outcomes if outcome.baseline == 0]
    if painless:
        remarks = (*remarks, f"No pain at baseline, so no relief in per cent: {', '.join(painless)}.")
    return CohortOutcomes(outcomes, settings.responder, reliable, remarks)


def _patient(
    name: str,
    scores: Mapping[tuple[str, str], Sequence[tuple[float, float]]],
    settings: Settings,
    reliable: ReliableChange | None,
) -> PatientOutcome:
    baseline = _mean(scores.get((name, settings.baseline), ()))
    visits = {
        visit: _visit(_mean(scores.get((name, visit), ())), baseline, visit, settings, reliable)
        for visit in settings.visits
        if visit != settings.baseline
    }
    at_rule = visits[settings.responder.visit]
    relief = at_rule.relief_percent if settings.responder.unit == "percent" else at_rule.relief_points
    # Relief of exactly the limit counts; 30 % of 7 is 2.1 only up to rounding.
    responder = None if relief is None else relief >= settings.responder.at_least - 1e-9
    days = [day for (owner, _), taken in scores.items() if owner == name for day, _ in taken]
    days = [day for day in days if not math.isnan(day)]
    start = None if baseline is None or math.isnan(baseline[0]) else baseline[0]
    follow_up = None if start is None or not days else max(days) - start
    return PatientOutcome(name, None if baseline is None else baseline[1], visits, responder, follow_up)


def _visit(
    taken: tuple[float, float] | None,
    baseline: tuple[float, float] | None,
    visit: str,
    settings: Settings,
    reliable: ReliableChange | None,
) -> VisitOutcome:
    day = None if taken is None or math.isnan(taken[0]) else taken[0]
    score = None if taken is None else taken[1]
    if score is None or baseline is None:
        absent = [name for name, it in ((settings.baseline, baseline), (visit, taken)) if it is None]
        return VisitOutcome(score, day, None, None, None, f"no score at {' and at '.join(absent)}")
    points = baseline[1] - score
    beyond = None if reliable is None else abs(points) >= reliable.points
    if baseline[1] == 0:
        return VisitOutcome(score, day, points, None, beyond, "no pain at baseline, so no per cent of it")
    return VisitOutcome(score, day, points, 100 * points / baseline[1], beyond)


def _mean(taken: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    if not taken:
        return None
    return sum(day for day, _ in taken) / len(taken), sum(score for _, score in taken) / len(taken)


def _reliable_change(
    scores: Mapping[tuple[str, str], Sequence[tuple[float, float]]], settings: Settings
) -> tuple[ReliableChange | None, tuple[str, ...]]:
    """Return the least reliable change from the stated reliability, or from repeated baseline scores."""
    baselines = [
        [nrs for _, nrs in taken] for (_, visit), taken in scores.items() if visit == settings.baseline
    ]
    if settings.pain_reliability is not None:
        means = [sum(values) / len(values) for values in baselines]
        if len(means) < 3:
            return None, ("Reliable change: too few baseline scores for their spread.",)
        centre = sum(means) / len(means)
        spread = math.sqrt(sum((value - centre) ** 2 for value in means) / (len(means) - 1))
        error = spread * math.sqrt(1 - settings.pain_reliability)
        source = f"stated reliability {settings.pain_reliability:g}"
    else:
        repeated = [values for values in baselines if len(values) > 1]
        degrees = sum(len(values) - 1 for values in repeated)
        if degrees < 5:
            reason = (
                "Reliable change is not judged: no reliability is stated and too few baselines are repeated."
            )
            return None, (reason,)
        within = sum(sum((x - sum(v) / len(v)) ** 2 for x in v) for v in repeated)
        error = math.sqrt(within / degrees)
        source = f"repeated baseline scores, {degrees} degrees of freedom"
    z = normal_quantile(settings.level)
    return ReliableChange(z * math.sqrt(2) * error, error, settings.level, source), ()
