"""A small study with a treatment worth the name: steps, a gap, a bolus, salt, co-medication, safety."""

from __future__ import annotations

from pathlib import Path

from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import TABLES

ROWS = {
    "participants": ("sub-001 hand right 70", "sub-002 foot left 60", "sub-003 hand left 80"),
    "sessions": (
        "sub-001 ses-pre 0 10:00",
        "sub-001 ses-post 3 09:00",
        "sub-002 ses-post 3 09:00",
    ),
    "pain": (
        "sub-001 baseline 0 8",
        "sub-001 day_5 2 4",
        "sub-002 baseline 0 6",
        "sub-002 day_5 5 5",
    ),
    "treatment": (
        "sub-001 1 ketamine base 20 0 intravenous 09:00 1",
        "sub-001 1 ketamine base 40 2 intravenous 09:00 2",
        "sub-001 1 ketamine base 60 2 intravenous 11:00 2",
        "sub-001 2 ketamine base 90 4 intravenous 09:00 1",
        "sub-001 2 lorazepam n/a 1 n/a oral 09:00 n/a",
        "sub-002 1 ketamine hydrochloride 100 4 intravenous 09:00 1",
        "sub-003 1 ketamine base 100 n/a oral 09:00 1",
    ),
    "adverse_effects": ("sub-001 1 nausea", "sub-002 1 dizziness"),
    "labs": (
        "sub-001 0 ALT 30 U/L 40 n/a",
        "sub-001 3 ALT 130 U/L 40 n/a",
        "sub-002 3 ALT 50 U/L n/a n/a",
        "sub-001 1 ketamine 0.2 mg/L n/a 10:00",
        "sub-001 2 ketamine 150 ng/ml n/a 11:00",
        "sub-001 1 esketamine 90 ng/ml n/a 10:00",
        "sub-001 2 ketamine 7 drops n/a 10:00",
    ),
    "vitals": ("sub-001 1 171 60", "sub-002 1 140 20"),
}
COLUMNS = {
    "participants": "participant_id limb affected_side weight_kg",
    "sessions": "participant_id session_id day time",
    "pain": "participant_id visit day nrs",
    "treatment": "participant_id day drug dose_form dose_mg duration_h route start_time infusion",
    "adverse_effects": "participant_id day effect",
    "labs": "participant_id day test value unit upper_limit time",
    "vitals": "participant_id day systolic_mmhg dissociation",
}
_LIMIT = '\n[[ketamine.limits]]\nmeasure = "systolic_mmhg"\nabove = 160\n'


def write_rows(study: StudyFolder, name: str, *rows: str) -> None:
    """Write a table of the study from rows with spaces; an underscore in a visit stands for one."""
    lines = [COLUMNS[name], *rows]
    cells = ["\t".join(line.split()).replace("day_5", "day 5") for line in lines]
    path = study.root / TABLES[name].path
    path.write_text("\n".join(cells) + "\n", encoding="utf-8")


def make_treated_study(root: Path) -> StudyFolder:
    """Write the study."""
    study = create_study(root, name="Treated").study
    for name, rows in ROWS.items():
        write_rows(study, name, *rows)
    settings = study.settings_file.read_text(encoding="utf-8")
    study.settings_file.write_text(settings + _LIMIT, encoding="utf-8")
    return study
