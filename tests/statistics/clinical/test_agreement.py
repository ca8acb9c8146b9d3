"""Agreement of readings: a published example, simulation, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.statistics.clinical.agreement import kappa, reading_agreement

# Shrout & Fleiss 1979, Psychol Bull 86:420-428, table 2: six targets, four judges.
JUDGES = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]


def test_published_example() -> None:
    found = reading_agreement(JUDGES)
    assert found.icc.value == pytest.approx(0.17, abs=0.005)
    assert (found.icc.low, found.icc.high) == pytest.approx((-0.133, 0.723), abs=5e-4)
    assert found.error_sd**2 == pytest.approx(6.26, abs=0.005)
    assert (found.n, found.readings) == (6, 24)


def test_interval_and_error_against_truth() -> None:
    rng, truth, hits, errors = np.random.default_rng(1), 0.2**2 / (0.2**2 + 0.1**2), 0, []
    for _ in range(300):
        values = rng.normal(0, 0.2, (30, 1)) + rng.normal(0, 0.1, (30, 2))
        found = reading_agreement([*values.tolist(), [1.0]])
        hits += found.icc.low <= truth <= found.icc.high
        errors.append(found.error_sd**2)
    assert 0.92 <= hits / 300 <= 0.98
    assert np.mean(errors) == pytest.approx(0.01, rel=0.04)


def test_what_says_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="at least three"):
        reading_agreement([(1.0, 2.0), (1.0, 3.0), (2.0,)])
    with pytest.raises(InputError, match="same number"):
        reading_agreement([(1.0, 1.0)] * 4)


def test_kappa_covers_its_truth() -> None:
    rng = np.random.default_rng(3)
    # A fifth is bad; each reader errs on a tenth of all: kappa of the world by its four shares.
    share = np.array([[0.2 * 0.81 + 0.8 * 0.01, 0.09], [0.09, 0.2 * 0.01 + 0.8 * 0.81]])
    margin = share[0].sum()
    chance = margin**2 + (1 - margin) ** 2
    truth = (share.trace() - chance) / (1 - chance)
    held = 0
    for _ in range(100):
        bad = rng.random(600) < 0.2
        first, second = (bad ^ (rng.random(600) < 0.1) for _ in range(2))
        found = kappa(list(first), list(second), [str(i // 20) for i in range(600)])
        held += found.low <= truth <= found.high
    assert 88 <= held <= 100
