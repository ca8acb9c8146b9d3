"""Sentences of the page of the treatment."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

from sudeck.core.claim import Sentence, described

if TYPE_CHECKING:
    from sudeck.study.answers.study_treatment import StudyTreatment

CAVEATS: Final = (
    "Concentrations are what models make of doses; nobody's blood was measured for them. The interval holds "
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


def sayings(treated: StudyTreatment) -> tuple[Sentence, ...]:
    """Return what the page says first."""
    found = []
    if treated.given:
        found.append(f"{treated.given[:1].upper()}{treated.given[1:]}.")
    else:
        found.append("No ketamine is recorded.")
    areas = sorted(one.exposure.area.value for one in treated.exposed if one.exposure)
    if areas:
        folds = areas[-1] / areas[0]
        same = "much the same exposure" if folds < 1.5 else f"exposures {folds:.1f} times apart"
        found.append(
            f"{len(areas)} of {len(treated.courses)} patients have a known exposure: {same} "
            f"({areas[0]:.3g} to {areas[-1]:.3g} mg h/L in typical people of their weights)."
        )
        found.append(_against_literature(treated))
    reasons = Counter(one.reason for one in treated.courses if one.reason)
    found += [f"No exposure for {n}: {reason}." for reason, n in reasons.most_common()]
    if treated.findings:
        patients = len({one.patient for one in treated.findings})
        found.append(
            f"The record contradicts itself, or looks wrong, in {len(treated.findings)} places, of "
            f"{patients} patients: see below."
        )
    return described(found)


def _against_literature(described: StudyTreatment) -> str:
    share = {"ketamine": 0.5, "esketamine": 1.0, "arketamine": 0.0}
    own = sorted(
        share[one.treatment.regimen.drug] * one.exposure.area.value
        for one in described.exposed
        if one.exposure is not None and one.treatment.regimen is not None
    )
    middle = own[len(own) // 2]
    below = [one for one in described.yardsticks if one.s_area <= middle]
    nearest = min(described.yardsticks, key=lambda one: abs(math.log(one.s_area / middle)))
    return (
        f"The patient in the middle had more S-ketamine than {len(below)} of {len(described.yardsticks)} "
        f"published regimens (AUC {middle:.3g} mg h/L); nearest: {nearest.title} ({nearest.s_area:.3g})."
    )
