"""What the treatment could explain by itself: drugs on board at a recording, doses nobody gave at random."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sudeck.core.flags import Flag
from sudeck.ketamine.record_checks import on_drug
from sudeck.study.answers.treatment.treatment_given import PatientTreatment
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.tables import StudyTables

if TYPE_CHECKING:
    import pandas as pd

# What moves the measures as the publication says ketamine does: benzodiazepines, and alpha-2 agonists
# (guanfacine, n = 8, Korchounov et al. 2003; clonidine itself was not tested).
LEFT: Final = ("midazolam", "lorazepam", "clonidine")
_SURE: Final = 0.05
_FOUR_DAYS: Final = 4


def early_relief(tables: StudyTables, settings: Settings, patients: Sequence[str]) -> Mapping[str, float]:
    """Return relief in points over the first three days of treatment, of patients who were asked then."""
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in tables["pain"].rows:
        day, nrs = row["day"], row["nrs"]
        if isinstance(nrs, int | float) and isinstance(day, int):
            when = "baseline" if row["visit"] == settings.baseline else "early" if 1 <= day <= 3 else ""
            if row["visit"] != settings.end and when:
                scores[str(row["participant_id"])][when].append(float(nrs))
    return {
        patient: sum(own["baseline"]) / len(own["baseline"]) - sum(own["early"]) / len(own["early"])
        for patient in patients
        if (own := scores.get(patient)) and own["baseline"] and own["early"]
    }


def confounded_doses(
    frame: pd.DataFrame, doses: Sequence[str], early: Mapping[str, float]
) -> tuple[Flag, ...]:
    """Flag doses among the covariates: nobody gave them at random.

    Where dose follows pain before treatment or the response of the first days it was titrated, and a helpful
    dose then shows a slope of the wrong sign; where it does not follow them, the patients may be too few to
    show it.
    """
    from scipy.stats import spearmanr

    if not doses:
        return ()
    dose = frame["ketamine_mg_per_kg"]
    found, titrated = [], False
    first = frame["participant_id"].map(early)
    for other, words in (
        (frame["baseline_nrs"], "pain before treatment"),
        (first, "relief of the first days"),
    ):
        both = dose.notna() & other.notna()
        if both.sum() > 3 and dose[both].nunique() > 1 and other[both].nunique() > 1:
            result = spearmanr(dose[both], other[both])
            titrated |= float(result.pvalue) < _SURE
            found.append(f"{words} {float(result.statistic):+.2f}")
    how = f"rank correlation of dose with {' and '.join(found)}" if found else "no early scores to tell by"
    what = "was titrated" if titrated else "was not given at random"
    text = (
        f"{', '.join(doses)}: the dose {what} ({how}). Its effect is confounded: under titration a helpful "
        "dose shows a slope of the wrong sign."
    )
    return (Flag("dose-confounded", text, "serious" if titrated else "caution"),)


def flags_at_recording(treatments: Sequence[PatientTreatment], declared: Sequence[str]) -> tuple[Flag, ...]:
    """Flag what is on board at the recording after treatment, and clock times that would tell."""
    flags = []
    n = len(treatments)
    under = [one for one in treatments if under_ketamine(one)]
    if under:
        text = (
            f"{len(under)} of {n} patients were recorded under ketamine, or on a day of it at times not "
            "known; its acute effect on SICI has the opposite sign (Höffken et al. 2013)."
        )
        flags.append(Flag("recorded-under-ketamine", text, "serious", value=float(len(under))))
    for drug in LEFT:
        had = [one for one in treatments if any(b.drug == drug and b.matters for b in one.board)]
        if had:
            undeclared = (
                ""
                if f"{drug}_left_mg" in declared
                else f'; declare it: [mechanism] covariates = ["{drug}_left_mg"]'
            )
            text = (
                f"{len(had)} of {n} patients had {drug} on board at the recording; drugs of its kind alone "
                "give healthy people the published pattern, SICI up, ICF down and RMT unchanged"
                f"{undeclared}."
            )
            flags.append(Flag("co-medication-on-board", text, "serious", drug, float(len(had))))
    asked = [
        one
        for one in treatments
        if any(b.drug in LEFT and not b.clock_known and b.since_h < 24 * _FOUR_DAYS for b in one.board)
    ]
    if asked:
        text = (
            f"{len(asked)} of {n} patients had midazolam, lorazepam or clonidine in the four days before "
            "the recording without clock times; hours since the last dose decide: give start_time and the "
            "time of the session. 09:00 is taken."
        )
        flags.append(Flag("hours-since-dose", text, "caution", value=float(len(asked))))
    return (*flags, *_not_said(treatments))


def _not_said(treatments: Sequence[PatientTreatment]) -> list[Flag]:
    """Ask for co-medication where a record of ketamine says nothing of it, or does not name it."""
    flags = []
    n = len(treatments)
    treated = [one for one in treatments if any(dose.is_ketamine for dose in one.doses)]
    if treated and not any(dose.drug in LEFT for one in treatments for dose in one.doses):
        text = (
            f"Nothing is recorded of midazolam, lorazepam or clonidine in {len(treated)} patients with "
            "ketamine and a recording. They are usual beside it and alone give healthy people the published "
            "pattern: give their last dose with start_time; a row of 0 mg says that none was given."
        )
        flags.append(Flag("co-medication-not-recorded", text, "caution", value=float(len(treated))))
    other = [one for one in treatments if _other_drug(one)]
    if other:
        text = (
            f"{len(other)} of {n} patients had a drug that is only called other in the four days before the "
            "recording: a benzodiazepine or an alpha-2 agonist would alone give the published pattern, and "
            "what is left of it is not worked out."
        )
        flags.append(Flag("other-drug-before-recording", text, "caution", value=float(len(other))))
    return flags


def _other_drug(one: PatientTreatment) -> bool:
    day = None if one.session is None else one.session.day
    return day is not None and any(
        dose.drug == "other" and dose.dose_mg != 0 and 0 <= day - dose.day <= _FOUR_DAYS for dose in one.doses
    )


def under_ketamine(one: PatientTreatment) -> bool:
    """Return whether the session lies within half a day of ketamine, or on a day of it at times not known."""
    session = one.session
    if session is None:
        return False
    return any(on_drug(dose, session) != "" for dose in one.doses if dose.is_ketamine and dose.dose_mg != 0)
