"""One scan without a study: a study made for it that is gone afterwards, and what is left of the review.

What is left is the region and the counterpart that were set, as files, and the command that measures the
scan as the page showed it.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sudeck.core.errors import InputError
from sudeck.core.storage import write_json
from sudeck.core.vocabulary import Limb, Side
from sudeck.study.folder.create import create_study
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import standing_decisions
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import PARTICIPANTS
from sudeck.study.folder.settings import read_settings

PATIENT: Final = "sub-scan"
_OPTIONS: Final = {
    "limb": "--limb",
    "view": "--view",
    "image-left": "--image-left",
    "injection-time": "--injected-at",
    "frame-time": "--frame-seconds",
}


@contextmanager
def study_of_scan(paths: Sequence[Path], *, affected: Side, limb: Limb | None) -> Iterator[StudyFolder]:
    """Give a study that holds one scan, until the end of the block.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders; they are copied and stay as they are.
    affected : {"left", "right"}
    limb : {"hand", "foot"}, optional

    Raises
    ------
    InputError
        If a path is not there, or no file is.
    """
    with TemporaryDirectory(prefix="sudeck-review-", ignore_cleanup_errors=True) as made:
        study = create_study(Path(made) / "scan").study
        folder = study.scan_folder(PATIENT, read_settings(study).scan_session)
        folder.mkdir(parents=True)
        files = list(_files(paths))
        if not files:
            raise InputError("the scan", "no file is there", "name its DICOM files, or their folder")
        for number, path in enumerate(files):
            target = folder / path.name
            if target.exists():  # two folders with files of one name
                target = folder / str(number) / path.name
                target.parent.mkdir()
            shutil.copyfile(path, target)
        row = {"participant_id": PATIENT, "affected_side": affected, "limb": limb}
        cells = (row.get(name) or "n/a" for name in PARTICIPANTS.columns)
        with study.table_file("participants").open("a", encoding="utf-8") as table:
            table.write("\t".join(cells) + "\n")
        yield study


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise InputError(path.name, "there is no such file or folder", "check the path")
        yield from sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def keep_review(
    study: StudyFolder, paths: Sequence[Path], into: Path, *, affected: Side, limb: Limb | None
) -> str:
    """Write the region and the counterpart that were set, and return the command that measures the same.

    Parameters
    ----------
    study : StudyFolder
        From `study_of_scan`.
    paths : sequence of Path
        As they were given.
    into : Path
        Folder of the files.
    affected, limb : str
        As they were given.
    """
    words = ["sudeck", "scan", *(str(path) for path in paths)]
    options = {"--affected": str(affected)} | ({"--limb": str(limb)} if limb else {})
    phases = []
    for decision in standing_decisions(study, PATIENT):
        if decision.kind == "side":
            options["--affected"] = str(decision.value)
        elif decision.kind == "region":
            options["--region-file"] = str(_kept_file(decision, paths, into))
        elif decision.kind == "mirror":
            options["--mirror-file"] = str(_kept_file(decision, paths, into))
        elif decision.kind == "phase":
            phases += ["--phase", f"{decision.about}={decision.value}"]
        elif decision.kind in _OPTIONS:
            options[_OPTIONS[decision.kind]] = str(decision.value)
    return shlex.join([*words, *(word for pair in options.items() for word in pair), *phases])


def _kept_file(decision: Decision, paths: Sequence[Path], into: Path) -> Path:
    path = into / f"{paths[0].stem}.{decision.kind}.json"
    write_json(path, decision.value)
    return path


def keeper(
    study: StudyFolder,
    paths: Sequence[Path],
    announce: Callable[[str], None],
    *,
    affected: Side,
    limb: Limb | None,
) -> Callable[[], None]:
    """Return what to call after every save: it tells the command that measures what the page shows."""

    def keep() -> None:
        command = keep_review(study, paths, Path(), affected=affected, limb=limb)
        announce(f"Saved. The same from the command line:\n  {command}")

    return keep
