"""Real feet with known ratios: a scan of a person, thinned to other counts and other ratios, measured again.

The folder holds DICOM files of both feet in view, ``truth_masks.npz`` (``limb``: 1 where the limb at
image-left is, 2 where the other) and ``truth.json`` (``true_ratio_limb1_over_limb2``: VPr, TPr and BPr).
Keeping each count of one limb with probability p multiplies the ratio by p and leaves counts that are again
Poisson distributed. One anatomy under one camera: what fails here is wrong, what passes may still be wrong in
others.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.storage import write_json, write_text
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import PARTICIPANTS
from sudeck.study.measuring.run import run_study
from sudeck.truth.folder_score import score_patients
from sudeck.truth.goals import MEASURED, Line, judge_goals
from sudeck.truth.page_ledger import keep_claims
from sudeck.truth.row import StudyRow, Task
from sudeck.truth.semireal_sweeps import WORLD, score_semireal_sweeps

_RATIO_SPREAD: Final = 0.3  # of the logarithm, common to the phases, and half as much of each
_FEWEST: Final = 0.2  # of the counts there are


def score_semireal(
    source: Path, *, patients: int, seed: int = 0, fault: str = "", jobs: int | None = None
) -> tuple[Line, ...]:
    """Thin a real scan to many, or resample real sweeps to many, and hold what is measured against the truth.

    Parameters
    ----------
    source : Path
        Files, masks and truth of a scan; or recordings, see `sudeck.truth.semireal_sweeps`.
    patients : int
        How many are made of it.
    seed : int
    fault : str
        Of `sudeck.truth.faults`, planted in what was measured.
    jobs : int, optional
        Worker processes.

    Raises
    ------
    InputError
        If it holds neither.
    """
    if not (source / "truth.json").is_file():
        return score_semireal_sweeps(source, recordings=patients, seed=seed, fault=fault)
    with tempfile.TemporaryDirectory(prefix="sudeck-truth-") as folder:
        root, truth = Path(folder) / "study", Path(folder) / "truth"
        truth.mkdir()
        study = create_study(root).study
        make_semireal(source, study, truth, patients=patients, seed=seed)
        run_study(root, jobs=jobs, present=keep_claims)
        scores = score_patients(study, truth, fault=fault)
    rows = [StudyRow(Task(WORLD, (index,)), score, ()) for index, score in enumerate(scores.values())]
    return judge_goals(rows, [replace(goal, worlds=(WORLD,)) for goal in MEASURED])


def make_semireal(source: Path, study: StudyFolder, truth: Path, *, patients: int, seed: int) -> None:
    """Write patients whose scans are a real one, thinned, and the truth of each beside them.

    Parameters
    ----------
    source : Path
        Files, masks and truth.
    study : StudyFolder
        An empty one.
    truth : Path
        An empty folder.
    patients, seed : int
    """
    given, limb = _source(source)
    files = _files(source, limb.shape)
    names = [f"sub-{number + 1:03d}" for number in range(patients)]
    columns = PARTICIPANTS.columns
    lines = ["\t".join(columns)]
    for name in names:
        known = {"participant_id": name, "limb": "foot", "affected_side": "right"}
        lines.append("\t".join(known.get(column, "n/a") for column in columns))
    write_text(study.table_file("participants"), "\n".join(lines) + "\n")
    for number, name in enumerate(names):
        rng = np.random.default_rng([seed, number])
        common, level = _RATIO_SPREAD * rng.standard_normal(), math.exp(rng.uniform(math.log(_FEWEST), 0.0))
        ratios = {}
        for ratio, path in files.items():
            factor = math.exp(common + 0.5 * _RATIO_SPREAD * rng.standard_normal())
            ratios[ratio] = given[ratio] * factor
            # The limb at image-left is the affected one: it gains only by what the other loses.
            shares = (level * min(factor, 1.0), level * min(1.0 / factor, 1.0))
            target = study.scan_folder(name, "ses-pre") / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_thinned(path, target, _kept(limb, shares), rng, label=f"{seed} {number}")
        write_json(truth / f"{name}_scan.json", {"image_ratios": ratios})


def _files(source: Path, shape: tuple[int, ...]) -> dict[str, Path]:
    """Return the file of each phase: the flow has many frames, the pool comes before the delayed image.

    Files of several phases, and those with a view from behind, show the limbs elsewhere and are left out.
    """
    import pydicom

    flow: list[tuple[str, Path]] = []
    still: list[tuple[str, Path]] = []
    for path in sorted(source.glob("*.dcm")):
        data = pydicom.dcmread(path, stop_before_pixels=True)
        several = max(int(data.get(name, 1) or 1) for name in ("NumberOfDetectors", "NumberOfPhases")) > 1
        if several or (data.Rows, data.Columns) != shape:
            continue
        (flow if int(data.get("NumberOfFrames", 1)) > 1 else still).append((str(data.AcquisitionTime), path))
    if not flow or len(still) < 2:
        raise InputError(source.name, "it does not hold a flow, a pool and a delayed image", "add them")
    still.sort()
    return {"VPr": flow[0][1], "TPr": still[0][1], "BPr": still[-1][1]}


def _source(source: Path) -> tuple[Mapping[str, float], NDArray[np.uint8]]:
    try:
        given = json.loads((source / "truth.json").read_text(encoding="utf-8"))
        with np.load(source / "truth_masks.npz") as masks:
            limb = np.asarray(masks["limb"], dtype=np.uint8)
        return {name: float(value) for name, value in given["true_ratio_limb1_over_limb2"].items()}, limb
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            source.name, "it holds no truth.json and truth_masks.npz of a scan", "name such a folder"
        ) from error


def _kept(limb: NDArray[np.uint8], shares: tuple[float, float]) -> NDArray[np.float64]:
    """Return the share of counts to keep at each pixel; a count beside the feet belongs to the nearer one."""
    from scipy.ndimage import distance_transform_edt

    row, column = distance_transform_edt(limb == 0, return_distances=False, return_indices=True)
    return np.where(limb[row, column] == 1, *shares)


def _write_thinned(
    path: Path, target: Path, kept: NDArray[np.float64], rng: np.random.Generator, *, label: str
) -> None:
    import pydicom
    from pydicom.uid import generate_uid

    data: Any = pydicom.dcmread(path)
    counts = data.pixel_array
    thinned = rng.binomial(counts, np.broadcast_to(kept, counts.shape)).astype(counts.dtype)
    data.PixelData = thinned.tobytes()
    if "CountsAccumulated" in data:
        data.CountsAccumulated = int(thinned.sum())
    # Another person's scan: files of one stay together.
    for name in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"):
        if name in data:
            setattr(data, name, generate_uid(entropy_srcs=[str(getattr(data, name)), label]))
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.save_as(target)
