"""A study that somebody else made: measured and sealed first, and only then held against the truth.

The seal is a file beside the results with the SHA-256 of each. It is written before the truth is opened, and
a study whose results no longer match it is not scored.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from sudeck.core.errors import InputError
from sudeck.core.provenance import sha256_of
from sudeck.core.storage import write_json
from sudeck.study.answers.who_responds import predict_study
from sudeck.study.answers.why import explain_study
from sudeck.study.folder.layout import StudyFolder, open_study
from sudeck.study.measuring.run import run_study
from sudeck.truth.folder_score import score_patients
from sudeck.truth.goals import MEASURED, Line, judge_goals
from sudeck.truth.page_ledger import keep_claims
from sudeck.truth.row import StudyRow, Task

SEAL: Final = "sealed.json"
_WORLD: Final = "blind"


def score_blind(root: Path, truth: Path, *, jobs: int | None = None) -> tuple[Line, ...]:
    """Measure a study, seal what came out, then open the truth and score every patient.

    Parameters
    ----------
    root : Path
        The study folder, tables and files in place.
    truth : Path
        Folder or ZIP with ``<participant>_scan.json`` and ``<participant>_tms.json``, see
        `sudeck.truth.folder_score`. Not looked at before the seal is written.
    jobs : int, optional
        Worker processes.

    Raises
    ------
    InputError
        If there is no study or no truth, or results were changed after they were sealed.
    """
    study = open_study(root)
    if not truth.exists():  # hours of measuring are not spent on a slip of the pen
        raise InputError(truth.name, "no truth lies there", "name a folder or a ZIP archive")
    if not (study.derivatives / SEAL).is_file():
        _measure(root, jobs)
        write_json(study.derivatives / SEAL, {"sha256": _digests(study)})
    elif _sealed(study) != _digests(study):
        raise InputError(
            f"{study.root.name}/{SEAL}",
            "results differ from those that were sealed before the truth was opened, or the seal is damaged",
            "score a fresh copy of the study",
        )
    with _opened(truth) as folder:
        scores = score_patients(study, folder)
    if not scores:
        raise InputError(
            truth.name,
            "no file is called <participant>_scan.json or <participant>_tms.json",
            "name the truth of each patient so",
        )
    rows = [StudyRow(Task(_WORLD, (index,)), score, ()) for index, score in enumerate(scores.values())]
    return judge_goals(rows, [replace(goal, worlds=(_WORLD,)) for goal in MEASURED])


def _measure(root: Path, jobs: int | None) -> None:
    run_study(root, jobs=jobs, present=keep_claims)
    for answer in (predict_study, explain_study):
        try:
            answer(root)
        except InputError:
            continue  # a study without relief, or without stimulation, is scored by what it has


def _digests(study: StudyFolder) -> dict[str, str]:
    """Return the SHA-256 of every result and ledger that is scored or was answered, by its path."""
    found = sorted({*study.derivatives.glob("*.tsv"), *study.derivatives.glob("sub-*/*.json")})
    answers = [path for path in sorted(study.derivatives.glob("*.json")) if path.name in _ANSWERS]
    return {
        path.relative_to(study.derivatives).as_posix(): sha256_of(path.read_bytes())
        for path in (*found, *answers)
    }


_ANSWERS: Final = ("prediction.json", "model.json", "mechanism.json")


def _sealed(study: StudyFolder) -> dict[str, str]:
    """Return what was sealed; nothing, which no results are, where the seal is damaged."""
    try:
        seal = json.loads((study.derivatives / SEAL).read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return dict(seal.get("sha256", {})) if isinstance(seal, dict) else {}


@contextmanager
def _opened(truth: Path) -> Iterator[Path]:
    if truth.is_dir():
        yield truth
        return
    if not zipfile.is_zipfile(truth):
        raise InputError(truth.name, "it is neither a folder nor a ZIP archive", "name one of the two")
    with tempfile.TemporaryDirectory(prefix="sudeck-truth-") as folder, zipfile.ZipFile(truth) as archive:
        for member in archive.namelist():
            if member.endswith(("_scan.json", "_tms.json")):
                Path(folder, Path(member).name).write_bytes(_member(archive, member, truth))
        yield Path(folder)


def _member(archive: zipfile.ZipFile, name: str, truth: Path) -> bytes:
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        # Damaged, under a password, or packed in a way that is not known here.
        raise InputError(
            truth.name, f"{Path(name).name} can not be unpacked", "make the archive anew"
        ) from error
