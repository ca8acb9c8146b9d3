"""The honest model against truth, invariance and its own promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import Cohort, read_cohort
from sudeck.prediction.fitting import ModelPlan
from sudeck.prediction.model_data import model_data, plan_model
from sudeck.prediction.response_model import ResponseModel, fit_relief_model, fit_response_model
from sudeck.statistics.regression.logistic import expit
from sudeck.synthetic.study.synthetic_cohort import (
    CohortSettings,
    SyntheticCohort,
    draw_cohort,
    without_effect,
)

DURATION = ["log duration_months"]


def test_intervals_of_the_relief_model_cover_the_truth() -> None:
    # Twice the error variance of a typical scan: without correction the coverage of the slopes falls.
    settings = CohortSettings(
        measurement_sd={"VPr": 0.08, "TPr": 0.055, "BPr": 0.055},
        correlations={"BPr/TPr": 0.45, "TPr/VPr": 0.35, "BPr/VPr": 0.50},
        missing={},
    )
    hits, naive_hits, slopes = [], [], []
    for rng in np.random.default_rng(8).spawn(80):
        cohort = draw_cohort(settings, rng=rng)
        plan = plan_model(read_cohort(cohort.table), DURATION)
        truth = cohort.truth
        for correct, store in ((True, hits), (False, naive_hits)):
            fitted = fit_relief_model(
                read_cohort(cohort.table), replace(plan, correct_error=correct), rng=rng
            )
            store += [
                c.low <= truth.slopes[c.name] <= c.high for c in fitted.coefficients if c.name in truth.slopes
            ]
            if correct:
                slopes.append(fitted.coefficients[1].value / truth.slopes["log BPr/TPr"])
    assert 0.91 < np.mean(hits) < 0.995
    assert np.mean(naive_hits) < np.mean(hits)
    assert np.mean(slopes) == pytest.approx(1.0, abs=0.1)


def test_without_effect_five_per_cent_claim_one() -> None:
    claims = []
    for rng in np.random.default_rng(9).spawn(60):
        cohort = read_cohort(draw_cohort(replace(without_effect(), missing={}), rng=rng).table)
        plan = plan_model(cohort, DURATION)
        claims.append(
            [fit(cohort, plan, rng=rng).ratios_p < 0.05 for fit in (fit_relief_model, fit_response_model)]
        )
    relief, response = np.mean(claims, axis=0)
    assert 0 < relief <= 0.12
    assert 0 < response <= 0.12


def test_measurement_error_is_shown_and_corrected(complete_cohort: Cohort) -> None:
    plan = plan_model(complete_cohort, DURATION)
    rng = np.random.default_rng(0)
    corrected = fit_relief_model(complete_cohort, plan, rng=rng)
    naive = fit_relief_model(complete_cohort, replace(plan, correct_error=False), rng=rng)
    assert 0.7 < corrected.reliability["log TPr/VPr"] < corrected.reliability["log BPr/TPr"] < 1
    assert naive.reliability == {"log BPr/TPr": 1.0, "log TPr/VPr": 1.0}
    # A linear map of the predictors changes neither the fit nor the joint test (errors differ a little by
    # patient).
    assert corrected.ratios_p == pytest.approx(naive.ratios_p, rel=0.2)
    assert corrected.r_squared == pytest.approx(naive.r_squared, abs=0.01)
    assert not np.allclose(corrected.values[1:3], naive.values[1:3], rtol=0.02)


@pytest.mark.parametrize("likelihood", ["firth", "ridge", "plain"])
def test_every_penalty_fits_and_predicts_the_mean(complete_cohort: Cohort, likelihood: str) -> None:
    plan = plan_model(complete_cohort, DURATION, likelihood=likelihood)
    fitted = fit_response_model(complete_cohort, plan, rng=np.random.default_rng(0))
    data = model_data(complete_cohort, plan)
    eta = fitted.as_stack().linear_predictor(data.predictors.values, data.predictors.error)
    assert expit(eta).mean() == pytest.approx(data.outcome.mean(), abs=1e-6)
    assert all(c.low <= c.value <= c.high for c in fitted.coefficients)


def test_ridge_shrinks(complete_cohort: Cohort) -> None:
    rng = np.random.default_rng(0)
    plain, ridge = (
        fit_response_model(complete_cohort, plan_model(complete_cohort, DURATION, **options), rng=rng)
        for options in ({"likelihood": "plain"}, {"likelihood": "ridge", "ridge_penalty": 20.0})
    )
    assert np.abs(ridge.values[1:]).sum() < np.abs(plain.values[1:]).sum()


def test_missing_predictors_are_imputed_and_outcomes_never(cohort: SyntheticCohort) -> None:
    table = cohort.table
    plan = plan_model(read_cohort(table), [*DURATION, "limb"], imputations=6)
    fitted = fit_response_model(read_cohort(table), plan, rng=np.random.default_rng(1))
    scanned = table[["VPr", "TPr", "BPr"]].notna().all(axis=1)
    assert fitted.n == int((scanned & table["responder"].notna()).sum())
    assert fitted.n + fitted.left_out == len(table)
    kept = table[scanned & table["responder"].notna()]
    assert fitted.imputed == int(kept["duration_months"].isna().sum()) > 0
    assert "Rubin" in fitted.coefficients[1].method
    again = fit_response_model(read_cohort(table), plan, rng=np.random.default_rng(1))
    assert again.to_dict() == fitted.to_dict()
    assert any(flag.code == "patients-left-out" for flag in fitted.flags)


def test_order_of_patients_does_not_matter(complete_table: pd.DataFrame, model: ResponseModel) -> None:
    shuffled = complete_table.sample(frac=1, random_state=3)
    again = fit_response_model(read_cohort(shuffled), model.plan, rng=np.random.default_rng(0))
    np.testing.assert_allclose(again.values, model.values, rtol=1e-8)


def test_separated_data_are_flagged_and_finite() -> None:
    rng = np.random.default_rng(2)
    y = np.repeat([0, 1], 20)
    table = pd.DataFrame(
        {
            "participant_id": [f"s{i}" for i in range(40)],
            "VPr": np.exp(0.1 * rng.normal(size=40)),
            "TPr": 1.0,
            "BPr": np.exp(0.1 * rng.random(40) + y),
            "responder": y,
        }
    )
    fitted = fit_response_model(read_cohort(table), ModelPlan(), rng=rng)
    assert {"separated", "error-not-corrected"} <= {flag.code for flag in fitted.flags}
    assert np.isfinite(fitted.values).all()


def test_absurd_error_is_flagged(complete_table: pd.DataFrame) -> None:
    table = complete_table.assign(VPr_log_se=0.4, TPr_log_se=0.4, BPr_log_se=0.4)
    fitted = fit_response_model(
        read_cohort(table), plan_model(read_cohort(table), []), rng=np.random.default_rng(0)
    )
    assert {"error-overwhelms", "weak-reliability"} <= {flag.code for flag in fitted.flags}


def test_report_and_contract(model: ResponseModel) -> None:
    entry = model.to_dict()
    assert list(entry["coefficients"]) == [
        "intercept", "log BPr/TPr", "log TPr/VPr", "log duration_months", "limb=hand",
    ]  # fmt: skip
    assert set(entry["coefficients"]["limb=hand"]) >= {"value", "low", "high", "p"}
    assert "both ratios together" in str(model)


def test_refuses(complete_table: pd.DataFrame, complete_cohort: Cohort) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="same outcome"):
        fit_response_model(read_cohort(complete_table.assign(responder=1)), ModelPlan(), rng=rng)
    with pytest.raises(InputError, match="no patient has it"):
        fit_response_model(read_cohort(complete_table.assign(responder=None)), ModelPlan(), rng=rng)
    with pytest.raises(InputError, match="least squares"):
        fit_response_model(complete_cohort, ModelPlan(likelihood="linear"), rng=rng)
    table = complete_table.assign(copy=np.log(complete_table["duration_months"]))
    doubled = plan_model(read_cohort(table), [*DURATION, "copy"])
    with pytest.raises(InputError, match="linearly dependent"):
        fit_response_model(read_cohort(table), doubled, rng=rng)
