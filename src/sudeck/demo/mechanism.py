"""The demo's mechanism: what changed in the synthetic study, and the circuit of a few of its patients."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.storage import write_json
from sudeck.core.vocabulary import SIDES, pain_side_hemisphere
from sudeck.demo.part import DemoPart, DemoRow, Say, demo_row

if TYPE_CHECKING:
    from sudeck.study.answers.study_explanation import StudyExplanation

# A circuit takes seconds to a minute; `sudeck explain` fits those of all patients.
FITTED: Final = 3
_CHANGED: Final = ("SICI", "ICF")


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
    from sudeck.study.answers.why import MECHANISM_FILE, explain_study
    from sudeck.study.folder.layout import open_study

    say("Asking why it works")
    try:
        explained = explain_study(folder, circuit=False)
    except InputError as error:
        say(f"  left out: {error}")
        return None
    explained = _with_circuits(folder, explained, say)
    write_json(open_study(folder).derivatives / MECHANISM_FILE, explained.to_dict())
    page = write_mechanism_report(folder, explained)
    fitted = len(explained.circuit)
    circuits = f"{fitted} circuits are" if fitted != 1 else "1 circuit is"
    return DemoPart(
        title="Why it works",
        text=(
            f"The {len(explained.patients)} patients of that study with magnetic stimulation before and "
            "after treatment: changes, what goes with relief, the published pattern. "
            f"{circuits} fitted here; sudeck explain fits all. "
            "The truth below is the geometric mean of what is true of each patient."
        ),
        command="sudeck explain study",
        link=page.relative_to(folder.parent).as_posix(),
        rows=_rows(explained, patients),
    )


def _with_circuits(folder: Path, explained: StudyExplanation, say: Say) -> StudyExplanation:
    """Fit the circuit of the first patients; without the extra, say what to install."""
    from sudeck.study.answers.circuit_fits import fit_circuits, require_circuit
    from sudeck.study.answers.why import assemble_stimulation
    from sudeck.study.folder.layout import open_study

    try:
        require_circuit()
    except MissingDependencyError as error:
        say(f"  {error}")
        return replace(explained, circuit_asked=True, refused={**explained.refused, "circuit": str(error)})
    measures = assemble_stimulation(open_study(folder)).circuit_measures()
    few = explained.patients[:FITTED]
    say(f"  fitting the circuits of {len(few)} patients")
    begun = time.perf_counter()
    own = tuple(one for one in measures.observations if one.patient in few)
    fits = fit_circuits(
        open_study(folder), replace(measures, observations=own), level=explained.level, jobs=None
    )
    say(f"  {time.perf_counter() - begun:.0f} s")
    return replace(explained, circuit=fits.explanations, circuit_failures=fits.failures, circuit_asked=True)


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
