"""Predictions for single patients, and what they rest on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sudeck.prediction.cohort import Cohort, read_cohort
from sudeck.prediction.patients import predict_patients
from sudeck.prediction.response_model import ResponseModel, fit_relief_model


def test_interval_holds_the_prediction_and_its_parts_add_up(
    complete_cohort: Cohort, model: ResponseModel
) -> None:
    for one in predict_patients(model, complete_cohort):
        p = one.prediction
        assert 0 < p.low < p.value < p.high < 1
        assert p.se == pytest.approx(np.hypot(p.components["coefficients"], p.components["measurement"]))
        mean = model.values[0] / model.stretch + model.shift
        mean += float(model.values[1:] / model.stretch @ model.distribution.mean)
        total = mean + sum(one.contributions.values())
        assert p.value == pytest.approx(1 / (1 + np.exp(-total)), abs=1e-12)


def test_outcome_is_not_looked_at(
    complete_table: pd.DataFrame, complete_cohort: Cohort, model: ResponseModel
) -> None:
    blind = complete_table.drop(columns=["responder", "relief_percent", "relief_points"])
    assert [one.to_dict() for one in predict_patients(model, read_cohort(blind))] == [
        one.to_dict() for one in predict_patients(model, complete_cohort)
    ]


def test_better_measurement_narrows_the_interval(
    complete_table: pd.DataFrame, complete_cohort: Cohort, model: ResponseModel
) -> None:
    one = complete_table.iloc[[0]]
    names = ["VPr_log_se", "TPr_log_se", "BPr_log_se"]
    sharp, blurred = (
        predict_patients(model, read_cohort(one.assign(**dict.fromkeys(names, se))))[0].prediction
        for se in (0.001, 0.2)
    )
    assert sharp.components["measurement"] < 0.01 < blurred.components["measurement"]
    mean = float(np.mean([p.prediction.value for p in predict_patients(model, complete_cohort)]))
    assert abs(blurred.value - mean) < abs(sharp.value - mean) or abs(sharp.value - mean) < 0.05


def test_missing_predictor_is_told_and_widens(complete_table: pd.DataFrame, model: ResponseModel) -> None:
    one = complete_table.iloc[[3]]
    full, gap = (
        predict_patients(model, read_cohort(t))[0] for t in (one, one.assign(duration_months=np.nan))
    )
    assert gap.missing == ("log duration_months",)
    assert {flag.code for flag in gap.flags} == {"missing-predictor"}
    assert gap.prediction.components["measurement"] > full.prediction.components["measurement"]


def test_extrapolation_is_flagged(complete_table: pd.DataFrame, model: ResponseModel) -> None:
    far = complete_table.iloc[[0]].assign(BPr=20.0)
    (prediction,) = predict_patients(model, read_cohort(far))
    assert [flag.subject for flag in prediction.flags] == ["log BPr/TPr"]
    assert "outside" in prediction.flags[0].message


def test_relief_is_predicted_in_its_own_unit(
    complete_table: pd.DataFrame, complete_cohort: Cohort, model: ResponseModel
) -> None:
    relief = fit_relief_model(complete_cohort, model.plan, rng=np.random.default_rng(0))
    predictions = predict_patients(relief, complete_cohort)
    assert np.mean([p.prediction.value for p in predictions]) == pytest.approx(
        complete_table["relief_percent"].mean(), abs=1e-6
    )
    assert set(predictions[0].to_dict()) >= {"value", "low", "high"}
    assert set(predict_patients(model, complete_cohort)[0].to_dict()) >= {
        "probability",
        "low",
        "high",
    }


def test_category_never_seen_is_refused(
    complete_table: pd.DataFrame, complete_cohort: Cohort, model: ResponseModel
) -> None:
    from sudeck.core.errors import InputError

    with pytest.raises(InputError, match="'arm' is none of"):
        predict_patients(model, read_cohort(complete_table.iloc[[0]].assign(limb="arm")))
    wider = replace(model, covariance=4 * model.covariance)
    narrow, wide = (predict_patients(m, complete_cohort)[0].prediction for m in (model, wider))
    assert wide.components["coefficients"] == pytest.approx(2 * narrow.components["coefficients"])
