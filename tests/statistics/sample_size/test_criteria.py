"""Sample sizes, against the worked examples of Riley et al. and against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.statistics.regression.logistic import expit, maximise_logistic
from sudeck.statistics.roc import c_statistic
from sudeck.statistics.sample_size.criteria import (
    plan_binary_model,
    plan_continuous_model,
    plan_validation,
    r2_from_c,
)
from sudeck.statistics.sample_size.precision import (
    c_statistic_patients,
    c_statistic_se,
    cutoff_patients,
    cutoff_precision,
)
from sudeck.statistics.sample_size.response_rate import normal_log_odds


def test_riley_binary_example() -> None:
    # Riley et al. 2019 Part II, diagnosis of Chagas disease; also the first example of the pmsampsize help
    # page.
    plan = plan_binary_model(n_parameters=24, prevalence=0.174, cox_snell_r2=0.288)
    assert list(plan.criteria.values()) == [623, 662, 221]
    assert plan.n == 662


@pytest.mark.parametrize(
    ("p", "r2", "shrinkage", "criteria"),
    [
        (25, 0.2, 0.9, [918, 401, 259]),  # Riley et al. 2019 Part I, lung function; pmsampsize help page
        (25, 0.3, 0.9, [574, 351, 259]),
        (50, 0.2, 0.9, [1924, 801, 284]),
        (100, 0.5, 0.9, [1264, 1001, 334]),
        (30, 0.89, 0.84, [32, 67, 264]),
    ],
)
def test_riley_continuous_examples(p: int, r2: float, shrinkage: float, criteria: list[int]) -> None:
    plan = plan_continuous_model(n_parameters=p, r2=r2, shrinkage=shrinkage)
    assert list(plan.criteria.values()) == criteria
    assert plan.n == max(criteria)


def test_riley_validation_example() -> None:
    # Riley et al. 2021: prevalence 0.018, C 0.8, width 0.1.
    plan = plan_validation(prevalence=0.018, c_statistic=0.8)
    assert plan.criteria["C statistic to ± 0.05"] == 4252


def test_r2_from_c_equals_a_very_large_simulation() -> None:
    rng = np.random.default_rng(1)
    n = 400_000
    y = (rng.random(n) < 0.3).astype(float)
    x = rng.normal(size=n) + 0.9 * y
    fit = maximise_logistic(np.column_stack([np.ones(n), x]), y)
    empty = n * (0.3 * np.log(0.3) + 0.7 * np.log(0.7))
    r2 = 1 - np.exp(-2 * (float(fit.log_likelihood) - empty) / n)
    assert r2_from_c(float(c_statistic(x, y)), 0.3) == pytest.approx(r2, abs=0.003)
    # The same question asked through C needs about the same patients as through its R².
    assert plan_binary_model(n_parameters=24, prevalence=0.174, c_statistic=0.89).n == pytest.approx(
        662, rel=0.02
    )


def test_standard_error_of_c_equals_simulation() -> None:
    rng = np.random.default_rng(2)
    y = np.repeat([0.0, 1.0], [60, 45])
    shift = np.sqrt(2) * 0.5244  # C 0.7
    areas = c_statistic(rng.normal(size=(3000, 105)) + shift * y, y)
    assert c_statistic_se(0.7, 45 / 105, 105) == pytest.approx(areas.std(), rel=0.06)


def test_calibration_slope_precision_equals_simulation() -> None:
    n = int(plan_validation(prevalence=0.3, c_statistic=0.75).criteria["calibration slope to ± 0.2"])
    rng = np.random.default_rng(3)
    d = np.sqrt(2) * 0.6745
    y = (rng.random((300, n)) < 0.3).astype(float)
    eta = np.log(0.3 / 0.7) + d * (rng.normal(size=(300, n)) + d * y) - d * d / 2
    fit = maximise_logistic(np.stack([np.ones_like(eta), eta], axis=-1), y)
    assert 2 * 1.96 * fit.coefficients[:, 1].std() == pytest.approx(0.4, rel=0.12)


def test_more_patients_are_needed_for_more() -> None:
    assert (
        plan_binary_model(n_parameters=3, prevalence=0.5, c_statistic=0.7).n
        < plan_binary_model(n_parameters=6, prevalence=0.5, c_statistic=0.7).n
    )
    assert c_statistic_patients(0.7, 0.5, width=0.1) > c_statistic_patients(0.7, 0.5, width=0.2)
    buderer = cutoff_patients(sensitivity=0.8, specificity=0.7, prevalence=0.5, half_width=0.1)
    assert buderer.criteria == {"sensitivity to ± 0.1": 123, "specificity to ± 0.1": 162}


def test_a_single_cutoff_at_105_patients() -> None:
    precision = cutoff_precision(n=105, c_statistic=0.65, prevalence=0.5)
    assert precision.youden == pytest.approx(0.2147, abs=2e-4)  # 2 Φ(d / 2) - 1 with d = √2 Φ⁻¹(0.65)
    assert cutoff_precision(n=4000, c_statistic=0.65, prevalence=0.5, n_studies=200).youden_true > 0.205
    assert precision.optimism == pytest.approx(0.09, abs=0.015)
    assert precision.youden_true < precision.youden < precision.youden_apparent
    assert precision == cutoff_precision(n=105, c_statistic=0.65, prevalence=0.5)
    assert cutoff_precision(n=1000, c_statistic=0.65, prevalence=0.5).cutoff_sd < precision.cutoff_sd


def test_expit_of_the_linear_predictor_has_the_prevalence() -> None:
    eta, weight = normal_log_odds(0.8, 0.2)
    assert float(weight @ expit(eta)) == pytest.approx(0.2, abs=1e-10)


def test_refuses_the_impossible() -> None:
    for call in (
        lambda: plan_binary_model(n_parameters=5, prevalence=1.2, c_statistic=0.7),
        lambda: plan_binary_model(n_parameters=5, prevalence=0.5),
        lambda: plan_binary_model(n_parameters=5, prevalence=0.5, c_statistic=0.7, cox_snell_r2=0.1),
        lambda: plan_binary_model(n_parameters=5, prevalence=0.5, cox_snell_r2=0.9),
        lambda: plan_binary_model(n_parameters=0, prevalence=0.5, c_statistic=0.7),
        lambda: plan_continuous_model(n_parameters=5, r2=0.0),
        lambda: cutoff_precision(n=5, c_statistic=0.7, prevalence=0.1),
    ):
        with pytest.raises(InputError):
            call()
