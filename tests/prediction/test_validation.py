"""Bootstrap correction, against rms with stored resamples and against new patients."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.bootstrap import MEASURES, Corrected, Resamples, correct_optimism
from sudeck.prediction.cohort import Cohort, read_cohort
from sudeck.prediction.curves import calibration_curve, corrected_calibration
from sudeck.prediction.fitting import ModelPlan
from sudeck.prediction.model_data import model_data, plan_model
from sudeck.prediction.response_model import ResponseModel, fit_relief_model, fit_response_model
from sudeck.prediction.validation import instability, leave_one_out, validate_externally, validate_model
from sudeck.statistics.regression.logistic import expit, maximise_logistic, separated
from sudeck.synthetic.study.synthetic_cohort import CohortSettings, SyntheticCohort, draw_cohort


@pytest.fixture
def birthwt(shared: Path) -> tuple[Resamples, pd.DataFrame, np.ndarray]:
    """The bootstrap of rms, with its own resample indices."""
    table = pd.read_csv(shared / "stats" / "birthwt.csv")
    refs = shared / "stats" / "refs"
    index = np.loadtxt(refs / "birthwt_boot_idx.csv", delimiter=",", dtype=int) - 1
    n = len(table)
    X = np.column_stack([np.ones(n), table[["age", "lwt", "smoke", "ht", "ui"]].to_numpy(dtype=float)])
    y = table["low"].to_numpy(dtype=float)
    weights = np.array([np.bincount(row, minlength=n) for row in index]).astype(float)
    model, boot = maximise_logistic(X, y), maximise_logistic(X, y, weights=weights)
    apart = separated(boot, np.where(weights[..., None] > 0, X, 0.0))
    resamples = Resamples(y, X @ model.coefficients, weights, boot.coefficients @ X.T, int(apart.sum()), 0)
    return resamples, pd.read_csv(refs / "birthwt_boot_perrep.csv"), apart


def test_every_stored_resample_equals_rms(birthwt: tuple[Resamples, pd.DataFrame, np.ndarray]) -> None:
    resamples, printed, apart = birthwt
    y, w, eta = resamples.outcome, resamples.weights, resamples.predictions
    np.testing.assert_allclose(MEASURES["c_statistic"](eta, y, w), printed["c_boot"], atol=1e-14)
    np.testing.assert_allclose(MEASURES["c_statistic"](eta, y, None), printed["c_orig"], atol=1e-14)
    np.testing.assert_allclose(MEASURES["brier"](eta, y, w), printed["brier_boot"], atol=1e-9)
    # In the one resample that separates, the fit runs to infinity and calibration is where one stopped.
    assert apart.sum() == resamples.n_separated == 1
    kept = ~apart
    slopes, intercepts = (MEASURES[f"calibration_{k}"](eta, y, None) for k in ("slope", "intercept"))
    np.testing.assert_allclose(slopes[kept], printed["slope"][kept], atol=2e-7)
    np.testing.assert_allclose(intercepts[kept], printed["int"][kept], atol=2e-7)


def test_corrected_c_equals_rms_by_either_convention(
    birthwt: tuple[Resamples, pd.DataFrame, np.ndarray],
) -> None:
    resamples, _, _ = birthwt
    c = correct_optimism("c_statistic", MEASURES["c_statistic"], resamples)
    # rms::validate: identical patients are ties.
    assert c.corrected == pytest.approx(0.6857316704, abs=5e-11)
    # rms::lrm breaks one of the two true ties by floating-point noise: half a pair of 59 × 130 more.
    half_pair = 0.5 / (59 * 130)
    assert c.apparent + half_pair == pytest.approx(0.717926988266, abs=5e-13)
    assert c.corrected + half_pair == pytest.approx(0.685796859448, abs=5e-13)
    brier = correct_optimism("brier", MEASURES["brier"], resamples)
    assert brier.apparent == pytest.approx(0.19058191738121, abs=1e-12)
    assert brier.corrected == pytest.approx(0.203702887158971, abs=5e-7)


def test_corrected_c_is_right_in_new_patients() -> None:
    settings = CohortSettings(missing={})
    new = draw_cohort(CohortSettings(n=2000, missing={}), rng=np.random.default_rng(77)).table
    apparent, corrected, found = [], [], []
    for rng in np.random.default_rng(3).spawn(10):
        table = draw_cohort(settings, rng=rng).table
        plan = plan_model(read_cohort(table), ["log duration_months", "limb", "sex", "age"])
        fitted = fit_response_model(read_cohort(table), plan, rng=rng)
        c = validate_model(read_cohort(table), fitted, rng=rng, n_boot=40).measures["c_statistic"]
        apparent.append(c.apparent)
        corrected.append(c.corrected)
        found.append(validate_externally(fitted, read_cohort(new)).c_statistic.value)
    assert np.mean(apparent) - np.mean(found) > 0.03
    assert abs(np.mean(corrected) - np.mean(found)) < 0.035


def test_validation_of_a_model(
    complete_table: pd.DataFrame, complete_cohort: Cohort, model: ResponseModel
) -> None:
    result = validate_model(complete_cohort, model, rng=np.random.default_rng(1), n_boot=80)
    c = result.measures["c_statistic"]
    assert c.low < c.corrected < c.apparent
    assert c.corrected <= c.high
    # FLIC makes the apparent calibration in the large right, the penalty leaves the slope near 1.
    assert result.measures["calibration_slope"].apparent == pytest.approx(1.0, abs=0.15)
    assert result.measures["calibration_slope"].corrected < 0.95
    entry = result.to_dict()
    assert set(entry["c_statistic"]) >= {"apparent", "corrected", "low", "high"}
    assert (entry["n_boot"], len(entry["instability"]["patients"])) == (80, len(complete_table))
    assert (result.calibration.low <= result.calibration.y).all()
    assert (result.calibration.y <= result.calibration.high).all()
    assert 0.02 < result.instability.average < 0.25
    again = validate_model(complete_cohort, model, rng=np.random.default_rng(1), n_boot=80)
    assert again.to_dict() == entry


def test_missing_data_are_imputed_inside_the_bootstrap(cohort: SyntheticCohort) -> None:
    table = cohort.table
    plan = plan_model(read_cohort(table), ["log duration_months"], imputations=4, imputations_in_resamples=2)
    fitted = fit_response_model(read_cohort(table), plan, rng=np.random.default_rng(0))
    assert fitted.imputed > 0
    result = validate_model(read_cohort(table), fitted, rng=np.random.default_rng(1), n_boot=10)
    assert np.isfinite(result.measures["c_statistic"].corrected)
    assert result.resamples.predictions.shape == (10, fitted.n)


def test_separated_resamples_are_counted() -> None:
    rng = np.random.default_rng(1)
    y = np.repeat([0.0, 1.0], 15)
    x = y * 1.6 + rng.normal(size=30) * 0.5
    table = pd.DataFrame(
        {
            "participant_id": [f"s{i}" for i in range(30)],
            "VPr": np.exp(rng.normal(size=30) * 0.1),
            "TPr": 1.0,
            "BPr": np.exp(x * 0.2),
            "responder": y,
        }
    )
    fitted = fit_response_model(read_cohort(table), ModelPlan(), rng=rng)
    result = validate_model(read_cohort(table), fitted, rng=rng, n_boot=60)
    assert 5 < result.resamples.n_separated < 60
    assert np.isfinite(result.resamples.predictions).all()
    assert any(flag.code == "separated-resamples" for flag in result.flags)


def test_curves_of_predictions_from_elsewhere() -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.1, 0.9, 3000)
    y = (rng.random(3000) < p).astype(float)
    curve = calibration_curve(p, y, rng=rng, n_boot=40, grid=[0.2, 0.5, 0.8])
    np.testing.assert_allclose(curve.y, [0.2, 0.5, 0.8], atol=0.05)
    assert (curve.high - curve.low < 0.15).all()


def test_corrected_curve_is_flatter_than_the_apparent_one(
    birthwt: tuple[Resamples, pd.DataFrame, np.ndarray],
) -> None:
    curve = corrected_calibration(birthwt[0], grid=[0.15, 0.6])
    assert curve.y[1] - curve.y[0] < 0.45


def test_refuses_relief_and_foreign_tables(
    complete_table: pd.DataFrame, complete_cohort: Cohort, model: ResponseModel
) -> None:
    rng = np.random.default_rng(0)
    relief = fit_relief_model(complete_cohort, model.plan, rng=rng)
    with pytest.raises(InputError, match="relief is continuous"):
        validate_model(complete_cohort, relief, rng=rng)
    with pytest.raises(InputError, match="not the one of the model"):
        validate_model(read_cohort(complete_table.iloc[:50]), model, rng=rng)


def test_leave_one_out_is_the_fit_without_that_patient(
    complete_table: pd.DataFrame, complete_cohort: Cohort, model: ResponseModel
) -> None:
    found = leave_one_out(complete_cohort, model, rng=np.random.default_rng(0))
    for row in (0, 17, 60):
        others = complete_table.drop(index=complete_table.index[row])
        without = fit_response_model(read_cohort(others), model.plan, rng=np.random.default_rng(0))
        own = complete_table.iloc[[row]]
        data = model_data(read_cohort(own), model.plan)
        stack = without.as_stack()
        by_hand = expit(stack.linear_predictor(data.predictors.values, data.predictors.error))[0]
        # The published coefficient is stretched for measurement error, the repeated fit is not.
        assert found[str(own["participant_id"].iloc[0])] == pytest.approx(by_hand, abs=1e-3)


def test_the_range_of_a_patient_leaves_out_half_of_the_rest_on_each_side() -> None:
    shares = np.linspace(0.0, 1.0, 201)[1:-1]  # of one patient, by bootstrap models
    resamples = SimpleNamespace(apparent=np.zeros(1), predictions=np.log(shares / (1 - shares))[:, None])
    found = instability(resamples, ("sub-001",), level=0.80)  # type: ignore[arg-type]
    assert (found.low[0], found.high[0]) == pytest.approx((0.1, 0.9), abs=0.01)
    assert found.average == pytest.approx(0.25, abs=0.01)


def test_a_mean_of_nothing_has_no_sign() -> None:
    text = str(Corrected("calibration_intercept", -1e-16, 0.0, 0.0, -1e-5, 0.1, 0.95))
    assert text.startswith("calibration intercept: 0.000 apparent, 0.000 corrected")
    assert "-0.000" not in text
