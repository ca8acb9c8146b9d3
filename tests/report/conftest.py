"""A measured synthetic study for the tests of reports, made once; its files name a patient on purpose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sudeck.scan.measurement import measure_scan
from sudeck.scan.phases.phase_series import read_scan
from sudeck.scan.result import ScanResult
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.scan.bone_scan import simulate_bone_scan
from sudeck.synthetic.scan.scan_design import BoneScanDesign

PATIENT_NAME = "VESALIUS^ANDREAS"
PATIENT_ID = "MRN7719340"


@pytest.fixture(scope="session")
def result(tmp_path_factory: pytest.TempPathFactory) -> ScanResult:
    """Hands, right affected, VPr 1.3, TPr 1.25, BPr 1.6; a file that is no image bears the patient's name."""
    folder = tmp_path_factory.mktemp("study")
    counts = {"vascular": 60_000.0, "tissue": 80_000.0, "bone": 150_000.0}
    design = BoneScanDesign(VPr=1.3, TPr=1.25, BPr=1.6, rotation_deg=6.0, counts_per_limb=counts)
    scan = simulate_bone_scan(design, rng=np.random.default_rng(4))
    write_bone_scan(scan, folder, patient_name=PATIENT_NAME, patient_id=PATIENT_ID)
    Path(folder / "vesalius notes.txt").write_text("andreas vesalius", encoding="utf-8")
    return measure_scan(read_scan([folder]), affected="right")
