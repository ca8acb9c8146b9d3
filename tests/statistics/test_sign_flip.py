"""The sign-flip test against an independent implementation and against brute force."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.statistics.sign_flip import flip_signs


def by_brute_force(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Raw and step-down P from every pattern, one at a time, with t computed afresh."""
    n, m = x.shape

    def t_of(values: np.ndarray) -> np.ndarray:
        return np.abs(values.mean(0) / (values.std(0, ddof=1) / np.sqrt(n)))

    observed = t_of(x)
    order = np.argsort(-observed)
    every = np.array([t_of(x * np.array(s)[:, None]) for s in itertools.product([1, -1], repeat=n)])
    raw = (every >= observed - 1e-9).mean(0)
    step = np.empty(m)
    for k, j in enumerate(order):
        step[j] = (every[:, order[k:]].max(1) >= observed[j] - 1e-9).mean()
    step[order] = np.maximum.accumulate(step[order])
    return raw, step


def test_the_stored_reference_is_met_exactly(shared: Path) -> None:
    reference = json.loads((shared / "stats/refs/maxT.json").read_text())
    test = flip_signs(pd.read_csv(shared / "stats/refs/maxT_X.csv"))
    assert np.abs(test.t) == pytest.approx(reference["t"], rel=1e-12)
    assert list(test.p) == reference["raw"]
    assert list(test.p_family) == reference["stepdown"]
    assert list(test.p_single_step) == reference["singlestep"]


@pytest.mark.parametrize("n", [3, 8, 12])
def test_brute_force_agrees(n: int) -> None:
    x = np.random.default_rng(n).normal(0.3, 1, (n, 3))
    raw, step = by_brute_force(x)
    test = flip_signs(x)
    assert test.patterns == 2**n
    assert list(test.p) == raw.tolist()
    assert list(test.p_family) == step.tolist()


@given(seed=st.integers(0, 1000), factor=st.floats(1e-6, 1e6))
def test_units_order_of_patients_and_overall_sign_do_not_matter(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(0.2, 1, (7, 3)).round(1)
    test = flip_signs(x)
    assert flip_signs(x * [factor, 1, -1]).p_family == test.p_family
    assert flip_signs(x[rng.permutation(7)]).p_family == test.p_family
    assert all(
        raw <= family <= single
        for raw, family, single in zip(test.p, test.p_family, test.p_single_step, strict=True)
    )


def test_random_patterns_come_close_to_all_of_them() -> None:
    x = np.random.default_rng(2).normal(0.4, 1, (14, 4))
    exact, drawn = flip_signs(x), flip_signs(x, exact_up_to=10, draws=40_000, rng=5)
    assert exact.exact
    assert not drawn.exact
    assert drawn.p_family == pytest.approx(exact.p_family, abs=0.01)
    assert drawn.p_family == flip_signs(x, exact_up_to=10, draws=40_000, rng=5).p_family


def test_missing_visits_constant_and_absent_changes() -> None:
    x = np.array([[1.0, 0.0, 2.0], [1.0, 0.0, np.nan], [1.0, 0.0, 3.0], [1.0, 0.0, np.nan], [np.nan] * 3])
    test = flip_signs(x, names=["same", "none", "two"])
    assert test.n == (4, 4, 2)
    assert test.t[0] == np.inf
    assert test.p[:2] == (2 / 16, 1.0)
    assert test.p[2] == 0.5
    assert json.loads(json.dumps(test.to_dict()))["t"][0] is None
    assert "same" in str(test)


def test_a_measure_of_two_patients_does_not_drown_the_family() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(1.0, 0.5, 12), np.full(12, np.nan)])
    x[:2, 1] = 1.0, 1.001
    test = flip_signs(x)
    assert test.t[1] > 1000
    assert test.p_family[0] < 0.01


def test_too_little_is_refused() -> None:
    with pytest.raises(InputError, match="two or more"):
        flip_signs([[1.0]])
    with pytest.raises(InputError, match="no measure"):
        flip_signs(np.zeros((3, 0)))
