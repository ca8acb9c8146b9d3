"""One study of a world as files: pixels and volts written, measured as a user would, held against the truth.

Nothing is left out: DICOM and EDF are written into a study folder, `run_study` reads them, the answers and
the sentences come from the folder, and the folder is deleted.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.demo.study_on_disk import make_demo_study, truth_folder
from sudeck.study.answers.who_responds import predict_study
from sudeck.study.answers.why import explain_study
from sudeck.study.measuring.run import run_study
from sudeck.synthetic.study.worlds import find_world, true_values
from sudeck.truth.folder_score import merged, score_patients
from sudeck.truth.page_ledger import keep_claims
from sudeck.truth.row import StudyRow, Task
from sudeck.truth.table_study import score_pages, true_of_null

PATIENTS: Final = 24  # a study; a quarter of the size of the publication's
_BOOTSTRAPS: Final = 100
_NULL: Final = ("nothing-true", "equal-limbs", "at-cut-offs", "unlike-limbs")
WORLDS_OF_FILES: Final = ("as-published", *_NULL)


def score_file_study(task: Task) -> StudyRow:
    """Write, measure, answer and score one study.

    The pages are scored where nothing is true; elsewhere the truth of a small study's pages depends on who
    was drawn, and only what was measured is scored.
    """
    seed = int(np.random.SeedSequence(task.seed).generate_state(1)[0])
    with tempfile.TemporaryDirectory(prefix="sudeck-truth-") as folder:
        root = Path(folder) / "study"
        study = make_demo_study(root, patients=PATIENTS, seed=seed, jobs=1, world=find_world(task.world))
        run_study(root, jobs=1, present=keep_claims)
        numbers = merged(*score_patients(study, truth_folder(root), fault=task.fault).values())
        pages = _pages(root, task) if task.world in _NULL else None
    if pages is None:
        return StudyRow(task, numbers, ())
    return StudyRow(task, merged(numbers, pages.numbers), pages.ledger)


def _pages(root: Path, task: Task) -> StudyRow | None:
    try:
        predicted = predict_study(root, n_boot=_BOOTSTRAPS)
        explained = explain_study(root, circuit=False)
    except InputError:
        return None  # too few of this small study can be answered at all
    if explained.group is None:
        return None
    truth = true_values(find_world(task.world)) | true_of_null(predicted)
    return score_pages(task, predicted, explained.group, truth)
