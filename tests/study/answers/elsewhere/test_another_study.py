"""A model on another study: coverage in simulated pairs, the record it keeps, updating, refusals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import InputError
from sudeck.demo.study_on_disk import write_study_tables
from sudeck.prediction.calculator import calculate
from sudeck.prediction.saved_model import model_to_json, read_saved_model
from sudeck.statistics.calibration import measure_performance, recalibration
from sudeck.statistics.regression.logistic import expit
from sudeck.statistics.roc import c_statistic
from sudeck.study.answers.cohort_table import COHORT_TABLE
from sudeck.study.answers.elsewhere.another_study import update_study, validate_study
from sudeck.study.answers.who_responds import predict_study
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.synthetic.study.study_plan import plan_study


def typed(root: Path, *, seed: int, patients: int = 120) -> Path:
    """A centre with typed ratios only."""
    study, plan = create_study(root).study, plan_study(patients=patients, seed=seed)
    write_study_tables(study, plan)
    columns = ["participant_id", "VPr", "TPr", "BPr"]
    plan.cohort.scans[columns].to_csv(study.table_file("scan_ratios"), sep="\t", index=False)
    return root


@pytest.fixture(scope="module")
def centres(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Two centres and the model of the first."""
    folder = tmp_path_factory.mktemp("centres")
    first, second = typed(folder / "first", seed=1), typed(folder / "second", seed=2)
    predict_study(first, n_boot=20)
    return first, second, StudyFolder(first).derivatives / "model.json"


def test_numbers_are_those_of_the_predictions(centres: tuple[Path, Path, Path]) -> None:
    _, second, file = centres
    found = validate_study(second, file)
    predict_study(second, n_boot=20)
    table = pd.read_csv(StudyFolder(second).derivatives / COHORT_TABLE, sep="\t").dropna(subset=["responder"])
    model, _ = read_saved_model(file)
    eta = np.full(len(table), model.values[0])
    values = {
        "log BPr/TPr": np.log(table["BPr"] / table["TPr"]),
        "log TPr/VPr": np.log(table["TPr"] / table["VPr"]),
        "log duration_months": np.log(table["duration_months"]),
        "limb=hand": (table["limb"] == "hand").astype(float),
    }
    for name, slope in zip(model.names, model.values[1:], strict=True):
        eta = eta + slope * values[name].fillna(values[name].mean()).to_numpy()
    known = table[["VPr", "TPr", "BPr", "duration_months"]].notna().all(axis=1).to_numpy()
    by_hand = float(c_statistic(eta[known], table["responder"].to_numpy()[known]))
    assert found.performance.c_statistic.value == pytest.approx(by_hand, abs=0.02)
    assert found.study == "second"
    assert found.performance.n == len(table)
    assert found.decision.corrected is False


def test_a_model_is_supported_only_after_it_was_tried(centres: tuple[Path, Path, Path]) -> None:
    _, second, file = centres
    ratios = {"VPr": 1.2, "TPr": 1.1, "BPr": 1.3}
    assert "Not supported" in str(calculate(ratios, model=read_saved_model(file)))
    found = validate_study(second, file)
    kept = StudyFolder(second).derivatives / "validated_model.json"
    model, origin = read_saved_model(kept)
    said = str(calculate(ratios, model=(model, origin)))
    assert "patients of second: C statistic" in said
    assert origin.supported == (found.performance.c_statistic.low > 0.5)
    assert ("Not supported" in said) == (not origin.supported)
    assert "external_validation" not in json.loads(file.read_text())["audit"], "the model given is left alone"


def test_the_study_of_the_model_itself_is_refused(centres: tuple[Path, Path, Path]) -> None:
    first, _, file = centres
    with pytest.raises(InputError, match="fitted to first itself"):
        validate_study(first, file)


def test_too_few_are_refused(centres: tuple[Path, Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too few to try a model on"):
        validate_study(typed(tmp_path / "small", seed=3, patients=12), centres[2])


def test_update_writes_a_model_that_fits(centres: tuple[Path, Path, Path], tmp_path: Path) -> None:
    first, _, file = centres
    model, _ = read_saved_model(file)
    optimist = tmp_path / "optimist.json"
    optimist.write_text(model_to_json(replace(model, shift=model.shift + 1.2), audit={"study": "optimist"}))
    before = validate_study(first, optimist).performance.observed_over_expected
    update, path = update_study(first, optimist)
    assert before.high < 1, "fewer respond than it says"
    assert update.chosen == "intercept"
    assert update.steps["intercept"].coefficients[0].value == pytest.approx(-1.2, abs=0.05)
    assert path is not None
    after = validate_study(first, path).performance
    assert after.intercept_in_the_large.value == pytest.approx(0, abs=1e-6)
    assert not read_saved_model(path)[1].supported, "what was updated is not validated"


def test_another_rule_for_responders_is_told(centres: tuple[Path, Path, Path], tmp_path: Path) -> None:
    _, second, file = centres
    root = shutil.copytree(second, tmp_path / "stricter")
    settings = StudyFolder(root).settings_file
    settings.write_text(settings.read_text().replace("at_least = 30.0", "at_least = 45.0"))
    assert "calls a responder: relief of 30 %" in str(validate_study(root, file))


def test_the_commands(centres: tuple[Path, Path, Path]) -> None:
    _, second, file = centres
    run: Callable[..., str] = lambda *words: CliRunner().invoke(app, list(words)).output  # noqa: E731
    assert "calibration slope" in run("validate", str(second), "--model", str(file))
    assert "closed test" in run("update", str(second), "--model", str(file))


def test_intervals_hold_in_new_patients() -> None:
    rng = np.random.default_rng(11)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=n)
        return 0.5 + 1.1 * x, (rng.random(n) < expit(0.2 + 0.7 * x)).astype(float)

    eta, y = draw(200_000)
    slope = float(recalibration(eta, y)[1])
    truth = (float(c_statistic(eta, y)), slope, float(y.sum() / expit(eta).sum()))
    hits = []
    for _ in range(250):
        eta, y = draw(105)
        did = measure_performance(expit(eta), y)
        found = (did.c_statistic, did.slope, did.observed_over_expected)
        hits.append([one.low <= true <= one.high for one, true in zip(found, truth, strict=True)])
    assert (np.abs(np.mean(hits, axis=0) - 0.95) < 0.04).all()
