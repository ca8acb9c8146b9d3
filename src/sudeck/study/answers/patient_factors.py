"""One row a patient for `sudeck explain`: relief, and what else could have moved the measures.

Midazolam, lorazepam and clonidine move SICI and ICF by themselves, a higher exposure or a fresher infusion
may do more: such factors are there to be declared as covariates in sudeck.toml, before the data are looked
at. They are what is on board at the recording and what exposure the course was, not sums of milligrams.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.study.answers.outcomes import CohortOutcomes, measure_outcomes
from sudeck.study.answers.treatment.treatment_flags import (
    LEFT,
    confounded_doses,
    early_relief,
    flags_at_recording,
    under_ketamine,
)
from sudeck.study.answers.treatment.treatment_given import forms_given, patient_treatments
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.tables import StudyTables

if TYPE_CHECKING:
    import pandas as pd

OUTCOME: Final = "relief"
DOSES: Final = ("ketamine_mg", "ketamine_mg_per_kg", "ketamine_auc")
_LEAST_VARIATION: Final = 0.05
_LEAST_LEFT_MG: Final = 0.001
# Names of before, and what says it now.
_FORMER: Final = {"midazolam_mg": "midazolam_left_mg"}

# What can be declared, beside the numbers of participants.tsv; a column without a value is of no use.
FACTORS: Final = {
    "midazolam_left_mg": "Midazolam on board at the recording after treatment, in mg",
    "lorazepam_left_mg": "Lorazepam on board then, in mg",
    "clonidine_left_mg": "Clonidine on board then, in mg",
    "ketamine_mg": "Ketamine into a vein up to the recording, one form, in mg of base",
    "ketamine_mg_per_kg": "The same per kg of body weight",
    "ketamine_auc": "Its area under the curve in a typical person of that weight, in mg h/L",
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
    under_ketamine : tuple of str
        Patients whose recording after treatment shows the drug acting and not what the course left.
    """

    frame: pd.DataFrame
    unit: str
    flags: tuple[Flag, ...]
    under_ketamine: tuple[str, ...] = ()


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
    treatments = patient_treatments(tables, patients, session=after, model=settings.ketamine_model)
    reliefs = _reliefs(outcomes, settings)
    rows = []
    for patient, outcome, treatment in zip(patients, outcomes.patients, treatments, strict=True):
        person = people.get(patient, {})
        row: dict[str, Any] = {"participant_id": patient, **reliefs[patient]}
        row |= {f"{drug}_left_mg": treatment.left_mg(drug) for drug in LEFT}
        row |= {"ketamine_mg": treatment.mg, "ketamine_mg_per_kg": treatment.mg_per_kg}
        row |= {"ketamine_auc": treatment.area, "days_since_infusion": treatment.days_since}
        row["baseline_nrs"] = outcome.baseline
        row |= {name: person.get(name) for name in ("age", "duration_months", "weight_kg")}
        rows.append(row)
    frame = pd.DataFrame(rows, columns=["participant_id", OUTCOME, f"{OUTCOME}_se", *FACTORS])
    numbers = [name for name in frame.columns if name != "participant_id"]
    frame = frame.astype(dict.fromkeys(numbers, "float64"))
    if frame[f"{OUTCOME}_se"].isna().all():
        frame = frame.drop(columns=f"{OUTCOME}_se")
    unit = "%" if settings.responder.unit == "percent" else "points"
    declared = settings.mechanism_covariates
    forms = forms_given(treatments)
    if len(forms) > 1:
        frame[list(DOSES)] = np.nan
    early = early_relief(tables, settings, patients)
    doses = [name for name in declared if name in DOSES and _no_use(frame, name) is None]
    flags = (
        *flags_at_recording(treatments, declared),
        *confounded_doses(frame, doses, early),
        *_forms_apart(forms, declared),
    )
    # Circuits are drawn over every visit, so one recording under the drug keeps a patient apart.
    every = [
        one
        for session in settings.tms_sessions
        for one in (treatments if session == after else patient_treatments(tables, patients, session=session))
        if one.session is not None
    ]
    apart = {one.patient for one in every if under_ketamine(one)}
    under = tuple(patient for patient in patients if patient in apart)
    return PatientFactors(frame, unit, flags, under)


def _forms_apart(forms: Mapping[str, int], declared: Sequence[str]) -> tuple[Flag, ...]:
    """Say why no dose is a covariate where patients were given different forms of the drug."""
    wanted = [name for name in declared if name in DOSES]
    if len(forms) < 2 or not wanted:
        return ()
    given = ", ".join(f"{drug} in {n}" for drug, n in sorted(forms.items()))
    text = f"{', '.join(wanted)}: {given} patients; forms are not one dose, so none is a covariate."
    return (Flag("forms-mixed", text, "caution"),)


def declare(frame: pd.DataFrame, names: Iterable[str]) -> Declared:
    """Return the declared covariates that vary and are known; of the others, keep the reason.

    Changes are stated at the mean of a covariate; for what is on board at none, where some patients had
    none. A covariate that varies by less than 5 % has nothing to regress on, and a dose that follows weight
    alone is weight under another name.
    """
    reference: dict[str, float | str] = {}
    refused: dict[str, str] = {}
    for name in names:
        subject = f"covariate {name}"
        if name not in FACTORS:
            remedy = f"use {_FORMER.get(name) or ', '.join(FACTORS)}"
            what = "a sum does not say what is on board" if name in _FORMER else "it is not known"
            refused[subject] = str(InputError(subject, what, remedy))
            continue
        known = frame[name].dropna()
        reason = _no_use(frame, name)
        if reason is not None:
            refused[subject] = str(InputError(subject, *reason))
        else:
            reference[name] = 0.0 if name.endswith("_left_mg") and known.min() == 0 else "mean"
    return Declared(reference, refused)


def _no_use(frame: pd.DataFrame, name: str) -> tuple[str, str] | None:
    """Return why a covariate can not be used and what to do; None where it can."""
    known = frame[name].dropna()
    if known.empty:
        forms = ", or their forms of the drug differ" if name in DOSES else ""
        return f"no patient has a value{forms}", "fill in the tables"
    if known.max() <= known.min():
        return "it does not vary", "leave it out"
    if name.endswith("_left_mg") and known.max() < _LEAST_LEFT_MG:
        return "nothing of it is left at the recording", "leave it out"
    varies = _variation(known)
    if varies < _LEAST_VARIATION:
        return f"it varies by {100 * varies:.1f} %, less than 5 %: nothing to regress on", "leave it out"
    if name in DOSES:
        for other, words in (("ketamine_mg_per_kg", "the dose by weight"), ("ketamine_mg", "the dose")):
            same = frame[other].dropna()
            if len(same) > 1 and _variation(same) < _LEAST_VARIATION:
                return f"{words} was the same for all, so it follows weight alone", "leave it out"
    return None


def _variation(values: pd.Series) -> float:
    """Return the standard deviation over the mean; infinite where the mean is none."""
    mean = abs(float(values.mean()))
    return float(values.std(ddof=1)) / mean if mean > 0 else math.inf


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
