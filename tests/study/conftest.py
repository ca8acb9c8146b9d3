"""Small synthetic studies: one on pixels, one of tables and records alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sudeck.study.create import create_study
from sudeck.study.demo_study import make_demo_study, write_study_tables
from sudeck.study.layout import StudyFolder
from sudeck.study.measures import PatientRecord
from sudeck.study.records import keep_record
from sudeck.synthetic.study import plan_study

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
