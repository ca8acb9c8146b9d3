"""The joint fit in rounds is the fit to all patients in one table, and nothing small leaves a centre."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import InputError
from sudeck.demo.study_on_disk import write_study_tables
from sudeck.prediction.model_data import model_data, plan_model
from sudeck.statistics.regression.distributed import centre_sums, joint_step
from sudeck.statistics.regression.firth import fit_firth
from sudeck.study.answers.cohort_table import assemble_cohort
from sudeck.study.answers.elsewhere.centres import share_study
from sudeck.study.answers.elsewhere.rounds import (
    CentresModel,
    answer_question,
    first_question,
    next_round,
    read_question,
)
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import open_study
from sudeck.synthetic.study.study_plan import plan_study


def typed(root: Path, *, seed: int, patients: int) -> Path:
    """A study of typed ratios whose model has no covariate."""
    study, plan = create_study(root).study, plan_study(patients=patients, seed=seed)
    write_study_tables(study, plan)
    columns = ["participant_id", "VPr", "TPr", "BPr"]
    plan.cohort.scans[columns].to_csv(study.table_file("scan_ratios"), sep="\t", index=False)
    text = study.settings_file.read_text()
    study.settings_file.write_text(text.replace('["log duration_months", "limb"]', "[]"))
    return root


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    base = tmp_path_factory.mktemp("centres")
    sizes = ((1, 90), (2, 60), (3, 75))
    return [typed(base / f"c{seed}", seed=seed, patients=patients) for seed, patients in sizes]


@pytest.fixture(scope="module")
def summaries(roots: list[Path]) -> list[Path]:
    return [share_study(root)[1] for root in roots]


@pytest.fixture
def question(summaries: list[Path], tmp_path: Path) -> Path:
    path = tmp_path / "question.json"
    path.write_text(json.dumps(first_question(summaries).to_dict()))
    return path


def test_rounds_end_where_the_fit_to_all_patients_does(
    roots: list[Path], summaries: list[Path], tmp_path: Path
) -> None:
    question, files = tmp_path / "question.json", [str(path) for path in summaries]
    for _ in range(45):  # question and answers to and fro by the commands, as centres would
        said = CliRunner().invoke(app, ["pool", *files, "--joint", str(question)])
        assert said.exit_code == 0, said.output
        if said.output.startswith("One model"):
            break
        files = []
        for root in roots:
            files.append(str(tmp_path / f"answer_{root.name}.json"))
            command = ["share", str(root), "--question", str(question), "--out", files[-1]]
            assert CliRunner().invoke(app, command).exit_code == 0
            assert "sub-" not in Path(files[-1]).read_text()
    found = next_round(read_question(question), [Path(file) for file in files])
    assert isinstance(found, CentresModel)
    assert found.rounds < 20

    designs, outcomes = [], []
    for number, root in enumerate(roots):
        cohort = assemble_cohort(open_study(root)).patients
        data = model_data(cohort, plan_model(cohort, (), correct_error=False))
        complete = np.isfinite(data.predictors.values).all(axis=1)
        own = np.zeros((int(complete.sum()), len(roots)))
        own[:, number] = 1
        designs.append(np.column_stack([own, data.predictors.values[complete]]))
        outcomes.append(data.outcome[complete])
    names = ["c1", "c2", "c3", "log BPr/TPr", "log TPr/VPr"]
    whole = fit_firth(np.concatenate(designs), np.concatenate(outcomes), names=names)
    assert [one.value for one in found.slopes] == pytest.approx(whole.values[3:], abs=1e-8)
    assert list(found.intercepts.values()) == pytest.approx(whole.values[:3], abs=1e-8)
    errors = np.sqrt(np.diag(whole.covariance))[3:]
    assert [one.se for one in found.slopes] == pytest.approx(errors, rel=1e-6)
    assert found.patients == len(np.concatenate(outcomes))


def test_the_penalty_is_in_the_sums() -> None:
    # One centre whose patients separate: without the third moments the steps would run away.
    design = np.array([[1.0, 0.0]] * 4 + [[1.0, 1.0]] * 4)
    outcome = np.array([0.0] * 5 + [1.0] * 3)
    intercepts, slopes = np.zeros(1), np.zeros(1)
    for _ in range(80):
        sums = centre_sums(design, outcome, np.concatenate([intercepts, slopes]))
        step = joint_step([sums], intercepts, slopes)
        intercepts, slopes = step.intercepts, step.slopes
    whole = fit_firth(design, outcome, names=["intercept", "group"])
    assert [*intercepts, *slopes] == pytest.approx(whole.values, abs=1e-8)


def test_what_would_tell_of_few_patients_is_refused(
    roots: list[Path], question: Path, tmp_path: Path
) -> None:
    asked, answer = json.loads(question.read_text()), tmp_path / "answer.json"
    # Coefficients at which all but a few patients weigh nothing.
    single = {"round": 2, "slopes": dict.fromkeys(asked["slopes"], 400.0)}
    question.write_text(json.dumps(asked | single))
    with pytest.raises(InputError, match="fewer than five patients"):
        answer_question(roots[0], question, answer)
    question.write_text(json.dumps(asked | {"covariates": ["centre"]}))
    with pytest.raises(InputError, match="covariate centre"):
        answer_question(roots[0], question, answer)
    settings = open_study(roots[0]).settings_file
    text = settings.read_text()
    question.write_text(json.dumps(asked))
    settings.write_text(text.replace("at_least = 30.0", "at_least = 95.0"))
    try:
        with pytest.raises(InputError, match="a responder here is"):
            answer_question(roots[0], question, answer)
        rule = str(assemble_cohort(open_study(roots[0])).settings.responder)
        question.write_text(json.dumps(asked | {"responder_rule": rule}))
        with pytest.raises(InputError, match="fewer than 5 responders"):
            answer_question(roots[0], question, answer)
    finally:
        settings.write_text(text)
    assert not answer.exists()


def test_answers_of_another_round_and_missing_ones_are_named(
    roots: list[Path], question: Path, tmp_path: Path
) -> None:
    answers = [tmp_path / f"answer_{root.name}.json" for root in roots]
    for root, place in zip(roots, answers, strict=True):
        answer_question(root, question, place)
    first = read_question(question)
    with pytest.raises(InputError, match="c3 did not answer"):
        next_round(first, answers[:2])
    later = next_round(first, answers)
    assert not isinstance(later, CentresModel)
    with pytest.raises(InputError, match="answers round 1, this is round 2"):
        next_round(later, answers)
    with pytest.raises(InputError, match="not a question"):
        read_question(answers[0])


@pytest.mark.parametrize(
    ("part", "damage"),
    [
        ("score", [1.0]),
        ("information", [[1.0, 2.0, 3.0]] * 3),  # of no likelihood
        ("third", [[[1.0, 2.0], 3.0]]),
        ("patients", "n/a"),
        ("names", None),
    ],
)
def test_a_damaged_answer_is_refused(
    part: str, damage: object, roots: list[Path], question: Path, tmp_path: Path
) -> None:
    answers = [tmp_path / f"answer_{root.name}.json" for root in roots]
    for root, place in zip(roots, answers, strict=True):
        answer_question(root, question, place)
    answers[1].write_text(json.dumps({**json.loads(answers[1].read_text()), part: damage}))
    with pytest.raises(InputError, match=r"c2.*damaged"):
        next_round(read_question(question), answers)


@pytest.mark.parametrize(
    ("part", "damage"),
    [("intercepts", {"c1": 1e9}), ("slopes", [1.0]), ("round", "first"), ("covariates", 1)],
)
def test_a_damaged_question_is_refused(part: str, damage: object, question: Path) -> None:
    question.write_text(json.dumps({**json.loads(question.read_text()), part: damage}))
    with pytest.raises(InputError, match=r"question\.json: it is damaged"):
        read_question(question)
