"""The demo's mechanism: what changed in the synthetic study, and the circuits of its patients."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import SIDES, pain_side_hemisphere
from sudeck.demo.part import DemoPart, DemoRow, Say, demo_row

if TYPE_CHECKING:
    from sudeck.study.answers.study_explanation import StudyExplanation
    from sudeck.study.measuring.engine import Progress

_CHANGED: Final = ("SICI", "ICF")
_REPORTED_EVERY: Final = 5  # circuits; each takes some seconds


def mechanism(folder: Path, *, patients: int, say: Say) -> DemoPart | None:
    """Explain the synthetic study that `sudeck.demo.study.study` has written and measured.

    Parameters
    ----------
    folder : Path
        The study.
    patients : int
        As it was made with: tells the truth.
    say : callable

    Returns
    -------
    DemoPart or None
        None where no patient has magnetic stimulation.
    """
    from sudeck.report.mechanism.page import write_mechanism_report
    from sudeck.study.answers.why import explain_study

    say("Asking why it works")

    def tell(progress: Progress) -> None:
        if progress.done % _REPORTED_EVERY == 0:
            left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
            say(f"  {progress.done} of {progress.total} circuits{left}")

    try:
        explained = explain_study(folder, jobs=None, progress=tell)
    except InputError as error:
        say(f"  left out: {error}")
        return None
    if "circuit" in explained.refused:
        say(f"  {explained.refused['circuit']}")
    page = write_mechanism_report(folder, explained)
    return DemoPart(
        title="Why it works",
        text=(
            f"The {len(explained.patients)} patients of that study with magnetic stimulation before and "
            "after treatment: changes, what goes with relief, the published pattern. "
            f"{len(explained.circuit)} of them have a fitted circuit, and all together one group. "
            "The truth below is the geometric mean of what is true of each patient."
        ),
        command="sudeck explain study",
        link=page.relative_to(folder.parent).as_posix(),
        rows=_rows(explained, patients),
    )


def _rows(explained: StudyExplanation, patients: int) -> list[DemoRow]:
    """Return changes beside their truth."""
    from sudeck.demo.study_on_disk import SEED
    from sudeck.synthetic.study.study_plan import plan_study, true_hemisphere

    if explained.group is None:
        return []
    planned = [one for one in plan_study(patients=patients, seed=SEED).patients if one.stimulated]
    found = []
    for change in explained.group.changes.changes:
        if change.measure not in _CHANGED or change.hemisphere == "interaction":
            continue
        logs = []
        for patient in planned:
            pain = pain_side_hemisphere(patient.affected)
            hemisphere = next(side for side in SIDES if (side == pain) == (change.hemisphere == "pain"))
            before, after = (
                true_hemisphere(patient, hemisphere, visit, seed=SEED).ratios[change.measure]
                for visit in ("pre", "post")
            )
            logs.append(math.log(after / before))
        name = f"{change.measure}, {change.hemisphere} side, post over pre"
        found.append(demo_row(name, change.ratio, math.exp(float(np.mean(logs)))))
    return found
