"""Correlations against SciPy, and the published analysis on tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.published.relief_correlation import correlate, published_analysis
from sudeck.statistics.correlation import fisher_interval, p_value
from sudeck.synthetic.study.synthetic_cohort import SyntheticCohort


def test_equals_scipy() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    y = np.round(0.4 * x + rng.normal(size=50), 1)
    pearson, spearman = correlate(x, y), correlate(x, y, kind="spearman")
    reference = pearsonr(x, y)
    interval = reference.confidence_interval()
    assert pearson.r.value == pytest.approx(reference.statistic)
    assert pearson.p == pytest.approx(reference.pvalue)
    assert (pearson.r.low, pearson.r.high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert spearman.r.value == pytest.approx(spearmanr(x, y).statistic)
    assert spearman.p == pytest.approx(spearmanr(x, y).pvalue)
    assert spearman.r.high - spearman.r.low > pearson.r.high - pearson.r.low - 0.05


@pytest.mark.parametrize(
    ("r", "n", "low", "high"),
    [(0.32, 105, 0.14, 0.48), (0.32, 66, 0.08, 0.52), (0.34, 105, 0.16, 0.50), (0.23, 66, -0.01, 0.45)],
)
def test_fisher_interval(r: float, n: int, low: float, high: float) -> None:
    assert fisher_interval(r, n) == (pytest.approx(low, abs=0.0051), pytest.approx(high, abs=0.0051))


def test_smallest_significant_correlations() -> None:
    for r, n in ((0.192, 105), (0.243, 66), (0.456, 19)):
        assert p_value(r, n) < 0.05 < p_value(r - 0.0015, n)


def test_a_perfect_correlation_has_no_width() -> None:
    result = correlate([1, 2, 3, 4], [2, 4, 6, 8])
    assert (result.r.value, result.p) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-12))


def test_spearman_interval_covers() -> None:
    rng = np.random.default_rng(1)
    rho, hits = 0.5, 0
    population = 6 / np.pi * np.arcsin(rho / 2)
    for _ in range(400):
        x = rng.normal(size=60)
        y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=60)
        interval = correlate(x, np.exp(y), kind="spearman").r
        hits += interval.low <= population <= interval.high
    assert 0.92 < hits / 400 < 0.98


def test_published_analysis_uses_the_patients_each_measure_has(cohort: SyntheticCohort) -> None:
    analysis = published_analysis(read_cohort(cohort.table))
    assert list(analysis.measures) == ["VPr", "TPr", "BPr", "TPr/VPr", "BPr/TPr", "BPr/VPr"]
    entry = analysis.to_dict()["BPr/TPr"]
    known = cohort.table.dropna(subset=["BPr", "TPr", "relief_percent"])
    assert entry["n"] == len(known) < len(cohort.table)
    assert entry["r"] == pytest.approx(
        np.corrcoef(known["BPr"] / known["TPr"], known["relief_percent"])[0, 1]
    )
    assert entry["published_r"] == 0.32
    assert analysis.to_dict()["VPr"]["published_r"] is None
    assert entry["low"] < entry["r"] < entry["high"]


def test_refuses_too_little() -> None:
    with pytest.raises(InputError, match="only 3 patients"):
        correlate([1, 2, 3, np.nan], [1, 2, 3, 4])
    with pytest.raises(InputError, match="does not vary"):
        correlate([1, 1, 1, 1], [1, 2, 3, 4])
    with pytest.raises(InputError, match="do not pair"):
        correlate([1, 2], [1, 2, 3])
    with pytest.raises(InputError, match="column relief_percent"):
        published_analysis(
            read_cohort(pd.DataFrame({"participant_id": ["a"], "VPr": [1], "TPr": [1], "BPr": [1]}))
        )
