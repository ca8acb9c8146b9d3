"""What `sudeck inspect` shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sudeck.core.errors import InputError
from sudeck.scan.phases.scan_inspection import inspect_scan


def test_a_study_with_company(study: Any) -> None:
    study.three_phases()
    study.write("pair.dcm", study.pair())
    (study.folder / "notes.txt").write_text("x")
    found = inspect_scan([study.folder])
    assert found.used == {"vascular": "flow.dcm", "tissue": "pool.dcm", "bone": "pair.dcm"}
    assert not found.refusal
    flow = next(file for file in found.files if file.label == "flow.dcm")
    (group,) = flow.groups
    assert (group.first, group.last, group.frame_s, group.view) == (1, 20, 3.0, "anterior")
    assert flow.used_for == ("vascular",)
    text = str(found)
    assert "frames 1-20: detector 1, phase 1, window 1, anterior, 3 s each from 0 s" in text
    assert "delayed.dcm: not used for the bone phase: pair.dcm has more counts" in text
    assert "notes.txt: this is not a DICOM file" in text
    assert "durand" not in text.lower()
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["used"]["bone"] == "pair.dcm"
    assert plain["files"][0]["groups"][0]["detector"] == 1


def test_a_refused_folder_is_still_shown(study: Any) -> None:
    study.three_phases()
    other = study.delayed()
    other.PatientID = "OTHER"
    study.write("other.dcm", other)
    found = inspect_scan([study.folder])
    assert "2 patients" in found.refusal
    assert len(found.files) == 4
    assert not found.used
    assert "Nothing can be measured" in str(found)


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        inspect_scan([tmp_path / "nowhere"])


def test_every_shared_folder_can_be_inspected(shared: Path) -> None:
    for folder in ("odd", "real", "semireal"):
        found = inspect_scan([shared / "scan" / folder])
        json.dumps(found.to_dict())
        for word in ("berra", "compressedsamples", "semireal^"):
            assert word not in str(found).lower()
