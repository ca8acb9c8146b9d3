"""Cohorts the tests of this room share, small and with a known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sudeck.prediction.cohort import Cohort, read_cohort
from sudeck.prediction.fitting import ModelPlan
from sudeck.prediction.model_data import plan_model
from sudeck.prediction.response_model import ResponseModel, fit_response_model
from sudeck.synthetic.study.synthetic_cohort import CohortSettings, SyntheticCohort, draw_cohort


@pytest.fixture(scope="session")
def cohort() -> SyntheticCohort:
    """A cohort as published, with missing visits."""
    return draw_cohort(rng=np.random.default_rng(2018))


@pytest.fixture(scope="session")
def complete_table() -> pd.DataFrame:
    """A cohort table without gaps."""
    return draw_cohort(CohortSettings(missing={}), rng=np.random.default_rng(105)).table


@pytest.fixture(scope="session")
def complete_cohort(complete_table: pd.DataFrame) -> Cohort:
    """The same as arrays."""
    return read_cohort(complete_table)


@pytest.fixture(scope="session")
def plan(complete_cohort: Cohort) -> ModelPlan:
    return plan_model(
        complete_cohort,
        ["log duration_months", "limb"],
        imputations=5,
        imputations_in_resamples=2,
    )


@pytest.fixture(scope="session")
def model(complete_cohort: Cohort, plan: ModelPlan) -> ResponseModel:
    return fit_response_model(complete_cohort, plan, rng=np.random.default_rng(0))
