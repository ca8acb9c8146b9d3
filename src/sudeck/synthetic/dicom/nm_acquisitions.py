"""Which images of a synthetic study go into which file, and when each was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import SCAN_PHASES, ScanPhase
from sudeck.synthetic.dicom.nm_dialects import DialectRules
from sudeck.synthetic.scan.bone_scan import SyntheticBoneScan

_WORDS: Final[dict[ScanPhase, str]] = {"vascular": "FLOW", "tissue": "POOL", "bone": "DELAYED"}


@dataclass(frozen=True)
class PhaseBlock:
    """The frames of one phase of the scan, by detector, when they began and how long each took."""

    by_detector: Sequence[NDArray[np.uint16]]
    begins_s: float
    frame_s: float

    @property
    def ends_s(self) -> float:
        """When the last frame ended."""
        return self.begins_s + self.frame_s * len(self.by_detector[0])


@dataclass(frozen=True)
class PlannedAcquisition:
    """One file to be: its blocks are phases in the sense of DICOM."""

    name: str
    words: str
    dynamic: bool
    spacing_mm: float
    blocks: Sequence[PhaseBlock]

    def frames(self) -> NDArray[np.uint16]:
        """Return the frames as stored: all of the first detector, then all of the second."""
        detectors = range(len(self.blocks[0].by_detector))
        return np.concatenate([block.by_detector[number] for number in detectors for block in self.blocks])


def acquisitions_of(scan: SyntheticBoneScan, rules: DialectRules) -> list[PlannedAcquisition]:
    """Return the files of a study to be, in the order they were acquired.

    Raises
    ------
    InputError
        If images of different matrix or pixel size would share a file.
    """
    design = scan.design
    duration: dict[ScanPhase, float]
    begins: dict[ScanPhase, float]
    duration = {"vascular": design.flow_frame_s, "tissue": design.pool_s, "bone": design.delayed_s}
    begins = {"vascular": 0.0, "tissue": design.pool_after_s, "bone": 3600.0 * design.delayed_after_h}
    blocks: dict[ScanPhase, PhaseBlock] = {}
    for phase in SCAN_PHASES:
        frames = [scan.counts[phase], *([scan.opposed_counts[phase]] if scan.opposed_counts else [])]
        blocks[phase] = PhaseBlock(frames, begins[phase], duration[phase])
    groups: list[tuple[ScanPhase, ...]] = [("vascular",), ("tissue",), ("bone",)]
    if rules.together:
        groups = [("vascular", "tissue"), ("bone",)]
    made = []
    for phases in groups:
        shapes = {(design.matrix_of(phase), design.spacing_of(phase)) for phase in phases}
        if len(shapes) > 1:
            raise InputError(
                "single-file",
                "flow and pool differ in matrix or pixel size",
                "give both the same, or two files",
            )
        made.append(
            PlannedAcquisition(
                name="_and_".join(_WORDS[phase].lower() for phase in phases),
                words=" AND ".join(_WORDS[phase] for phase in phases),
                dynamic="vascular" in phases,
                spacing_mm=design.spacing_of(phases[0]),
                blocks=[blocks[phase] for phase in phases],
            )
        )
    return made
