"""Remake report.png: the top of the report of a synthetic study of the hands, as Chromium shows it.

Run from anywhere, with Chromium on the path: ``python docs/images/make_report_image.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from browser import photograph

from sudeck.report.scan.page import scan_report
from sudeck.scan.measurement import measure_scan
from sudeck.scan.phases.phase_series import read_scan
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.scan.bone_scan import simulate_bone_scan
from sudeck.synthetic.scan.scan_design import BoneScanDesign

TARGET = Path(__file__).with_name("report.png")
SIZE = (1000, 1330)
DESIGN = BoneScanDesign(
    VPr=1.22,
    TPr=1.27,
    BPr=1.265,
    periarticular=0.5,
    rotation_deg=-7.0,
    scale=0.98,
    splay_deg=4.0,
    counts_per_limb={"vascular": 20_000.0, "tissue": 40_000.0, "bone": 160_000.0},
    arrival_s={"left": 16.0, "right": 13.5},
)


def main() -> None:
    """Simulate, measure, render, photograph."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_bone_scan(simulate_bone_scan(DESIGN, rng=np.random.default_rng(1900)), folder / "dicom")
        result = measure_scan(read_scan([folder / "dicom"]), affected=DESIGN.affected)
        photograph(scan_report(result), TARGET, SIZE)


if __name__ == "__main__":
    main()
