"""Three-phase bone scan: DICOM files in; six ratios, their intervals and their pixels out.

Read in the order of the data: `reading` (files to counts with times and sides), `phases` (which image is
which phase), `limbs` (found and laid over each other), `ratios` (regions, uptake, errors), then `posing`,
`measurement` and `result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.scan.measurement import MeasureSettings, measure_region, measure_scan
    from sudeck.scan.phases.phase_series import BoneScan, PhaseSeries, read_scan
    from sudeck.scan.posing import PosedScan, pose_scan
    from sudeck.scan.result import ScanResult

__all__ = [
    "BoneScan",
    "MeasureSettings",
    "PhaseSeries",
    "PosedScan",
    "ScanResult",
    "measure_region",
    "measure_scan",
    "pose_scan",
    "read_scan",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    measurement="MeasureSettings measure_region measure_scan",
    phases__phase_series="BoneScan PhaseSeries read_scan",
    posing="PosedScan pose_scan",
    result="ScanResult",
)
