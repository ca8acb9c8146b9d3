"""Faults planted on purpose, which must make goals fail: a table that passes under them proves nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import numpy as np

from sudeck.core.claim import page_error
from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from sudeck.mechanism.group_statistics import GroupStatistics
    from sudeck.scan.limbs.geometry import Similarity
    from sudeck.scan.limbs.poses import PhasePose, Poses
    from sudeck.study.folder.layout import StudyFolder

_HOLM_REMOVED: Final = "holm-removed"
MIRROR_SHIFTED: Final = "mirror-shifted"
_SHIFT_MM: Final = 3.0
FAULTS: Final = {
    "errors-halved": "Every interval is half as wide as it should be.",
    "sides-swapped": "The painful side and the other are mixed up.",
    _HOLM_REMOVED: "Tests do not share their 5 %, neither on a page nor between the pages.",
    MIRROR_SHIFTED: f"The counterpart on the healthy limb lies {_SHIFT_MM:g} mm too far down.",
}
_CONTROLS: Final = (
    ("sudeck.mechanism.published_pattern._controlled", lambda judgements, alpha: tuple(judgements)),
    (
        "sudeck.report.study.words._holm",
        lambda p, alpha: [name for name, value in p.items() if value < alpha],
    ),
)


def find_fault(name: str) -> str:
    """Return the name of a fault, or an empty one as it is.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name and name not in FAULTS:
        raise InputError(name, "no fault is called so", f"use one of {', '.join(FAULTS)}")
    return name


@contextmanager
def planted(fault: str) -> Iterator[None]:
    """Answer without control of several tests, where that is the fault; otherwise change nothing."""
    patches = [mock.patch(where, without) for where, without in _CONTROLS if fault == _HOLM_REMOVED]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def unshared(alpha: float, fault: str) -> float:
    """Return the error of a page of two, or all of it where pages do not share it."""
    return page_error(1) if fault == _HOLM_REMOVED else alpha


def scans_with_mirror_shifted(study: StudyFolder, patient: str) -> Mapping[str, Any]:
    """Return the scans of a patient as a record keeps them, measured anew under `MIRROR_SHIFTED`."""
    from sudeck.scan.joint_pose import with_posture
    from sudeck.study.folder.settings import read_settings
    from sudeck.study.folder.tables import read_tables
    from sudeck.study.measuring.inputs import patient_inputs
    from sudeck.study.measuring.patient_measures import measure_patient

    def shifted(*args: Any, **more: Any) -> Poses:
        poses = with_posture(*args, **more)
        return replace(poses, phases={name: _shifted(pose) for name, pose in poses.phases.items()})

    rows = {str(row["participant_id"]): row for row in read_tables(study)["participants"].rows}
    scan_alone = replace(patient_inputs(study, patient, rows.get(patient)), recordings={})
    with mock.patch("sudeck.scan.posing.with_posture", shifted):
        return measure_patient(scan_alone, read_settings(study), fingerprint="").scans


def _shifted(pose: PhasePose) -> PhasePose:
    mirror = replace(pose.mirror, transform=_lower(pose.mirror.transform))
    if pose.joint is None:
        return replace(pose, mirror=mirror)
    mirrors = {name: _lower(there) for name, there in pose.joint.mirrors.items()}
    return replace(pose, mirror=mirror, joint=replace(pose.joint, mirrors=mirrors, readings={}))


def _lower(there: Similarity) -> Similarity:
    return replace(there, offset=there.offset + np.array([0.0, _SHIFT_MM]))


def swapped_sides(measures: pd.DataFrame, fault: str) -> pd.DataFrame:
    """Return measures with the hemispheres mixed up, where that is the fault."""
    if fault != "sides-swapped":
        return measures
    other = {"pain": "other", "other": "pain"}
    return measures.assign(hemisphere=measures["hemisphere"].map(other))


def with_halved_errors(group: GroupStatistics, fault: str) -> GroupStatistics:
    """Return the statistics with every change's error halved, where that is the fault."""
    if fault != "errors-halved":
        return group
    changes: tuple[Any, ...] = tuple(
        replace(change, ratio=halved(change.ratio)) for change in group.changes.changes
    )
    return replace(group, changes=replace(group.changes, changes=changes))


def halved(estimate: Estimate) -> Estimate:
    """Return a ratio with half its error.

    Examples
    --------
    >>> print(halved(Estimate.from_log("BPr", math.log(1.3), 0.02)))
    BPr 1.300 (95 % interval 1.275 to 1.326)
    """
    low, high = (
        estimate.value * math.sqrt(bound / estimate.value) for bound in (estimate.low, estimate.high)
    )
    se = None if estimate.se is None else estimate.se / 2
    return replace(estimate, low=low, high=high, se=se)


def with_fault(estimate: Mapping[str, Any], fault: str) -> Mapping[str, Any]:
    """Return a measured ratio, as a result file keeps it, with a fault of `FAULTS` put in."""
    value, low, high, se = (estimate[name] for name in ("value", "low", "high", "se"))
    if fault == "errors-halved":
        low, high = (value * math.sqrt(bound / value) for bound in (low, high))
        se = None if se is None else se / 2
    elif fault == "sides-swapped":
        value, low, high = 1 / value, 1 / high, 1 / low
    return {**estimate, "value": value, "low": low, "high": high, "se": se}
