"""Sentences of the page of the treatment."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.claim import Sentence, described
from sudeck.core.vocabulary import counted
from sudeck.ketamine.pk_models import pk_model
from sudeck.ketamine.units import S_SHARE

if TYPE_CHECKING:
    from sudeck.study.answers.study_treatment import PatientCourse, StudyTreatment
    from sudeck.study.answers.treatment.plasma_samples import PlasmaSample

_LEAST_NG_PER_ML: Final = 1.0  # below it a ratio is one of rounding
CAVEATS: Final = (
    "Curves and areas are what models make of doses, not of anybody's blood. The interval holds "
    "people and four models, as people differed in one study of 54 children.",
    "Nothing here says what to give: no rate, no next dose, no date, and not that a course was harmless.",
    "A dose is not given at random. Under titration to effect a helpful dose shows a slope of the wrong "
    "sign; at a fixed dose by weight there is nothing to regress on.",
    "Exposure is no effect: in one series plasma levels did not differ between who responded and "
    "who did not (Goldberg et al. 2011, Chirality 23:138).",
)
CO_MEDICATION: Final = (
    "Benzodiazepines and alpha-2 agonists alone give healthy people SICI up, ICF down and RMT unchanged "
    "(guanfacine n = 8, Korchounov et al. 2003; benzodiazepines n = 6 to 10 a study): the pattern that is "
    "looked for after ketamine."
)


def sentences(treated: StudyTreatment) -> tuple[Sentence, ...]:
    """Return what the page says first."""
    found = []
    if treated.given:
        found.append(f"{treated.given[:1].upper()}{treated.given[1:]}.")
    else:
        found.append("No ketamine is recorded.")
    forms = {one.treatment.regimen.drug for one in treated.exposed if one.treatment.regimen is not None}
    if treated.exposed and len(forms) == 1:
        areas = sorted(one.exposure.area.value for one in treated.exposed if one.exposure)
        folds = areas[-1] / areas[0]
        same = "much the same exposure" if folds < 1.5 else f"exposures {folds:.1f} times apart"
        found.append(
            f"{len(areas)} of {len(treated.courses)} patients have a known exposure: {same} "
            f"({areas[0]:.3g} to {areas[-1]:.3g} mg h/L in typical people of their weights)."
        )
    elif forms:
        found.append(
            f"{len(treated.exposed)} of {len(treated.courses)} patients have a known exposure, to "
            "different forms of the drug, so theirs are not held beside each other but as S-ketamine."
        )
    found += [text for text in (_against_literature(treated), _measured(treated)) if text]
    reasons = Counter(one.reason for one in treated.courses if one.reason)
    found += [f"No exposure for {n}: {reason}." for reason, n in reasons.most_common()]
    if treated.findings:
        patients = len({one.patient for one in treated.findings})
        found.append(
            f"The record contradicts itself, or looks wrong, in {len(treated.findings)} places, of "
            f"{patients} patients: see below."
        )
    return described(found)


def _measured(treated: StudyTreatment) -> str:
    """Say how concentrations that were measured compare with the typical person, and which are left out."""
    ratios: list[float] = []
    left_out: Counter[str] = Counter()
    for course in treated.courses:
        for sample in course.samples:
            found = _over_typical(course, sample)
            if isinstance(found, str):
                left_out[found] += 1
            else:
                ratios.append(found)
    parts = []
    if ratios:
        middle, lowest, highest = np.median(ratios), min(ratios), max(ratios)
        parts.append(
            f"{counted(len(ratios), 'measured concentration')} against the curve: {middle:.2g} times the "
            f"typical person's in the middle, from {lowest:.2g} to {highest:.2g} (dots on the curves; "
            f"nothing is fitted to them; {_blood(treated)})"
        )
    if left_out:
        reasons = ", ".join(f"{n} {reason}" for reason, n in left_out.most_common())
        parts.append(f"{counted(left_out.total(), 'measured concentration', 'are')} not compared: {reasons}")
    return f"{'; '.join(parts)}." if parts else ""


def _blood(treated: StudyTreatment) -> str:
    """Say whose blood the curve is that of: labs.tsv does not say where a sample was drawn."""
    site = pk_model(treated.settings.ketamine_model).site
    other = "a vein lags behind" if site == "arterial" else "an artery runs ahead"
    return f"the curve is that of {site} blood, and a sample of {other} while it changes"


def _over_typical(course: PatientCourse, sample: PlasmaSample) -> float | str:
    """Return a measured concentration over that of the typical person, or why there is none to compare."""
    curve, regimen = course.curve, course.treatment.regimen
    if sample.ng_per_ml is None:
        return "without a known unit"
    if curve is None or regimen is None or sample.substance != regimen.drug:
        return "without a curve of its substance"
    if not sample.clock_known:  # within a day of infusion concentrations differ fiftyfold
        return "without a clock time"
    if sample.ng_per_ml <= 0:
        return "below what the laboratory detects"
    typical = float(np.interp(sample.at_h, curve.times_h, curve.middle, left=0.0, right=0.0))
    if typical < _LEAST_NG_PER_ML:
        return "where hardly anything is left of the drug"
    return sample.ng_per_ml / typical


def _against_literature(treated: StudyTreatment) -> str:
    own = sorted(
        S_SHARE[one.treatment.regimen.drug] * one.exposure.area.value
        for one in treated.exposed
        if one.exposure is not None and one.treatment.regimen is not None
    )
    if not own or own[len(own) // 2] <= 0:  # R-ketamine alone has none of the S form
        return ""
    middle = own[len(own) // 2]
    below = [one for one in treated.yardsticks if one.s_area <= middle]
    nearest = min(treated.yardsticks, key=lambda one: abs(math.log(one.s_area / middle)))
    return (
        f"The patient in the middle had more S-ketamine than {len(below)} of {len(treated.yardsticks)} "
        f"published regimens (AUC {middle:.3g} mg h/L); nearest: {nearest.title} ({nearest.s_area:.3g})."
    )
