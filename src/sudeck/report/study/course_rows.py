"""How long relief lasts and adverse effects, as text ready to be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sudeck.core.claim import Sentence
from sudeck.report.kit.text import number

if TYPE_CHECKING:
    from sudeck.core.estimate import Estimate
    from sudeck.study.answers.after_treatment import AfterTreatment

# What trials say, since a cohort without controls says nothing of it.
EFFICACY: Final = (
    "Nothing here says that ketamine works: no group without it is compared. Of randomised trials in "
    "chronic pain, a review (Ferraro et al. 2025, Cochrane Database Syst Rev CD015373; 67 trials, 2,309 "
    "people) finds no clear evidence: pain right after intravenous ketamine 15.8 of 100 points lower than "
    "after placebo (32.1 lower to 0.5 higher; very low certainty), adverse events 3.3 times as frequent "
    "(1.05 to 10.1). Quoted from summaries; what it says of CRPS alone is to be read there."
)


def visit_rows(course: AfterTreatment) -> list[dict[str, Any]]:
    """Return who responds at every visit, and of responders who still does."""
    still = {} if course.lasting is None else {one.name: one for one in course.lasting.still}
    return [
        {
            "visit": at.visit,
            "responders": f"{at.responders} of {at.known}",
            "share": _share(at.share),
            "lost": at.lost,
            "still": _share(still.get(at.visit)),
        }
        for at in course.visits
    ]


def effect_rows(course: AfterTreatment) -> list[dict[str, Any]]:
    """Return adverse effects with exact intervals."""
    return [
        {
            "effect": one.name,
            "patients": f"{round(one.value * (one.n or 0))} of {one.n}",
            "share": _share(one),
        }
        for one in course.effects
    ]


def lasting_note(course: AfterTreatment) -> Sentence:
    """Say what the column of those who still respond rests on."""
    lasting = course.lasting
    if lasting is None:
        return Sentence("No responder has a later score, so nothing is known of how long it lasts.")
    half = (
        "fewer than half lost it while followed"
        if lasting.median_days is None
        else f"half had lost it by {number(lasting.median_days, 0)} days"
    )
    retreated = f", {lasting.retreated} of them by another course of ketamine" if lasting.retreated else ""
    were = "was" if lasting.not_followed == 1 else "were"
    unseen = f"; {lasting.not_followed} more {were} not seen again" if lasting.not_followed else ""
    return Sentence(
        f"Still responding: of {lasting.responders} responders followed, {lasting.losses} lost it"
        f"{retreated}; {half}{unseen} (Kaplan-Meier; a loss counts from the visit that finds it)."
    )


def _share(one: Estimate | None) -> str:
    return "–" if one is None else f"{100 * one.value:.0f} % ({100 * one.low:.0f} to {100 * one.high:.0f})"
