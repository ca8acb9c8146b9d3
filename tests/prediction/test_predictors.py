"""Declared covariates and the columns they become."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.predictors import Covariate, declare_covariates, read_predictors


def table(**extra: object) -> pd.DataFrame:
    columns: dict[str, object] = {
        "participant_id": ["a", "b", "c"],
        "VPr": [1.0, 1.1, 0.9],
        "TPr": [1.0, 1.0, 1.0],
        "BPr": [1.2, 1.3, 1.1],
        "duration_months": [3.0, 12.0, None],
        "limb": ["hand", "foot", "hand"],
        "site": ["x", "y", "z"],
    }
    return pd.DataFrame(columns | extra)


def test_declarations_become_columns() -> None:
    covariates = declare_covariates(read_cohort(table()), ["log duration_months", "limb", "site"])
    predictors = read_predictors(read_cohort(table()), covariates)
    assert predictors.names == (
        "log BPr/TPr",
        "log TPr/VPr",
        "log duration_months",
        "limb=hand",
        "site=y",
        "site=z",
    )
    np.testing.assert_allclose(predictors.values[0], [np.log(1.2), 0, np.log(3), 1, 0, 0], atol=1e-15)
    assert np.isnan(predictors.values[2, 2])
    assert not predictors.error.any()


def test_a_missing_category_is_missing_in_all_its_columns() -> None:
    predictors = read_predictors(
        read_cohort(table(site=["x", None, "z"])), [Covariate("site", "category", ("x", "y", "z"))]
    )
    assert np.isnan(predictors.values[1, 2:]).all()


def test_error_belongs_to_the_ratios_only() -> None:
    data = table(VPr_log_se=0.05, TPr_log_se=0.03, BPr_log_se=[0.04, 0.04, None])
    predictors = read_predictors(read_cohort(data), [Covariate("duration_months", "log")])
    assert predictors.error[0, 0, 1] == pytest.approx(-0.0009)
    assert not predictors.error[:, 2].any()
    assert predictors.error_known.tolist() == [True, True, False]
    assert not read_predictors(read_cohort(data), [], with_error=False).error.any()


@pytest.mark.parametrize(
    ("extra", "declared", "text"),
    [
        ({}, "age", "no such column"),
        ({"limb": ["hand", "hand", None]}, "limb", "it has 1 levels"),
    ],
)
def test_refuses_declarations(extra: dict[str, object], declared: str, text: str) -> None:
    with pytest.raises(InputError, match=text):
        declare_covariates(read_cohort(table(**extra)), [declared])


def test_refuses_values_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="b, duration_months: 0 has no logarithm"):
        read_predictors(read_cohort(table(duration_months=[1, 0, 2])), [Covariate("duration_months", "log")])
    with pytest.raises(InputError, match="'arm' is none of foot, hand"):
        read_predictors(
            read_cohort(table(limb=["arm", "hand", "foot"])),
            [Covariate("limb", "category", ("foot", "hand"))],
        )
