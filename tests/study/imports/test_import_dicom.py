"""Import of scans: sorted, de-identified, repeatable, and never at the cost of what is there."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.cli.study_setup import who
from sudeck.core.errors import InputError
from sudeck.study.checks.check import check_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.tables import read_tables
from sudeck.study.imports.import_dicom import import_dicom


def content(study: StudyFolder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(study.root.rglob("*")) if path.is_file()}


def test_a_dry_run_writes_nothing_and_says_what_follows(planted: Any, study: StudyFolder) -> None:
    before = content(study)
    dry = import_dicom(study, [planted.folder], dry_run=True)
    assert content(study) == before
    assert not study.default_key_file.exists()
    done = import_dicom(study, [planted.folder], key=dry.key)
    assert done.files == dry.files
    assert {file.action for file in done.files} == {"new"}
    assert len(study.scan_files("sub-001", "ses-pre")) == len(done.files)
    again = import_dicom(study, [planted.folder])
    assert {file.action for file in again.files} == {"unchanged"}
    assert (study.root / again.report).is_file()
    assert [row["participant_id"] for row in read_tables(study)["participants"].rows] == ["sub-001"]


def test_the_identity_is_in_no_file_name_log_or_key(planted: Any, study: StudyFolder) -> None:
    result = CliRunner().invoke(app, ["import", str(study.root), "--dicom", str(planted.folder), "--yes"])
    assert result.exit_code == 0
    check = CliRunner().invoke(app, ["check", str(study.root)])
    assert check.exit_code == 1  # the rows of the tables are still to be completed
    assert not planted.leaks(study.root, study.default_key_file)
    said = (result.output + check.output).lower()
    assert not [word for word in planted.words if word in said]


def test_one_bad_file_stops_nobody(planted: Any, study: StudyFolder, tmp_path: Path) -> None:
    folder = shutil.copytree(planted.folder, tmp_path / "in")
    (folder / "Dupontel_letter.pdf").write_bytes(b"%PDF Dupontel")
    (folder / "empty.dcm").write_bytes(b"")
    first = sorted(folder.glob("*.dcm"))[0]
    shutil.copy(first, folder / "copy.dcm")
    done = import_dicom(study, [folder])
    actions = sorted(file.action for file in done.files)
    assert actions.count("refused") == 2
    assert actions.count("copy") == 1
    assert all(file.reason for file in done.files if file.action != "new")
    assert not planted.leaks(study.root)


def test_patients_and_studies_are_told_apart(planted: Any, study: StudyFolder, tmp_path: Path) -> None:
    source = sorted(planted.folder.glob("*.dcm"))[-1]
    for number, (record, name, uid) in enumerate(
        [
            ("A1", "ONE", "1.2.1"),
            ("A1", "ONE", "1.2.2"),
            ("B2", "TWO", "1.2.3"),
            ("C3", "X", "1.2.4"),
            ("C3", "Y", "1.2.5"),
        ]
    ):
        dataset = pydicom.dcmread(source)
        dataset.PatientID, dataset.PatientName = record, name
        dataset.StudyInstanceUID, dataset.SOPInstanceUID = uid, f"1.2.9.{number}"
        dataset.save_as(tmp_path / f"{number}.dcm")
    done = import_dicom(study, [tmp_path / f"{n}.dcm" for n in range(5)], pseudonyms={"A1": "sub-042"})
    places = [(file.action, file.patient, file.session) for file in done.files]
    assert sorted(places[:2]) == [("new", "sub-042", "ses-pre"), ("new", "sub-042", "ses-pre2")]
    assert places[2] == ("new", "sub-001", "ses-pre")
    assert [place[0] for place in places[3:]] == ["refused", "refused"]


def test_a_file_that_is_there_stays(planted: Any, study: StudyFolder) -> None:
    import_dicom(study, [planted.folder])
    path = study.scan_files("sub-001", "ses-pre")[0]
    path.write_bytes(path.read_bytes() + b"\0\0")
    before = path.read_bytes()
    assert "kept" in {file.action for file in import_dicom(study, [planted.folder]).files}
    assert path.read_bytes() == before


def test_a_lost_key_is_not_replaced(planted: Any, study: StudyFolder) -> None:
    import_dicom(study, [planted.folder])
    study.default_key_file.unlink()
    with pytest.raises(InputError, match="put it back"):
        import_dicom(study, [planted.folder])


def test_files_that_still_name_somebody_are_found(planted: Any, filled: StudyFolder) -> None:
    shutil.copytree(planted.folder, filled.scan_folder("sub-001", "ses-pre"))
    said = [str(problem) for problem in check_study(filled, pixels=False).serious]
    assert any("carry an identity" in text for text in said)
    assert not [word for word in planted.words if word in " ".join(said).lower()]


def test_what_looks_like_a_pseudonym_is_not_taken_for_one(
    planted: Any, study: StudyFolder, tmp_path: Path
) -> None:
    dataset = pydicom.dcmread(sorted(planted.folder.glob("*.dcm"))[-1])
    dataset.PatientID = "sub-Dupontel"
    dataset.save_as(tmp_path / "in.dcm")
    done = import_dicom(study, [tmp_path / "in.dcm"])
    assert [file.patient for file in done.files] == ["sub-001"]
    assert not planted.leaks(study.root)
    again = import_dicom(study, list(study.scan_files("sub-001", "ses-pre")))
    assert [(file.action, file.patient) for file in again.files] == [("refused", "")]
    assert "--ids" in again.files[0].reason


def test_nothing_is_written_where_nobody_can_be_asked(planted: Any, study: StudyFolder) -> None:
    before = content(study)
    result = CliRunner().invoke(app, ["import", str(study.root), "--dicom", str(planted.folder)])
    assert "--yes" in result.output
    assert content(study) == before


def test_who_is_who_on_a_screen_alone(
    planted: Any, study: StudyFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = import_dicom(study, [planted.folder])
    with pytest.raises(InputError, match="terminal"):
        who(study.root, ["sub-001"], "", "")
    monkeypatch.setattr("sudeck.cli.study_setup.sys.stdout.isatty", lambda: True, raising=False)
    who(study.root, [planted.record, "NOBODY-1"], "2025-03-15", "")
    first, second = capsys.readouterr().out.splitlines()
    day = date(2025, 3, 15) + done.key.shift("sub-001")
    assert first.startswith(f"{planted.record}: sub-001, dates moved by ")
    assert first.endswith(f"2025-03-15 is {day} in the study")
    assert second == "NOBODY-1: not imported yet"


def test_a_key_inside_the_study_is_found(filled: StudyFolder) -> None:
    settings = filled.settings_file
    settings.write_text(settings.read_text().replace('"../my-study.key.json"', '"my.key.json"'))
    (filled.root / "my.key.json").write_text("{}")
    assert any("inside the study" in str(problem) for problem in check_study(filled).serious)


def test_a_dry_run_writes_the_pseudonyms_that_the_import_keeps(
    planted: Any, study: StudyFolder, tmp_path: Path
) -> None:
    ids = tmp_path / "ids.csv"
    words = ["import", str(study.root), "--dicom", str(planted.folder), "--ids", str(ids)]
    result = CliRunner().invoke(app, [*words, "--dry-run"])
    header, line = ids.read_text().splitlines()
    assert header.startswith("record_number,participant_id,age,")
    assert line == f"{planted.record},sub-001" + "," * (header.count(",") - 1)
    assert ids.stat().st_mode & 0o077 == 0
    assert planted.record not in result.output
    ids.write_text(ids.read_text().replace("sub-001", "sub-A7"))
    CliRunner().invoke(app, [*words, "--yes"])
    assert study.patients() == ("sub-A7",)
    inside = [*words[:-1], str(study.root / "ids.csv"), "--dry-run"]
    assert "inside the study" in str(CliRunner().invoke(app, inside).exception)
    assert not (study.root / "ids.csv").exists()
