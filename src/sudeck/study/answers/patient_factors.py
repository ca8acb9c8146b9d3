"""One row a patient for `sudeck explain`: relief, and what else could have moved the measures.

Midazolam deepens SICI by itself, a higher dose or a fresher infusion may do more: such factors are there to
be declared as covariates in sudeck.toml, before the data are looked at.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.study.answers.outcomes import CohortOutcomes, measure_outcomes
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.tables import StudyTables

if TYPE_CHECKING:
    import pandas as pd

OUTCOME: Final = "relief"
KETAMINE: Final = ("ketamine", "esketamine", "arketamine")
MIDAZOLAM: Final = "midazolam"

# What can be declared, beside the numbers of participants.tsv; a column without a value is of no use.
FACTORS: Final = {
    "midazolam_mg": "Midazolam given up to the recording after treatment, in mg",
    "ketamine_mg": "Ketamine (any form) given up to the recording after treatment, in mg",
    "ketamine_mg_per_kg": "The same per kg of body weight",
    "days_since_infusion": "Days from the last ketamine to the recording after treatment",
    "baseline_nrs": "Pain before treatment",
    "age": "Age, in years",
    "duration_months": "Months from onset to the first visit",
    "weight_kg": "Body weight, in kg",
}


@dataclass(frozen=True)
class PatientFactors:
    """Relief and factors of each patient.

    Attributes
    ----------
    frame : DataFrame
        ``participant_id``, ``relief``, ``relief_se`` where the error of the pain score is known, `FACTORS`.
    unit : str
        Of relief: ``"%"`` of baseline pain, or ``"points"``, as in the responder rule.
    flags : tuple of Flag
    """

    frame: pd.DataFrame
    unit: str
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Declared:
    """Declared covariates that this study can carry.

    Attributes
    ----------
    reference : Mapping of str to float or "mean"
        Covariate and the value at which changes are stated.
    refused : Mapping of str to str
        The others, and why.
    """

    reference: Mapping[str, float | str]
    refused: Mapping[str, str]


def tabulate_factors(
    tables: StudyTables, settings: Settings, patients: Sequence[str], *, after: str | None
) -> PatientFactors:
    """Collect relief and factors of some patients.

    Parameters
    ----------
    tables : StudyTables
    settings : Settings
        Relief is counted at its end of treatment, in the unit of its responder rule.
    patients : sequence of str
    after : str or None
        Session after treatment: what was given later is not counted. None where there is none.
    """
    import pandas as pd

    outcomes = measure_outcomes(tables["pain"], settings, patients=patients)
    people = {row["participant_id"]: row for row in tables["participants"].rows}
    days = {
        row["participant_id"]: row["day"] for row in tables["sessions"].rows if row["session_id"] == after
    }
    given: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for treatment in tables["treatment"].rows:
        given[treatment["participant_id"]].append(treatment)
    reliefs = _reliefs(outcomes, settings)
    rows = []
    for patient, outcome in zip(patients, outcomes.patients, strict=True):
        person = people.get(patient, {})
        row: dict[str, Any] = {"participant_id": patient, **reliefs[patient]}
        row |= _treatment(given[patient], days.get(patient), person.get("weight_kg"))
        row["baseline_nrs"] = outcome.baseline
        row |= {name: person.get(name) for name in ("age", "duration_months", "weight_kg")}
        rows.append(row)
    frame = pd.DataFrame(rows, columns=["participant_id", OUTCOME, f"{OUTCOME}_se", *FACTORS])
    numbers = [name for name in frame.columns if name != "participant_id"]
    frame = frame.astype(dict.fromkeys(numbers, "float64"))
    if frame[f"{OUTCOME}_se"].isna().all():
        frame = frame.drop(columns=f"{OUTCOME}_se")
    unit = "%" if settings.responder.unit == "percent" else "points"
    return PatientFactors(frame, unit, _confounding(frame, settings.mechanism_covariates))


def declare(frame: pd.DataFrame, names: Iterable[str]) -> Declared:
    """Return the declared covariates that vary and are known; of the others, keep the reason.

    Changes are stated at the mean of a covariate; for midazolam at none, where some patients had none.
    """
    reference: dict[str, float | str] = {}
    refused: dict[str, str] = {}
    for name in names:
        subject = f"covariate {name}"
        if name not in FACTORS:
            refused[subject] = str(InputError(subject, "it is not known", f"use {', '.join(FACTORS)}"))
            continue
        known = frame[name].dropna()
        if known.empty:
            refused[subject] = str(InputError(subject, "no patient has a value", "fill in the tables"))
        elif known.max() <= known.min():
            refused[subject] = str(InputError(subject, "it does not vary", "leave it out"))
        else:
            without = name == "midazolam_mg" and known.min() == 0
            reference[name] = 0.0 if without else "mean"
    return Declared(reference, refused)


def _reliefs(outcomes: CohortOutcomes, settings: Settings) -> dict[str, dict[str, float | None]]:
    """Return relief at the end of treatment and its standard error, by the delta method."""
    error = None if outcomes.reliable_change is None else outcomes.reliable_change.error_sd
    found = {}
    for patient in outcomes.patients:
        visit = patient.visits[settings.end]
        percent = settings.responder.unit == "percent"
        relief = visit.relief_percent if percent else visit.relief_points
        se = None
        if error is not None and relief is not None:
            se = math.sqrt(2) * error
            if percent and patient.baseline and visit.score is not None:
                # Relief is 100 (1 - score / baseline), both with the same error.
                se = 100 * error / patient.baseline * math.hypot(1.0, visit.score / patient.baseline)
        found[patient.patient] = {OUTCOME: relief, f"{OUTCOME}_se": se}
    return found


def _treatment(
    rows: Sequence[Mapping[str, Any]], recorded: object, weight_kg: object
) -> dict[str, float | None]:
    """Return doses and times of one patient; the table lists all that was given, so no row is no drug."""
    until = recorded if isinstance(recorded, int) else math.inf
    rows = [row for row in rows if isinstance(row["day"], int) and row["day"] <= until]
    if not rows:
        return {}
    ketamine = [row for row in rows if row["drug"] in KETAMINE]
    total = _sum_of_doses(ketamine)
    last = max((row["day"] for row in ketamine), default=None)
    weight = weight_kg if isinstance(weight_kg, int | float) and weight_kg > 0 else None
    return {
        "midazolam_mg": _sum_of_doses([row for row in rows if row["drug"] == MIDAZOLAM]),
        "ketamine_mg": total,
        "ketamine_mg_per_kg": None if total is None or weight is None else total / weight,
        "days_since_infusion": None if last is None or math.isinf(until) else until - last,
    }


def _sum_of_doses(rows: Iterable[Mapping[str, Any]]) -> float | None:
    """Return the sum of doses; None where a dose is not stated."""
    doses = [row["dose_mg"] for row in rows]
    return None if None in doses else float(sum(doses))


def _confounding(frame: pd.DataFrame, declared: Sequence[str]) -> tuple[Flag, ...]:
    """Flag midazolam that some patients had and nobody declared."""
    had = int((frame["midazolam_mg"] > 0).sum())
    if not had or "midazolam_mg" in declared:
        return ()
    text = (
        f"{had} of {len(frame)} patients had midazolam, which deepens SICI by itself; declare it: "
        '[mechanism] covariates = ["midazolam_mg"] in sudeck.toml.'
    )
    return (Flag("midazolam-undeclared", text, "caution", value=float(had)),)
