"""`sudeck ketamine` as a user types it, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import InputError
from support.treated import make_treated_study


def test_a_study_then_one_of_its_courses(tmp_path: Path) -> None:
    study = make_treated_study(tmp_path / "study")
    done = CliRunner().invoke(app, ["ketamine", str(study.root), "--jobs", "1"])
    assert done.exit_code == 0, done.output
    assert (study.derivatives / "ketamine.html").is_file()
    one = CliRunner().invoke(app, ["ketamine", "simulate", str(study.root), "--patient", "sub-001"])
    assert one.exit_code == 0, one.output
    assert "course given to sub-001" in one.output


@pytest.mark.parametrize("words", [["study"], ["study", "--jobs", "1"], ["study", "study"]])
def test_a_study_may_be_called_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    make_treated_study(tmp_path / "study")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["ketamine", *words])
    assert done.exit_code == 0, done.output
    assert "what was given" in done.output


def test_published_regimens() -> None:
    done = CliRunner().invoke(app, ["ketamine", "simulate", "delphi", "--weight", "70", "--model", "domino"])
    assert done.exit_code == 0, done.output
    assert "196 mg" in done.output
    listed = CliRunner().invoke(app, ["ketamine", "regimens"])
    assert "4740" in listed.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rate"], "prescription"),
        (["next"], "prescription"),
        (["safe"], "not looked for"),
        (["go"], "centre's own"),
        (["target"], "twofold"),
        (["when"], "no model predicts"),
        (["mL/h", "my-study"], "prescription"),
        (["my-study", "--mg-per-h", "20"], "prescription"),
        (["next-dose", "my-study"], "prescription"),
        (["my-study", "next"], "prescription"),
        (["next", "course", "my-study"], "no model predicts"),
        (["simulate", "my-study", "--patient", "sub-001", "--next"], "prescription"),
        (["simulate", "delphi", "--target=200"], "twofold"),
        (["simulate", "delphi", "--concentration", "200"], "twofold"),
        (["Safe?"], "not looked for"),
        (["go/no-go"], "centre's own"),
        (["prescribe"], "prescription"),
        (["débit"], "prescription"),
        (["date"], "no model predicts"),
        (["simulate", "goldberg", "--patient", "sub-001"], "prescription"),
        (["simulate", "nobody"], "use one of delphi"),
    ],
)
def test_refusals(words: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        CliRunner().invoke(app, ["ketamine", *words], catch_exceptions=False)


def test_a_study_or_patient_may_be_called_like_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_treated_study(tmp_path / "rate")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["ketamine", "rate", "--jobs", "1"])
    assert done.exit_code == 0, done.output
    with pytest.raises(InputError, match="next: no ketamine is recorded"):
        CliRunner().invoke(app, ["ketamine", "simulate", "rate", "--patient", "next"], catch_exceptions=False)


def test_courses_that_can_not_be_shown(tmp_path: Path) -> None:
    study = str(make_treated_study(tmp_path / "study").root)
    for words, said in (
        ([study], "name a patient"),
        ([study, "--patient", "sub-003"], "route oral"),
        ([study, "--patient", "sub-001", "--weight", "70"], "participants.tsv"),
    ):
        with pytest.raises(InputError, match=said):
            CliRunner().invoke(app, ["ketamine", "simulate", *words], catch_exceptions=False)
