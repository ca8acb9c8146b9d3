"""Annealing leads draws to a posterior that is known in closed form, members of a mixture included."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.circuit.parameters import Floats
from sudeck.mechanism.circuit_fit.annealing import (
    Draws,
    anneal,
    effective_share,
    next_step,
    normalised,
    resample,
    walk,
)


def _standard(x: Draws) -> Floats:
    return np.asarray(-0.5 * (x.position**2).sum(axis=0))


def test_a_normal_posterior_and_its_evidence_are_found() -> None:
    rng = np.random.default_rng(0)
    design, error = rng.normal(size=(6, 10)), 0.3
    value = rng.normal(size=6)

    def likelihood(x: Draws) -> Floats:
        return np.asarray(-0.5 * ((value[:, None] - design @ x.position) ** 2).sum(axis=0) / error**2)

    start = Draws(rng.standard_normal((10, 2000)), np.zeros(2000, int))
    found = anneal(start, _standard, likelihood, rng)
    covariance = np.linalg.inv(design.T @ design / error**2 + np.eye(10))
    mean = covariance @ design.T @ value / error**2
    marginal = design @ design.T + error**2 * np.eye(6)
    # The likelihood above lacks the constant of its normal density.
    evidence = -0.5 * (value @ np.linalg.solve(marginal, value) + np.linalg.slogdet(marginal / error**2)[1])
    sd = np.sqrt(np.diag(covariance))
    assert np.abs((found.draws.position.mean(axis=1) - mean) / sd).max() < 0.15
    assert found.draws.position.std(axis=1) == pytest.approx(sd, rel=0.12)
    assert found.log_evidence == pytest.approx(evidence, abs=0.3)


def test_draws_keep_their_spread_in_as_many_dimensions_as_a_patient_has() -> None:
    """Moves proposed from a cloud of the same draws leave 0.94 of the variance, and too little evidence."""
    size, shown, error, found = 57, 20, 0.3, []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        design = rng.standard_normal((shown, size)) / np.sqrt(size)
        value = design @ rng.standard_normal(size) + error * rng.standard_normal(shown)
        precision = np.eye(size) + design.T @ design / error**2
        middle = np.linalg.solve(precision, design.T @ value / error**2)

        def likelihood(x: Draws, design: Floats = design, value: Floats = value) -> Floats:
            return np.asarray(-0.5 * ((value[:, None] - design @ x.position) ** 2).sum(axis=0) / error**2)

        start = Draws(rng.standard_normal((size, 2000)), np.zeros(2000, int))
        away = anneal(start, _standard, likelihood, rng).draws.position - middle[:, None]
        found.append(np.einsum("in,ij,jn->n", away, precision, away).mean())
    assert np.mean(found) == pytest.approx(size, rel=0.025)


def test_members_are_chosen_by_their_likelihood() -> None:
    rng = np.random.default_rng(1)
    bonus = np.log(np.array([1.0, 3.0, 6.0]))
    start = Draws(rng.standard_normal((2, 4000)), rng.integers(3, size=4000))
    found = anneal(start, _standard, lambda x: bonus[x.member], rng, members=3)
    assert np.bincount(found.draws.member) / 4000 == pytest.approx([0.1, 0.3, 0.6], abs=0.03)


def test_a_walk_leaves_its_density_as_it_is() -> None:
    rng = np.random.default_rng(2)
    start = Draws(rng.standard_normal((3, 4000)), rng.integers(2, size=4000))
    moved = walk(walk(start, _standard, rng, members=2), _standard, rng, members=2)
    assert moved.position.mean(axis=1) == pytest.approx(np.zeros(3), abs=0.06)
    assert moved.position.std(axis=1) == pytest.approx(np.ones(3), abs=0.05)
    assert np.corrcoef(moved.position[0], start.position[0])[0, 1] < 0.3


def test_weights_and_steps() -> None:
    weight = normalised(np.log([1.0, 1.0, 2.0]))
    assert weight == pytest.approx([0.25, 0.25, 0.5])
    assert effective_share(np.full(8, 1 / 8)) == pytest.approx(1.0)
    ratio = np.linspace(0, 50, 200)
    step = next_step(ratio, 1.0)
    assert 0 < step < 1
    assert effective_share(normalised(step * ratio)) == pytest.approx(0.5, abs=0.01)
    assert next_step(0 * ratio, 0.4) == 0.4
    assert np.bincount(resample(np.random.default_rng(0), weight), minlength=3).sum() == 3
