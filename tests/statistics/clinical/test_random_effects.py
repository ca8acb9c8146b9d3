"""Pooling of centres: an independent implementation, published numbers, coverage."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.statistics.clinical.random_effects import pool_estimates

# Thirteen trials of BCG (Colditz et al. 1994): log relative risk and its variance, as in R's metafor dat.bcg.
BCG = np.array(
    [
        (-0.8893, 0.3256), (-1.5854, 0.1946), (-1.3481, 0.4154), (-1.4416, 0.0200), (-0.2175, 0.0512),
        (-0.7861, 0.0069), (-1.6209, 0.2230), (0.0120, 0.0040), (-0.4694, 0.0564), (-1.3713, 0.0730),
        (-0.3394, 0.0124), (0.4459, 0.5325), (-0.0173, 0.0714),
    ]
)  # fmt: skip


def test_published_example() -> None:
    pooled = pool_estimates("log relative risk", BCG[:, 0], np.sqrt(BCG[:, 1]))
    # rma(yi, vi, method = "PM") prints tau^2 0.3181 and -0.7150.
    assert pooled.between_sd**2 == pytest.approx(0.3181, abs=2e-4)
    assert pooled.mean.value == pytest.approx(-0.715, abs=5e-4)
    assert pooled.heterogeneity_p < 1e-4


def test_against_statsmodels() -> None:
    meta = pytest.importorskip("statsmodels.stats.meta_analysis")
    found = meta.combine_effects(BCG[:, 0], BCG[:, 1], method_re="iterated", use_t=True)
    ours = pool_estimates("x", BCG[:, 0], np.sqrt(BCG[:, 1])).mean
    assert ours.value == pytest.approx(found.mean_effect_re, abs=1e-6)
    assert ours.se == pytest.approx(found.sd_eff_w_re_hksj, abs=1e-6)


def test_intervals_hold() -> None:
    rng, mean, ahead = np.random.default_rng(5), [], []
    for _ in range(200):
        errors = rng.uniform(0.1, 0.4, 8)
        true = rng.normal(1.0, 0.3, 9)
        pooled = pool_estimates("x", rng.normal(true[:8], errors), errors)
        mean.append(pooled.mean.low <= 1.0 <= pooled.mean.high)
        assert pooled.prediction_low is not None
        assert pooled.prediction_high is not None
        ahead.append(pooled.prediction_low <= true[8] <= pooled.prediction_high)
    assert 0.92 <= np.mean(mean) <= 0.98
    assert 0.92 <= np.mean(ahead) <= 0.98


def test_what_can_not_be_pooled() -> None:
    with pytest.raises(InputError, match="two or more"):
        pool_estimates("x", [1.0], [0.1])
    with pytest.raises(InputError, match="no positive standard error"):
        pool_estimates("x", [1.0, 2.0], [0.1, 0.0])
    assert pool_estimates("x", [1.0, 2.0], [0.1, 0.1]).prediction_low is None
