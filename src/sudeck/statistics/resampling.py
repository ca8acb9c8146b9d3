"""Bootstrap and permutation for correlations of a few dozen patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from sudeck.statistics.mixed.mixed_likelihood import Floats

# Fisher's z is infinite at a perfect correlation, which small bootstrap samples reach.
R_LIMIT = 1 - 1e-6
# Up to this many patients every permutation is visited (7! = 5040).
EXACT_UP_TO = 7
TIE = 1e-9


def draw_permutations(n: int, draws: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], bool]:
    """Return permutations of n patients, (permutations, n), the identity first, and whether they are all."""
    if n <= EXACT_UP_TO:
        return np.array(list(permutations(range(n))), dtype=np.int64), True
    drawn = rng.permuted(np.tile(np.arange(n), (draws, 1)), axis=1)
    return np.vstack([np.arange(n), drawn]).astype(np.int64), False


def correlate_rows(x: Floats, y: Floats) -> Floats:
    """Return the Pearson correlation of each row of x with the same row of y; NaN where one does not vary."""
    x = x - x.mean(axis=-1, keepdims=True)
    y = y - y.mean(axis=-1, keepdims=True)
    product = np.sqrt((x * x).sum(axis=-1) * (y * y).sum(axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        r: Floats = np.where(product > 0, (x * y).sum(axis=-1) / product, np.nan)
    return r


def bootstrap_r_interval(
    x: Floats,
    y: Floats,
    *,
    level: float,
    draws: int,
    lost_df: int,
    rng: np.random.Generator,
    ranks: bool = False,
) -> tuple[float, float]:
    """Return a bootstrap interval of a correlation.

    The standard deviation of Fisher's z over resampled patients, with a t quantile of ``n − 2 − lost_df``. At
    19 patients this covers 94 to 95 %, where percentile and bias-corrected intervals cover 91 to 93 %.
    """
    from scipy import stats

    n = len(x)
    pick = rng.integers(0, n, size=(draws, n))
    xs, ys = x[pick], y[pick]
    if ranks:
        xs, ys = stats.rankdata(xs, axis=1), stats.rankdata(ys, axis=1)
        r = float(correlate_rows(stats.rankdata(x), stats.rankdata(y)))
    else:
        r = float(correlate_rows(x, y))
    resampled = correlate_rows(xs, ys)
    z = np.arctanh(np.clip(resampled[np.isfinite(resampled)], -R_LIMIT, R_LIMIT))
    half = float(stats.t.ppf(0.5 + level / 2, max(1, n - 2 - lost_df)) * z.std(ddof=1))
    center = math.atanh(max(-R_LIMIT, min(R_LIMIT, r)))
    return min(r, math.tanh(center - half)), max(r, math.tanh(center + half))


def permutation_slope_interval(
    x: Floats, y: Floats, orders: NDArray[np.int64], *, level: float
) -> tuple[float, float]:
    """Return the slopes of y on x that a permutation test does not reject.

    For each permutation the slopes at which it beats the observed order are those between two roots, one on
    either side of the least-squares slope; the interval's ends are quantiles of these roots.
    """
    x, y = x - x.mean(), y - y.mean()
    sxx, slope = float(x @ x), float(x @ y) / float(x @ x)
    shuffled = x[orders]
    s_x, s_y = shuffled @ x, shuffled @ y
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(sxx - s_x > TIE * sxx, (sxx * slope - s_y) / (sxx - s_x), slope)
        second = np.where(sxx + s_x > TIE * sxx, (sxx * slope + s_y) / (sxx + s_x), slope)
    # A permutation that leaves x as it is equals the observed one at every slope.
    same = sxx - s_x <= TIE * sxx
    low = np.where(same, -np.inf, np.minimum(first, second))
    high = np.where(same, np.inf, np.maximum(first, second))
    # Not rejected: more than alpha of the permutations beat the observed order.
    beaten = int((1 - level) * len(orders) + 1e-9)
    return min(slope, float(np.sort(low)[beaten])), max(slope, float(np.sort(high)[-1 - beaten]))


def permute_family(
    xs: Sequence[Floats],
    projectors: Sequence[Floats],
    rows: Sequence[NDArray[np.int64]],
    y: Floats,
    orders: NDArray[np.int64],
    lost_df: int,
) -> tuple[Floats, Floats]:
    """Return permutation P values of several correlations with one outcome, alone and step-down max-|t|.

    Parameters
    ----------
    xs : sequence of array (n_j,)
        Each predictor, free of the covariates, on its own patients.
    projectors : sequence of array (n_j, n_j)
        Removes mean and covariates on the same patients.
    rows : sequence of array (n_j,)
        Which entries of `y` these patients are.
    y : array (n,)
        The outcome, free of the covariates.
    orders : array (permutations, n)
        The first is the identity.
    lost_df : int
        Covariates.
    """
    shuffled = y[orders]
    statistics = np.empty((len(orders), len(xs)))
    for j, (x, projector, row) in enumerate(zip(xs, projectors, rows, strict=True)):
        outcome = shuffled[:, row] @ projector
        r = np.clip(outcome @ x / np.sqrt((x @ x) * (outcome**2).sum(axis=1).clip(1e-300)), -1, 1)
        df = len(x) - 2 - lost_df
        statistics[:, j] = np.abs(r) * np.sqrt(df / (1 - r * r).clip(1e-15))
    observed = statistics[0]
    limit = observed * (1 - TIE) - TIE
    alone = (statistics >= limit).mean(axis=0)
    order = np.argsort(-observed, kind="stable")
    running = np.maximum.accumulate(statistics[:, order[::-1]], axis=1)[:, ::-1]
    family = np.empty(len(xs))
    family[order] = np.maximum.accumulate((running >= limit[order]).mean(axis=0))
    return alone, family
