"""Small synthetic studies: one on pixels, one of tables and records alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from sudeck.demo.study_on_disk import make_demo_study, write_study_tables
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.patient_measures import PatientRecord
from sudeck.study.measuring.records import keep_record
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.scan.bone_scan import BoneScanDesign, simulate_bone_scan
from sudeck.synthetic.study.study_plan import plan_study

PATIENTS = 4


@pytest.fixture(scope="session")
def pixel_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of four scanned patients, not measured yet; to be copied, not changed."""
    root = tmp_path_factory.mktemp("pixels") / "study"
    make_demo_study(root, patients=PATIENTS, jobs=1)
    return root


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[..., Path]:
    """Copy a study into a folder of this test."""

    def copy(root: Path, name: str = "study") -> Path:
        return shutil.copytree(root, tmp_path / name)

    return copy


@pytest.fixture(scope="session")
def measured_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of 80 patients with records as a run would leave them, made from tables without pixels."""
    root = tmp_path_factory.mktemp("tables") / "study"
    study = create_study(root).study
    plan = plan_study(patients=80, seed=7)
    write_study_tables(study, plan)
    for row in plan.cohort.scans.to_dict("records"):
        write_record(study, str(row["participant_id"]), row)
    return root


def write_record(study: StudyFolder, pid: str, ratios: Mapping[Any, Any]) -> None:
    """Write a record of the three phase ratios and what follows from them."""
    names = ("VPr", "TPr", "BPr")
    estimates = {name: {"value": ratios[name], "se": ratios[f"{name}_log_se"]} for name in names}
    for over, under in (("TPr", "VPr"), ("BPr", "TPr"), ("BPr", "VPr")):
        se = (ratios[f"{over}_log_se"] ** 2 + ratios[f"{under}_log_se"] ** 2) ** 0.5
        estimates[f"{over}/{under}"] = {"value": ratios[over] / ratios[under], "se": se}
    keep_record(study, PatientRecord(pid, "by hand", scans={"ses-pre": {"estimates": estimates}}))


@dataclass(frozen=True)
class Planted:
    """A bone scan whose files, folder and headers name a patient who does not exist."""

    folder: Path
    name: str = "DUPONTEL^JEHANNE"
    record: str = "MRN-7788990"
    birth: str = "19610203"
    words: tuple[str, ...] = ("dupontel", "jehanne", "7788990", "19610203", "1961-02-03", "03.02.1961")

    def leaks(self, *roots: Path) -> list[str]:
        """Name every file under some folders whose name or content says who the patient is."""
        found = []
        for path in (
            path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*")))
        ):
            text = path.name.lower().encode() + (path.read_bytes().lower() if path.is_file() else b"")
            found += [f"{path.name}: {word}" for word in self.words if word.encode() in text]
        return found

    def mark(self, path: Path) -> None:
        """Write name, birth date and record number wherever cameras and people put them."""
        dataset = pydicom.dcmread(path)
        dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = self.name, self.record, self.birth
        dataset.InstitutionName = "Clinique Dupontel"
        dataset.ReferringPhysicianName = "DUPONTEL^PAUL"
        dataset.StudyDescription = f"{dataset.StudyDescription} Jehanne Dupontel"
        dataset.SeriesDescription = f"{dataset.SeriesDescription} DUPONTEL 03.02.1961"
        dataset.ImageComments = f"patient {self.record}, born {self.birth}"
        dataset.OtherPatientIDs = self.record
        asked = Dataset()
        asked.RequestedProcedureDescription = "for Mme Dupontel"
        dataset.RequestAttributesSequence = [asked]
        dataset.private_block(0x0009, "GEMS_GENIE_1", create=True).add_new(0x40, "LO", self.name)
        dataset.private_block(0x0029, "ACME 1.0", create=True).add_new(0x01, "LO", self.record)
        dataset.add_new(0x60003000, "OW", b"DUPONTEL JEHANNE")
        dataset.save_as(path)


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """One bone scan with a planted identity; to be read, not changed."""
    folder = tmp_path_factory.mktemp("camera") / "DUPONTEL_JEHANNE_19610203"
    scan = simulate_bone_scan(BoneScanDesign(), rng=np.random.default_rng(5))
    patient = Planted(folder)
    for path in write_bone_scan(scan, folder):
        patient.mark(path)
        path.rename(folder / f"Dupontel_{path.name}")
    return patient


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    """A new study."""
    return create_study(tmp_path / "my-study").study


@pytest.fixture
def filled(study: StudyFolder) -> StudyFolder:
    """A study of two patients with their pain scores; nothing is wrong with it."""
    header = "participant_id age sex handedness crps_type limb affected_side duration_months weight_kg"
    people = ("sub-001 50 F R 1 hand right 9 60", "sub-002 40 M L 1 foot right 4 80")
    study.table_file("participants").write_text(
        "".join("\t".join(line.split()) + "\n" for line in (header, *people))
    )
    rows = ["participant_id\tvisit\tday\tnrs"]
    visits = (("baseline", 0), ("day 5", 5), ("week 4", 28), ("week 12", 84))
    for patient, scores in (("sub-001", (7, 4.9, 5, 6)), ("sub-002", (6, 5, 5, 6))):
        rows += [f"{patient}\t{name}\t{day}\t{nrs}" for (name, day), nrs in zip(visits, scores, strict=True)]
    study.table_file("pain").write_text("\n".join(rows) + "\n")
    return study
