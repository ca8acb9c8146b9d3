"""Shrinkage, groups and centres: what the bootstrap finds is used, what numbers do not allow is not said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sudeck.prediction.cohort import Cohort, read_cohort
from sudeck.prediction.cohort_prediction import CohortPrediction, predict_cohort
from sudeck.prediction.model_data import model_data
from sudeck.prediction.patients import predict_patients
from sudeck.prediction.reach.by_centre import leave_centres_out
from sudeck.prediction.reach.by_group import performance_by_group
from sudeck.prediction.response_model import ResponseModel
from sudeck.prediction.updating import shrunk
from sudeck.statistics.calibration import recalibration
from sudeck.statistics.regression.logistic import expit

COVARIATES = ["log duration_months", "limb"]


@pytest.fixture(scope="module")
def with_centres(complete_table: pd.DataFrame) -> pd.DataFrame:
    names = np.array(["A", "B"])[np.arange(len(complete_table)) % 2]
    names[:4] = "C"
    return complete_table.assign(centre=names)


@pytest.fixture(scope="module")
def said(with_centres: pd.DataFrame) -> CohortPrediction:
    return predict_cohort(with_centres, covariates=COVARIATES, n_boot=60)


def test_shrinking_keeps_the_mean_and_multiplies_the_slope(
    complete_cohort: Cohort, model: ResponseModel
) -> None:
    data = model_data(complete_cohort, model.plan)
    smaller = shrunk(model, data, 0.8)
    before, after = (
        one.as_stack().linear_predictor(data.predictors.values, data.predictors.error)
        for one in (model, smaller)
    )
    assert np.polyfit(before, after, 1)[0] == pytest.approx(0.8)
    assert expit(after).mean() == pytest.approx(data.outcome.mean())
    assert smaller.coefficients == model.coefficients  # what goes with response is not shrunk
    # A slope fitted to its own patients is about one; of shrunk predictions it is the inverse of the factor.
    ratio = recalibration(after, data.outcome)[1] / recalibration(before, data.outcome)[1]
    assert float(ratio) == pytest.approx(1 / 0.8, rel=1e-6)


def test_patients_are_predicted_by_the_shrunk_model(
    said: CohortPrediction, with_centres: pd.DataFrame
) -> None:
    assert said.validation is not None
    assert said.model is not None
    assert said.shrinkage == said.validation.measures["calibration_slope"].corrected
    assert 0.5 < said.shrinkage < 1
    again = predict_patients(said.model, read_cohort(with_centres))
    assert again[3].prediction.value == said.patients[again[3].participant_id].prediction.value


def test_groups_are_judged_only_where_numbers_allow(
    said: CohortPrediction, with_centres: pd.DataFrame
) -> None:
    by_name = {(one.column, one.group): one for one in said.groups}
    large = by_name["centre", "A"]
    assert large.c_statistic is not None
    assert large.c_statistic.low < large.c_statistic.value < large.c_statistic.high
    assert by_name["centre", "C"].c_statistic is None
    assert sum(one.n for one in said.groups if one.column == "limb") == len(with_centres)
    alone = with_centres.assign(limb="hand")
    assert performance_by_group(read_cohort(alone), said.without, "limb") == ()
    assert performance_by_group(read_cohort(alone), said.without, "no_such_column") == ()


def test_each_centre_is_predicted_from_the_others(
    said: CohortPrediction, with_centres: pd.DataFrame, model: ResponseModel
) -> None:
    tried = {one.centre: one for one in said.centres}
    assert tried["A"].c_statistic is not None
    assert tried["A"].slope is not None
    assert tried["A"].n + tried["B"].n + 4 == len(with_centres)
    assert "too few" in tried["C"].refused
    # What a centre's own patients would teach plays no part: their outcomes may be anything.
    changed = with_centres.copy()
    own = changed["centre"] == "C"
    changed.loc[own, "responder"] = 1 - changed.loc[own, "responder"]
    again = {
        one.centre: one
        for one in leave_centres_out(read_cohort(changed), model.plan, rng=np.random.default_rng(1))
    }
    assert again["C"].n == 4
    assert (
        leave_centres_out(
            read_cohort(with_centres.assign(centre="A")), model.plan, rng=np.random.default_rng(1)
        )
        == ()
    )
