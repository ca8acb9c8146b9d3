"""What was given, as one sentence for table 1 and the checklist; drugs and routes are never added up."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from sudeck.ketamine.exposure import SUBSTANCE
from sudeck.ketamine.given import GivenDose
from sudeck.ketamine.pk_models import DEFAULT, pk_model
from sudeck.ketamine.units import KETAMINES
from sudeck.study.answers.treatment.treatment_given import forms_given, patient_treatments
from sudeck.study.folder.given_doses import body_weights, given_doses
from sudeck.study.folder.tables import StudyTables

_ROUNDING: Final = 1e-9


def treatment_words(tables: StudyTables, patients: Sequence[str], *, model: str = DEFAULT) -> str:
    """Return what these patients were given; empty where no ketamine is recorded.

    Parameters
    ----------
    tables : StudyTables
    patients : sequence of str
    model : str
        Whose typical person stands for a course.
    """
    enrolled = set(patients)
    # A row of 0 mg says that none was given.
    rows = [one for one in given_doses(tables) if one.patient in enrolled]
    doses = [one for one in rows if one.dose_mg != 0]
    ketamine = sorted(
        (dose for dose in doses if dose.is_ketamine),
        key=lambda dose: (KETAMINES.index(dose.drug), dose.route or ""),
    )
    if not ketamine:
        return ""
    weights = body_weights(tables)
    parts = [
        _one_kind(drug, route or "route not stated", list(same), weights)
        for (drug, route), same in groupby(ketamine, key=lambda dose: (dose.drug, dose.route))
    ]
    treated = sorted({dose.patient for dose in ketamine})
    courses = patient_treatments(tables, treated, session=None, model=model)
    forms = forms_given(courses)
    for drug in (drug for drug in KETAMINES if drug in forms):
        own = [one for one in courses if one.regimen is not None and one.regimen.drug == drug]
        areas = [area for one in own if (area := one.area) is not None]
        if areas:
            of = f" of {SUBSTANCE[drug]}" if len(forms) > 1 else ""
            parts.append(
                f"area under the curve{of} in a typical person of the weight "
                f"({pk_model(model).title}) {_spread(areas)} mg h/L"
            )
    again = sum(one.regimen.courses > 1 for one in courses if one.regimen is not None)
    if again:
        parts.append(f"more than one course in {again}, all counted")
    others: dict[str, set[str]] = defaultdict(set)
    for dose in doses:
        if dose.drug not in KETAMINES:
            others[dose.drug].add(dose.patient)
    listed = ", ".join(f"{drug} in {len(some)}" for drug, some in sorted(others.items()))
    said = any(one.drug not in KETAMINES and one.drug != "placebo" for one in rows)
    none = "no co-medication was given" if said else "no co-medication is recorded"
    parts.append(f"co-medication: {listed}" if listed else none)
    return "; ".join(parts)


def _one_kind(drug: str, route: str, rows: Sequence[GivenDose], weights: Mapping[str, float]) -> str:
    """Say of one drug by one route: patients, days, base by weight and hours, both summed within a day."""
    by_day: dict[tuple[str, int], list[GivenDose]] = defaultdict(list)
    for row in rows:
        by_day[row.patient, row.day].append(row)
    days: dict[str, int] = defaultdict(int)
    a_kg, hours = [], []
    for (patient, _), own in by_day.items():
        days[patient] += 1
        base = [dose.base_mg for dose in own]
        took = [dose.duration_h for dose in own]
        if patient in weights and None not in base:
            a_kg.append(sum(mg or 0.0 for mg in base) / weights[patient])
        if None not in took:
            hours.append(sum(h or 0.0 for h in took))
    parts = [f"{drug} in {len(days)} patients, {route}", f"on {_spread(list(days.values()))} days"]
    if a_kg:
        parts.append(f"{_spread(a_kg)} mg/kg a day of base")
    if hours:
        parts.append(f"over {_spread(hours)} hours")
    return ", ".join(parts)


def _spread(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    middle = statistics.median(values)
    return f"{middle:.3g}" if high - low < _ROUNDING else f"{middle:.3g} ({low:.3g} to {high:.3g})"
