"""Mixed models against lme4, against a dense likelihood of our own, and against what they must refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.statistics.mixed.mixed_likelihood import MixedLikelihood
from sudeck.statistics.mixed.mixed_model import RandomTerm, fit_mixed_model


def crossed_study(seed: int = 3) -> tuple[np.ndarray, np.ndarray, list[RandomTerm], np.ndarray]:
    """Eight patients, five trials at each of two visits, with a slope, crossed trials and known errors."""
    rng = np.random.default_rng(seed)
    patient, trial, after = (
        grid.ravel() for grid in np.meshgrid(range(8), range(5), [0.0, 1.0], indexing="ij")
    )
    X = np.column_stack([np.ones(80), after])
    known = rng.uniform(0.0, 0.1, 80)
    y = (
        1.0
        + 0.5 * after
        + rng.normal(0, 0.8, 8)[patient]
        + rng.normal(0, 0.4, 8)[patient] * after
        + rng.normal(0, 0.3, 5)[trial]
        + rng.normal(0, np.sqrt(0.2 + known))
    )
    terms = [RandomTerm("patient", patient, X, ("intercept", "visit")), RandomTerm("trial", trial)]
    return y, X, terms, known


def dense_deviance(likelihood: MixedLikelihood, phi: np.ndarray) -> float:
    """Minus twice the log-likelihood written out with the full matrix V."""
    factors, sigma = likelihood.factors(phi)
    V = np.diag(likelihood.known + sigma**2)
    for slices, factor in zip(likelihood.slices, factors, strict=True):
        D = factor @ factor.T
        for a, first in enumerate(slices):
            for b, second in enumerate(slices):
                V += D[a, b] * likelihood.Z[:, first] @ likelihood.Z[:, second].T
    inverse = np.linalg.inv(V)
    X, y = likelihood.X, likelihood.y
    information = X.T @ inverse @ X
    residual = y - X @ np.linalg.solve(information, X.T @ inverse @ y)
    value = np.linalg.slogdet(V)[1] + residual @ inverse @ residual
    n = len(y)
    if likelihood.method == "REML":
        value += np.linalg.slogdet(information)[1]
        n -= X.shape[1]
    return float(value + n * np.log(2 * np.pi))


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_value_gradient_and_hessian_agree_with_a_dense_likelihood(method) -> None:
    y, X, terms, known = crossed_study()
    likelihood = MixedLikelihood(y, X, terms, known, method)
    phi = np.array([0.7, 0.2, 0.5, 0.35, 0.45])
    state = likelihood.at(phi)
    assert state is not None
    assert state.deviance == pytest.approx(dense_deviance(likelihood, phi), rel=1e-12)
    gradient, hessian = state.derivatives
    h = 1e-5
    steps = np.eye(5) * h
    numeric = [
        (dense_deviance(likelihood, phi + s) - dense_deviance(likelihood, phi - s)) / (2 * h) for s in steps
    ]
    assert gradient == pytest.approx(numeric, rel=1e-6, abs=1e-6)
    rows = [
        (likelihood.at(phi + s).derivatives[0] - likelihood.at(phi - s).derivatives[0]) / (2 * h)
        for s in steps
    ]
    assert hessian == pytest.approx(np.array(rows), rel=1e-5, abs=1e-5)


def test_lme4_numbers_of_nineteen_subjects(shared: Path) -> None:
    data = pd.read_csv(shared / "stats/refs/mixed_n19.csv")
    reference = json.loads((shared / "stats/refs/mixed_n19.json").read_text())
    X = np.column_stack([np.ones(len(data)), data.visit == 1, data.visit == 2]).astype(float)
    model = fit_mixed_model(data.y, X, [RandomTerm("id", data.id)])
    rows = reference["satterthwaite"]
    assert model.coefficients == pytest.approx([row["Estimate"] for row in rows], rel=1e-7)
    assert model.standard_errors == pytest.approx([row["Std. Error"] for row in rows], rel=1e-7)
    assert list(model.variances.values()) == pytest.approx([row["vcov"] for row in reference["vc"]], rel=1e-6)


def test_lme4_numbers_of_a_random_slope(shared: Path) -> None:
    data = pd.read_csv(shared / "stats/sleepstudy.csv")
    reference = json.loads((shared / "stats/refs/lmer_sleepstudy.json").read_text())
    X = np.column_stack([np.ones(len(data)), data.Days])
    model = fit_mixed_model(data.Reaction, X, [RandomTerm("Subject", data.Subject, X, ("intercept", "Days"))])
    assert -2 * model.log_likelihood == pytest.approx(reference["reml"], abs=1e-6)
    assert model.coefficients == pytest.approx([row["Estimate"] for row in reference["coef"]], rel=1e-9)
    # The reference's own search stops 1e-5 short of the optimum in the variances.
    assert model.standard_errors == pytest.approx([row["Std. Error"] for row in reference["coef"]], rel=1e-5)
    assert model.variances["Subject: Days"] == pytest.approx(35.0717, rel=1e-4)


def test_lme4_numbers_of_crossed_effects_by_ml(shared: Path) -> None:
    data = pd.read_csv(shared / "tms/iocTBS/prepost_long.csv")
    times = ["Post0", "Post10", "Post20", "Post30"]
    X = np.column_stack([np.ones(len(data))] + [data.Time == time for time in times]).astype(float)
    terms = [RandomTerm("Subj", data.Subj_ID), RandomTerm("Trial", data.Trial)]
    model = fit_mixed_model(data.lnMEP, X, terms, names=["Baseline", *times], method="ML")
    assert model.coefficients[1:] == pytest.approx([-0.23538, -0.12940, -0.18049, -0.08294], abs=5e-6)
    assert model.standard_errors[1:] == pytest.approx([0.04428, 0.04438, 0.04453, 0.04454], abs=5e-6)
    assert model.log_likelihood == pytest.approx(-4678.0113, abs=1e-4)


def test_known_errors_are_taken_out_of_the_residual_variance() -> None:
    found = []
    patient = np.repeat(np.arange(60), 2)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        error = rng.uniform(0.2, 0.6, 120)
        y = rng.normal(0, 1, 60)[patient] + rng.normal(0, 0.5, 120) + rng.normal(0, error)
        model = fit_mixed_model(
            y, np.ones((120, 1)), [RandomTerm("patient", patient)], known_variance=error**2
        )
        found.append([model.variances["patient"], model.variances["residual"]])
    # Without the known part the residual variance would be 0.42.
    assert np.mean(found, axis=0) == pytest.approx([1.0, 0.25], abs=0.06)


def test_a_variance_of_zero_is_reported_as_such() -> None:
    # Within-patient differences larger than those between patients: the best variance between is zero.
    values = [1, -1, -1.1, 1.1, 1.2, -1.2, -0.9, 0.9]
    model = fit_mixed_model(values, np.ones((8, 1)), [RandomTerm("patient", [0, 0, 1, 1, 2, 2, 3, 3])])
    assert model.variances["patient"] == 0
    assert model.at_boundary == ("patient",)
    assert model.variances["residual"] == pytest.approx(np.var(values, ddof=1))


@settings(max_examples=25)
@given(scale=st.floats(1e-4, 1e4), shift=st.floats(-100, 100))
def test_units_and_origin_change_nothing_else(scale: float, shift: float) -> None:
    y, X, terms, known = crossed_study()
    plain = fit_mixed_model(y, X, terms, known_variance=known)
    moved = fit_mixed_model(shift * scale + scale * y, X, terms, known_variance=known * scale**2)
    assert moved.coefficients[1] == pytest.approx(scale * plain.coefficients[1], rel=1e-6)
    assert moved.standard_errors == pytest.approx(scale * plain.standard_errors, rel=1e-5)
    assert moved.log_likelihood == pytest.approx(plain.log_likelihood - 78 * np.log(scale), abs=1e-6)


@pytest.mark.parametrize(
    ("y", "X", "groups", "sentence"),
    [
        ([1, 2, 3, np.nan], np.ones((4, 1)), [0, 0, 1, 1], "missing values"),
        ([1, 1, 1, 1], np.ones((4, 1)), [0, 0, 1, 1], "no variation"),
        ([1, 2, 3, 4], np.ones((4, 2)), [0, 0, 1, 1], "collinear"),
        ([1, 2], np.eye(2), [0, 0], "2 observations for 2"),
        ([1, 2, 3, 4], np.ones((4, 1)), [0, 1, 2, 3], "one observation"),
        ([1, 2, 3], np.ones((4, 1)), [0, 0, 1, 1], "differ in length"),
    ],
)
def test_what_can_not_be_fitted_is_refused_in_a_sentence(y, X, groups, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        fit_mixed_model(y, X, [RandomTerm("patient", groups)])


def test_text_and_dict_show_every_number() -> None:
    y, X, terms, known = crossed_study()
    model = fit_mixed_model(y, X, terms, names=["start", "change"], known_variance=known)
    assert "change" in str(model)
    assert json.loads(json.dumps(model.to_dict()))["coefficients"]["change"] == model.coefficients[1]
    with pytest.raises(InputError, match="not a fixed effect"):
        model.weights(nothing=1.0)
    assert model.weights(change=2.0).tolist() == [0.0, 2.0]
