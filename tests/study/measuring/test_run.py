"""A run: complete, resumable, the same for any number of workers, and deaf to what would name a person."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from filelock import FileLock

from sudeck.core.errors import InputError
from sudeck.core.provenance import library_versions
from sudeck.demo.study_on_disk import truth_folder
from sudeck.study.checks.check import check_study
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import record_decision
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.settings import read_settings
from sudeck.study.folder.tables import read_tables
from sudeck.study.measuring.engine import Progress
from sudeck.study.measuring.inputs import PatientInputs, gather_inputs
from sudeck.study.measuring.patient_measures import measure_patient
from sudeck.study.measuring.records import keep_record, stored_record
from sudeck.study.measuring.run import run_study
from sudeck.synthetic.study.study_plan import plan_study

NOT_COMPARED = {"run.json", ".lock"}  # when it ran, and who is at work


def results(root: Path) -> dict[str, bytes]:
    """Every file a run writes, by its path, without those that say when."""
    folder = StudyFolder(root).derivatives
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in NOT_COMPARED)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def undisturbed(pixel_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import shutil

    root = shutil.copytree(pixel_study, tmp_path_factory.mktemp("undisturbed") / "study")
    run_study(root, jobs=1)
    return root


def test_the_ratios_are_those_of_the_truth(undisturbed: Path) -> None:
    study = StudyFolder(undisturbed)
    for patient in plan_study(patients=4).patients:
        record = stored_record(study, patient.participant_id)
        assert record is not None
        estimates = record["scans"]["ses-pre"]["estimates"]
        for name, true in patient.ratios.items():
            assert estimates[name]["value"] == pytest.approx(true, rel=0.08), (patient.participant_id, name)


def test_the_truth_lies_outside_and_is_not_needed(undisturbed: Path) -> None:
    assert not truth_folder(undisturbed).exists()  # the fixture copied the study alone


def test_two_workers_give_the_same_bytes_as_one(
    undisturbed: Path, copy_of: Callable[..., Path], pixel_study: Path
) -> None:
    root = copy_of(pixel_study)
    given: list[Progress] = []
    summary = run_study(root, jobs=2, progress=given.append)
    assert summary.measured == summary.patients == 4
    assert [progress.done for progress in given] == [1, 2, 3, 4]
    assert given[-1].seconds_left == 0
    assert results(root) == results(undisturbed)


def test_unchanged_inputs_are_not_measured_again(undisturbed: Path, copy_of: Callable[..., Path]) -> None:
    root = copy_of(undisturbed)
    before = results(root)
    assert run_study(root, jobs=1).unchanged == 4
    assert results(root) == before
    settings = StudyFolder(root).settings_file
    settings.write_text(settings.read_text().replace("at_least = 30.0", "at_least = 50.0"))
    assert run_study(root, jobs=1).measured == 0, "another responder rule changes no measurement"
    (StudyFolder(root).patient_derivatives("sub-002") / "sub-002.json").unlink()
    assert run_study(root, jobs=1).measured == 1
    assert results(root) == before


def test_a_changed_file_is_measured_again(undisturbed: Path, copy_of: Callable[..., Path]) -> None:
    root = copy_of(undisturbed)
    study = StudyFolder(root)
    study.scan_files("sub-003", "ses-pre")[-1].unlink()
    summary = run_study(root, jobs=1)
    assert (summary.measured, summary.unchanged) == (1, 3)
    assert [(failure.participant_id, failure.measure) for failure in summary.failures] == [("sub-003", "BPr")]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the platform has no SIGKILL")
def test_killed_at_any_moment_and_run_again(
    undisturbed: Path, copy_of: Callable[..., Path], pixel_study: Path
) -> None:
    root = copy_of(pixel_study)
    code = (
        "import sys; from pathlib import Path; from sudeck.study.measuring.run import run_study\n"
        "def told(progress):\n    print(progress.done, flush=True)\n"
        "if __name__ == '__main__':\n    run_study(Path(sys.argv[1]), jobs=2, progress=told)\n"
    )
    script = root.parent / "start.py"
    script.write_text(code)
    process = subprocess.Popen([sys.executable, str(script), str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "1"
    workers = children_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 10
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, workers)), "workers outlived the run they belonged to"
    done = len(list(StudyFolder(root).derivatives.glob("sub-*/sub-*.json")))
    assert 1 <= done < 4
    (StudyFolder(root).derivatives / ".sudeck-half.part").write_text("half")
    assert run_study(root, jobs=2).unchanged == done
    assert results(root) == results(undisturbed)


@pytest.mark.parametrize(
    "damage", [{"scans": 3}, {"failures": [1]}, {"files": None}, {"recordings": {"a": []}}]
)
def test_a_record_that_was_changed_is_measured_again(
    undisturbed: Path, copy_of: Callable[..., Path], damage: dict[str, object]
) -> None:
    root = copy_of(undisturbed)
    file = StudyFolder(root).patient_derivatives("sub-002") / "sub-002.json"
    whole = json.loads(file.read_text())
    file.write_text(json.dumps({**whole, **damage}))
    assert stored_record(StudyFolder(root), "sub-002") is None
    file.write_text(json.dumps({name: part for name, part in whole.items() if name != "record_sha256"}))
    assert stored_record(StudyFolder(root), "sub-002") is None, "without its hash nobody knows"
    assert (run_study(root, jobs=1).measured, results(root)) == (1, results(undisturbed))


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_damaged_patient_stops_nobody(
    undisturbed: Path, copy_of: Callable[..., Path], pixel_study: Path
) -> None:
    root = copy_of(pixel_study)
    for path in StudyFolder(root).scan_files("sub-002", "ses-pre"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    summary = run_study(root, jobs=1)
    assert [failure.participant_id for failure in summary.failures] == ["sub-002"]
    assert summary.failures[0].kind == "refused"
    assert "cut short" in summary.failures[0].reason
    same, others = results(undisturbed), results(root)
    for name in (name for name in same if name.startswith(("sub-001/", "sub-003/", "sub-004/"))):
        assert others[name] == same[name]
    table = (StudyFolder(root).derivatives / "failures.tsv").read_text().splitlines()
    assert len(table) == 2
    assert table[1].startswith("sub-002\tses-pre\tscan\trefused\t")


def test_nothing_that_names_a_person_is_written(
    copy_of: Callable[..., Path], pixel_study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sudeck.report.study.patient_pages import present

    root = copy_of(pixel_study)
    study = StudyFolder(root)
    for path in study.scan_files("sub-001", "ses-pre"):
        dataset = pydicom.dcmread(path)
        dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = (
            "DUPONT^JEANNE",
            "K7304511",
            "19610203",
        )
        dataset.save_as(path.with_name(f"Dupont_Jeanne_19610203_{path.name}"))
        path.unlink()
    # A damaged file does not tell whose it is, so that only its name could be printed.
    broken = study.scan_files("sub-002", "ses-pre")[-1]
    broken.write_bytes(broken.read_bytes()[:1500])
    broken.rename(broken.with_name("K7304511 Dupont bone.dcm"))
    for number, path in enumerate(study.scan_files("sub-003", "ses-pre")):
        path.write_bytes(b"no image")
        path.rename(path.with_name(f"dupont{number}.dcm"))
    summary = run_study(root, jobs=1, present=present)
    print(summary, *summary.failures)
    spoken = capsys.readouterr().out.lower()
    assert "file-" in spoken
    written = {name: content.lower() for name, content in results(root).items()}
    written["run.json"] = (study.derivatives / "run.json").read_bytes().lower()
    for secret in ("dupont", "jeanne", "19610203", "k7304511"):
        assert secret not in spoken
        for name, content in written.items():
            assert secret not in name.lower()
            assert secret.encode() not in content, (secret, name)


def test_what_keeps_a_patient_out_is_named(copy_of: Callable[..., Path], undisturbed: Path) -> None:
    root = copy_of(undisturbed)
    study = StudyFolder(root)
    given = {"who": "NM", "session": "ses-pre"}
    record_decision(study, Decision("sub-001", "exclude", True, why="moved during the flow", **given))
    mistyped = Decision("sub-002", "side", "upwards", why="mistyped", when="2026-01-05", **given)
    (study.decisions / "sub-002").mkdir()
    (study.decisions / "sub-002" / "0001_side.json").write_text(json.dumps(mistyped.to_dict()))
    (study.decisions / "sub-003").mkdir()
    (study.decisions / "sub-003" / "0001_view.json").write_text("{")
    people = study.table_file("participants")
    lines = people.read_text().splitlines()
    people.write_text("\n".join([*lines[:4], "sub-909\t50\tF\tR\t1\thand\tleft\tn/a\t5\t70"]) + "\n")
    failures = {failure.participant_id: failure for failure in run_study(root, jobs=1).failures}
    assert "the decisions say why" in failures["sub-001"].reason
    assert "use left, right" in failures["sub-002"].reason
    assert "not readable JSON" in failures["sub-003"].reason
    assert "has no row" in failures["sub-004"].reason
    assert failures["sub-909"].kind == "absent"


def test_why_a_person_left_a_patient_out_is_printed_where_a_setting_allows_it(
    copy_of: Callable[..., Path], undisturbed: Path
) -> None:
    root = copy_of(undisturbed)
    study = StudyFolder(root)
    given = {"who": "NM", "session": "ses-pre"}
    record_decision(study, Decision("sub-001", "exclude", True, why="Dupont moved", **given))
    reasons = [failure.reason for failure in run_study(root, jobs=1).failures]
    assert not any("Dupont" in reason for reason in reasons)
    settings = study.settings_file
    settings.write_text(settings.read_text().replace("free_text = false", "free_text = true"))
    reasons = [failure.reason for failure in run_study(root, jobs=1).failures]
    assert any("Dupont moved" in reason for reason in reasons)


def test_one_run_at_a_time(undisturbed: Path) -> None:
    lock = FileLock(StudyFolder(undisturbed).derivatives / ".lock")
    with lock, pytest.raises(InputError, match="another run is at work"):
        run_study(undisturbed, jobs=1)


def test_a_new_version_of_a_library_is_a_new_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = PatientInputs("sub-001", "hand", "left", True, {}, {})
    before = patient.fingerprint({})
    versions = {**library_versions(), "numpy": "99.0"}
    monkeypatch.setattr("sudeck.study.measuring.inputs.library_versions", lambda: versions)
    assert patient.fingerprint({}) != before


def test_run_json_says_when_and_how(undisturbed: Path) -> None:
    log = json.loads((StudyFolder(undisturbed).derivatives / "run.json").read_text())
    assert log["patients"] == 4
    assert log["settings"]["region"] == "whole"
    assert log["libraries"]["numpy"]
    assert os.fspath(undisturbed) not in json.dumps(log)


def test_a_file_that_can_not_be_read_is_its_patients_problem(tmp_path: Path) -> None:
    there, gone = tmp_path / "01.dcm", tmp_path / "02.dcm"
    there.write_bytes(b"abc")
    patient = PatientInputs("sub-001", "hand", "left", True, {"ses-pre": (there, gone)}, {})
    before = patient.fingerprint({})
    gone.write_bytes(b"def")
    assert patient.fingerprint({}) != before


def test_a_side_decided_counts_more_than_the_table(pixel_study: Path, copy_of: Callable[..., Path]) -> None:
    study = StudyFolder(copy_of(pixel_study))
    rows = read_tables(study)["participants"].rows[:1]
    pid, listed = str(rows[0]["participant_id"]), str(rows[0]["affected_side"])
    other = "left" if listed == "right" else "right"
    record_decision(study, Decision(pid, "side", other, "NM", "the letter says so", session="ses-pre"))
    record_decision(study, Decision(pid, "accepted", True, "NM", "looks right", session="ses-pre"))
    patient = gather_inputs(study, rows)[0]
    record = measure_patient(patient, read_settings(study), fingerprint="").to_dict()
    assert record["scans"]["ses-pre"]["affected"] == other
    assert record["accepted"]["ses-pre"][0]["who"] == "NM"
    keep_record(study, measure_patient(patient, read_settings(study), fingerprint=""))
    path = study.decisions / f"{pid}.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])  # the last line is gone
    assert any("gone or changed" in str(problem) for problem in check_study(study, pixels=False).serious)
