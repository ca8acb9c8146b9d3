"""Patients whose truth is known: bone scans, recordings and whole studies, written as real files.

A design and a random generator come in; images, traces and tables with their truth go out. Read `limbs`,
`scan`, `dicom` for the camera, `emg` for the stimulator, `study` for the patients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
    from sudeck.synthetic.emg.demo_recordings import make_demo_recordings
    from sudeck.synthetic.emg.emg_files import write_brainvision, write_edf, write_trials_csv
    from sudeck.synthetic.emg.synthetic_recording import (
        SyntheticRecording,
        VirtualHemisphere,
        simulate_emg,
        simulate_trials,
    )
    from sudeck.synthetic.scan.bone_scan import SyntheticBoneScan, simulate_bone_scan
    from sudeck.synthetic.scan.random_designs import random_design
    from sudeck.synthetic.scan.scan_design import BoneScanDesign
    from sudeck.synthetic.study.study_plan import SyntheticStudy, plan_study
    from sudeck.synthetic.study.synthetic_cohort import SyntheticCohort, draw_cohort

__all__ = [
    "BoneScanDesign",
    "SyntheticBoneScan",
    "SyntheticCohort",
    "SyntheticRecording",
    "SyntheticStudy",
    "VirtualHemisphere",
    "draw_cohort",
    "make_demo_recordings",
    "plan_study",
    "random_design",
    "simulate_bone_scan",
    "simulate_emg",
    "simulate_trials",
    "write_bone_scan",
    "write_brainvision",
    "write_edf",
    "write_trials_csv",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    dicom__nm_dicom="write_bone_scan",
    emg__demo_recordings="make_demo_recordings",
    emg__emg_files="write_brainvision write_edf write_trials_csv",
    emg__synthetic_recording="SyntheticRecording VirtualHemisphere simulate_emg simulate_trials",
    scan__bone_scan="SyntheticBoneScan simulate_bone_scan",
    scan__random_designs="random_design",
    scan__scan_design="BoneScanDesign",
    study__synthetic_cohort="SyntheticCohort draw_cohort",
    study__study_plan="SyntheticStudy plan_study",
)
