"""`sudeck run`, `sudeck predict`, `sudeck plan` as a user types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import InputError
from sudeck.demo.study_on_disk import make_demo_study
from sudeck.study.folder.layout import StudyFolder


def test_run_then_predict(tmp_path: Path) -> None:
    root = tmp_path / "study"
    make_demo_study(root, patients=3, jobs=1)
    for path in StudyFolder(root).scan_files("sub-002", "ses-pre"):
        path.write_bytes(b"")
    done = CliRunner().invoke(app, ["run", str(root), "--jobs", "1"])
    assert done.exit_code == 0
    assert "3 patients: 3 measured" in done.output
    assert "sub-002" in done.output
    assert (StudyFolder(root).patient_derivatives("sub-001") / "ses-pre_scan.html").is_file()
    said = CliRunner().invoke(app, ["predict", str(root)])
    assert said.exit_code == 0
    assert "3 patients, 2 with a measured scan" in said.output
    assert "Not done, model" in said.output
    assert (StudyFolder(root).derivatives / "report.html").is_file()


def test_plan() -> None:
    done = CliRunner().invoke(app, ["plan", "--prevalence", "0.174", "--c", "0.8", "--r2", "0.2"])
    assert done.exit_code == 0
    assert "To develop a model of 4 coefficients" in done.output
    assert "To develop a model of relief" in done.output
    assert "Riley et al." in done.output


def test_refusals(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for words in (["run", str(tmp_path / "empty")], ["predict", str(tmp_path / "empty")]):
        with pytest.raises(InputError, match="sudeck init"):
            CliRunner().invoke(app, words, catch_exceptions=False)
    with pytest.raises(InputError, match="add --patient"):
        CliRunner().invoke(app, ["predict", str(tmp_path), "--model", "m.json"], catch_exceptions=False)


def test_a_decision_is_worded_and_kept(tmp_path: Path) -> None:
    runner = CliRunner()
    study = tmp_path / "study"
    runner.invoke(app, ["init", str(study)])
    (study / "participants.tsv").write_text(
        "participant_id\tlimb\taffected_side\nsub-001\thand\tleft\n", encoding="utf-8"
    )
    for session in ("ses-pre", "ses-post"):
        folder = study / "sourcedata" / "sub-001" / session / "tms"
        folder.mkdir(parents=True)
        (folder / "rest.csv").write_text("a,b\n")
    given = ["--who", "NM", "--why", "spike of the mains"]
    refused = runner.invoke(app, ["decide", str(study), "sub-001", "reject", "trial", "17", *given])
    assert "--session" in str(refused.exception)
    done = runner.invoke(
        app, ["decide", str(study), "sub-001", "reject", "trial", "17", *given, "--session", "ses-pre"]
    )
    assert done.exit_code == 0, done.output
    assert "sub-001 ses-pre trial trial 17" in runner.invoke(app, ["decide", str(study), "sub-001"]).output
    own = ["decide", str(study), "sub-001", "side", "left", "--why", "as the letter says"]
    assert "decided by kb" in runner.invoke(app, own, env={"LOGNAME": "kb", "SUDECK_WHO": ""}).output
    assert "it does not say why" in str(runner.invoke(app, own[:-2]).exception)
    nobody = runner.invoke(app, ["decide", str(study), "sub-404", "side", "left", *given])
    assert "does not know" in str(nobody.exception)
    nowhere = ["exclude", "scan", *given, "--session", "ses-pre"]
    no_scan = runner.invoke(app, ["decide", str(study), "sub-001", *nowhere])
    assert "ses-pre has no bone scan" in str(no_scan.exception)
    no_such = runner.invoke(app, ["decide", str(study), "sub-001", "undo", "limb", *given])
    assert "no such decision on limb stands" in str(no_such.exception)
    undone = runner.invoke(app, ["decide", str(study), "sub-001", "undo", "side", *given])
    assert undone.exit_code == 0, undone.output
    nonsense = runner.invoke(app, ["decide", str(study), "sub-001", "guess", *given])
    assert "not understood" in str(nonsense.exception)


def test_wrong_tables_stop_a_run_and_a_prediction(tmp_path: Path) -> None:
    root = tmp_path / "study"
    make_demo_study(root, patients=2, jobs=1)
    pain = StudyFolder(root).table_file("pain")
    wrong = pain.read_text().replace("baseline\t0\t", "baseline\t0\t9", 1)
    pain.write_text(wrong)
    for command in ("run", "predict"):
        with pytest.raises(InputError, match=r"nrs: the value is outside 0 to 10.*--despite-problems"):
            CliRunner().invoke(app, [command, str(root)], catch_exceptions=False)
    done = CliRunner().invoke(app, ["run", str(root), "--jobs", "1", "--despite-problems"])
    assert done.exit_code == 0
    assert "2 measured" in done.output


def test_check_names_who_had_no_pain_at_the_beginning(tmp_path: Path) -> None:
    root = tmp_path / "study"
    make_demo_study(root, patients=2, jobs=1)
    pain = StudyFolder(root).table_file("pain")
    head, first, *rest = pain.read_text().splitlines()
    cells = dict(zip(head.split("\t"), first.split("\t"), strict=True)) | {"nrs": "0"}
    pain.write_text("\n".join([head, "\t".join(cells.values()), *rest]) + "\n")
    said = CliRunner().invoke(app, ["check", str(root), "--quick"])
    assert "no pain at baseline, so no relief in per cent" in said.output
