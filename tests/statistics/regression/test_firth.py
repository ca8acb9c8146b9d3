"""Firth's regression, against brglm2 and logistf, against algebra, and where data separate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.statistics.regression.firth import corrected_intercept, fit_firth
from sudeck.statistics.regression.logistic import expit, maximise_logistic, separated


def with_ones(table: pd.DataFrame, columns: list[str]) -> np.ndarray:
    return np.column_stack([np.ones(len(table)), table[columns].to_numpy(dtype=float)])


def test_endometrial_coefficients(shared: Path) -> None:
    table = pd.read_csv(shared / "stats" / "endometrial.csv")
    fit = fit_firth(with_ones(table, ["NV", "PI", "EH"]), table["HG"], names=["intercept", "NV", "PI", "EH"])
    exact = [3.77455971364711, 2.92927335319712, -0.03475175987044, -2.60416392529368]
    np.testing.assert_allclose(fit.values, exact, atol=1e-10)
    # What brglm2 prints is these to its own tolerance.
    se = [1.48869160210, 1.55076369100, 0.03957814578, 0.77601762127]
    np.testing.assert_allclose([c.se for c in fit.coefficients], se, rtol=1e-6)


def test_both_standard_error_conventions(shared: Path) -> None:
    table = pd.read_csv(shared / "stats" / "sex2.csv")
    names = ["age", "oc", "vic", "vicl", "vis", "dia"]
    printed = {
        "fisher": [
            0.4855415059, 0.4236601287, 0.4437934459, 0.548415959, 0.5430823549, 0.4173675658, 1.675008414,
        ],
        "augmented": [
            0.4763429412, 0.4149021097, 0.4344025713, 0.5384872766, 0.5320395082, 0.4089620043, 1.505221136,
        ],
    }  # fmt: skip
    for convention, expected in printed.items():
        fit = fit_firth(
            with_ones(table, names),
            table["case"],
            names=["intercept", *names],
            se_convention=convention,  # type: ignore[arg-type]
        )
        assert fit.se_convention == convention
        np.testing.assert_allclose([c.se for c in fit.coefficients], expected, atol=5e-9)
        assert fit.coefficients[1].value == pytest.approx(-1.10598133138, abs=5e-9)


def test_two_groups_have_a_closed_form() -> None:
    # With one binary predictor, Firth's penalty adds half a patient to each of the four cells.
    group = np.repeat([0.0, 1.0], 10)
    outcome = np.concatenate([np.repeat([1.0, 0.0], [3, 7]), np.repeat([1.0, 0.0], [8, 2])])
    fit = fit_firth(np.column_stack([np.ones(20), group]), outcome, names=["intercept", "group"])
    assert fit.values[0] == pytest.approx(np.log(3.5 / 7.5), abs=1e-10)
    assert fit.values[1] == pytest.approx(np.log(8.5 / 2.5) - np.log(3.5 / 7.5), abs=1e-10)


def test_profile_bounds_lie_where_the_likelihood_has_fallen_by_the_right_amount() -> None:
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
    y = (rng.random(60) < expit(X @ [0.2, 1.0, -0.5])).astype(float)
    fit = fit_firth(X, y, names=["intercept", "a", "b"])
    for j, coefficient in enumerate(fit.coefficients):
        for bound in (coefficient.low, coefficient.high):
            start, free = np.zeros(3), np.ones(3, bool)
            start[j], free[j] = bound, False
            profile = maximise_logistic(X, y, firth=True, free=free, start=start)
            fall = 2 * (fit.penalised_log_likelihood - float(profile.log_likelihood))
            assert fall == pytest.approx(3.841458820694124, abs=1e-5)


def test_finite_where_maximum_likelihood_runs_away() -> None:
    x = np.linspace(-1, 1, 20)
    X, y = np.column_stack([np.ones(20), x]), (x > 0).astype(float)
    assert bool(separated(maximise_logistic(X, y), X))
    fit = fit_firth(X, y, names=["intercept", "x"])
    assert 3 < fit.values[1] < 20
    assert np.isfinite(fit.coefficients[1].low)
    assert fit.p_values[1] < 0.001


def test_a_stack_of_weights_equals_fits_of_the_resamples_one_by_one() -> None:
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(50), rng.normal(size=(50, 2))])
    y = (rng.random(50) < 0.5).astype(float)
    rows = [rng.integers(0, 50, 50) for _ in range(6)]
    weights = np.array([np.bincount(row, minlength=50) for row in rows]).astype(float)
    stack = maximise_logistic(X, y, weights=weights, firth=True)
    for i, row in enumerate(rows):
        single = maximise_logistic(X[row], y[row], firth=True)
        np.testing.assert_allclose(stack.coefficients[i], single.coefficients, atol=1e-9)


def test_rescaling_a_predictor_rescales_its_coefficient_only() -> None:
    rng = np.random.default_rng(4)
    X = np.column_stack([np.ones(40), rng.normal(size=(40, 2))])
    y = (rng.random(40) < 0.4).astype(float)
    plain = fit_firth(X, y, names=["intercept", "a", "b"])
    scaled = fit_firth(X * [1, 1000, 1], y, names=["intercept", "a", "b"])
    np.testing.assert_allclose(scaled.values * [1, 1000, 1], plain.values, rtol=1e-8)
    assert scaled.coefficients[1].low * 1000 == pytest.approx(plain.coefficients[1].low, rel=1e-5)


def test_nearly_equal_predictors_of_tiny_spread_are_no_trap() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=60)
    near = np.column_stack([np.ones(60), 1e-4 * z, 1e-4 * (z + 0.02 * rng.normal(size=60))])
    y = (rng.random(60) < expit(z)).astype(float)
    apart = np.column_stack([near[:, 0], 1e4 * near[:, 1], 1e6 * (near[:, 2] - near[:, 1])])
    fit, plain = fit_firth(near, y, names=["i", "a", "b"]), fit_firth(apart, y, names=["i", "a", "b"])
    back = np.array([[1, 0, 0], [0, 1e4, -1e6], [0, 0, 1e6]])
    np.testing.assert_allclose(fit.values, back @ plain.values, rtol=1e-6)
    assert fit.coefficients[2].high == pytest.approx(1e6 * plain.coefficients[2].high, rel=1e-4)


def test_corrected_intercept_makes_the_mean_prediction_right() -> None:
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(60), rng.normal(size=60)])
    y = (rng.random(60) < 0.15).astype(float)
    eta = X @ maximise_logistic(X, y, firth=True).coefficients
    assert expit(eta).mean() > y.mean() + 0.005  # Firth pulls towards one half
    assert expit(eta + corrected_intercept(eta, y)).mean() == pytest.approx(y.mean(), abs=1e-10)


def test_refuses_three_log_ratios_together() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(2, 30))
    X = np.column_stack([np.ones(30), a, b, a + b])
    with pytest.raises(InputError, match="linearly dependent"):
        fit_firth(X, rng.integers(0, 2, 30), names=["intercept", "a", "b", "c"])
    with pytest.raises(InputError, match="a value is missing"):
        fit_firth([[1, np.nan]] * 4, [0, 1, 0, 1], names=["intercept", "x"])


def test_augmented_errors_count_what_the_penalty_adds() -> None:
    rng = np.random.default_rng(3)
    design = np.column_stack([np.ones(30), rng.normal(size=(30, 2))])
    outcome = rng.binomial(1, expit(design @ [0.2, 1.0, -0.5])).astype(float)
    names = ["intercept", "a", "b"]
    fits = {
        kind: fit_firth(design, outcome, names=names, se_convention=kind) for kind in ("fisher", "augmented")
    }
    p = expit(design @ fits["fisher"].values)
    # The penalty is as if each patient were seen once more, by leverage, half with and half without it.
    root = design * np.sqrt(p * (1 - p))[:, None]
    information = root.T @ root
    leverage = np.diag(root @ np.linalg.inv(information) @ root.T)
    augmented = (root * (1 + leverage)[:, None]).T @ root
    np.testing.assert_allclose(fits["fisher"].covariance, np.linalg.inv(information), rtol=1e-8)
    np.testing.assert_allclose(fits["augmented"].covariance, np.linalg.inv(augmented), rtol=1e-8)


@pytest.mark.filterwarnings("error")
def test_a_coefficient_so_far_out_that_nothing_is_left_mutters_nothing() -> None:
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(20), 10 * rng.standard_normal(20)])
    outcome = (rng.random(20) < 0.5).astype(float)
    far = maximise_logistic(
        design, outcome, firth=True, free=np.array([True, False]), start=np.array([0.0, 1e3])
    )
    assert far.log_likelihood == -np.inf


def test_bounds_of_predictors_that_almost_repeat_each_other() -> None:
    """Against one column and the small difference of both, of which the fit is well conditioned."""
    rng = np.random.default_rng(8)
    first = rng.standard_normal(40)
    apart = rng.standard_normal(40)
    outcome = (rng.random(40) < 1 / (1 + np.exp(-first))).astype(float)
    tiny = 1e-6
    ones = np.ones(40)
    near = fit_firth(np.column_stack([ones, first, first + tiny * apart]), outcome, names=["one", "a", "b"])
    plain = fit_firth(np.column_stack([ones, first, apart]), outcome, names=["one", "a", "apart"])
    # a·first + b·(first + tiny·apart): the coefficient of `apart` is tiny·b.
    for name in ("value", "low", "high"):
        assert tiny * getattr(near.coefficients[2], name) == pytest.approx(
            getattr(plain.coefficients[2], name), rel=1e-4
        )
    assert near.coefficients[0].low == pytest.approx(plain.coefficients[0].low, rel=1e-4)
