"""Multiple imputation of predictors by chained equations with predictive mean matching, and Rubin's pooling.

Van Buuren & Groothuis-Oudshoorn 2011, J Stat Softw 45(3); Rubin 1987; Barnard & Rubin 1999, Biometrika
86:948-955 (degrees of freedom in small samples). Predictors only: a missing outcome is never imputed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import t_quantile
from sudeck.core.record import Record
from sudeck.statistics.arrays import FloatArray

_DONORS = 5  # patients a missing value is drawn from, the default of the field


@dataclass(frozen=True, slots=True)
class Pooled(Record):
    """One coefficient pooled over imputations.

    Attributes
    ----------
    estimate : Estimate
        Mean with its t interval.
    within, between, total : float
        Variances: mean of the squared standard errors, variance of the estimates, and what Rubin adds up.
    degrees_of_freedom : float
        Barnard & Rubin's.
    fraction_missing : float
        Share of the total variance owed to missing data (lambda).
    m : int
        Number of imputations.
    p : float
        Two-sided, against zero.
    """

    estimate: Estimate
    within: float
    between: float
    total: float
    degrees_of_freedom: float
    fraction_missing: float
    m: int
    p: float

    def __str__(self) -> str:
        return f"{self.estimate}, {self.m} imputations, {self.degrees_of_freedom:.1f} degrees of freedom"


def pool(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    complete_df: float,
    name: str = "coefficient",
    level: float = 0.95,
    unit: str = "",
    method: str = "",
) -> Pooled:
    """Pool one coefficient over imputed data sets by Rubin's rules.

    Parameters
    ----------
    estimates, variances : array, shape (m,)
        From each imputed data set; squared standard errors.
    complete_df : float
        Degrees of freedom the analysis would have had without missing data.

    Raises
    ------
    InputError
        If there are fewer than two imputations.

    Examples
    --------
    >>> print(pool([1.0, 1.2, 0.9, 1.1], [0.04, 0.05, 0.04, 0.05], complete_df=20))
    coefficient 1.050 (95 % interval 0.4677 to 1.632), 4 imputations, 8.8 degrees of freedom
    """
    from scipy.stats import t as student

    q, u = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    m = len(q)
    if m < 2 or q.shape != u.shape:
        raise InputError(name, f"{m} imputations cannot be pooled", "make at least two")
    within, between = float(u.mean()), float(q.var(ddof=1))
    total = within + (1 + 1 / m) * between
    lam = (1 + 1 / m) * between / total if total > 0 else 0.0
    df = barnard_rubin_df(m, lam, complete_df)
    value, se = float(q.mean()), math.sqrt(total)
    estimate = Estimate.from_normal(
        name,
        value,
        se,
        level=level,
        quantile=t_quantile(level, df),
        unit=unit,
        method=f"{method + ', ' if method else ''}Rubin's rules over {m} imputations",
        components={"within": math.sqrt(within), "between": math.sqrt((1 + 1 / m) * between)},
    )
    p = float(2 * student.sf(abs(value) / se, df)) if se > 0 else float(value == 0)
    return Pooled(estimate, within, between, total, df, lam, m, p)


def barnard_rubin_df(m: int, lam: float, complete_df: float) -> float:
    """Return the degrees of freedom of a pooled coefficient.

    Parameters
    ----------
    m : int
        Imputations.
    lam : float
        Share of the variance owed to missing data.
    complete_df : float
        Degrees of freedom without missing data; may be infinite.
    """
    old = (m - 1) / lam**2 if lam > 0 else math.inf
    if math.isinf(complete_df):
        return old
    observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - lam)
    if math.isinf(old):
        return observed
    return old * observed / (old + observed)


def impute(values: FloatArray, *, m: int, rng: np.random.Generator, iterations: int = 10) -> FloatArray:
    """Complete a table `m` times by chained equations with predictive mean matching.

    Each column with gaps is regressed on all others; the coefficients are drawn from their posterior, and a
    gap takes the value of one of the five patients whose prediction lies nearest. Imputed values are
    therefore values somebody has: a 0/1 column stays 0/1.

    Parameters
    ----------
    values : array, shape (n, k)
        NaN where missing. Include the outcome as a column, or its link with the imputed predictors is lost.
    m : int
    rng : numpy.random.Generator
    iterations : int
        Rounds of the chain.

    Returns
    -------
    array, shape (m, n, k)

    Raises
    ------
    InputError
        If a column with gaps has fewer observed values than the table has columns plus one.
    """
    n, k = values.shape
    missing = np.isnan(values)
    gaps = [int(j) for j in np.argsort(missing.sum(axis=0), kind="stable") if missing[:, j].any()]
    for j in gaps:
        if int((~missing[:, j]).sum()) <= k + 1:
            raise InputError(
                f"predictor {j + 1}",
                f"only {int((~missing[:, j]).sum())} patients have it",
                "leave that covariate out or complete it",
            )
    completed = np.empty((m, n, k))
    for i in range(m):
        chain = values.copy()
        for j in gaps:
            chain[missing[:, j], j] = rng.choice(values[~missing[:, j], j], size=int(missing[:, j].sum()))
        for _ in range(iterations if len(gaps) > 1 else 1):
            for j in gaps:
                chain[missing[:, j], j] = _matched(chain, j, missing[:, j], rng)
        completed[i] = chain
    return completed


def _matched(chain: FloatArray, j: int, gap: np.ndarray, rng: np.random.Generator) -> FloatArray:
    """Draw values for the gaps of one column from the patients with the nearest predictions."""
    others = np.delete(chain, j, axis=1)
    spread = others.std(axis=0)
    design = np.column_stack(
        [np.ones(len(chain)), (others - others.mean(axis=0)) / np.where(spread > 0, spread, 1)]
    )
    X, y = design[~gap], chain[~gap, j]
    # A whisper of ridge keeps collinear columns from breaking the draw, as mice does.
    gram = X.T @ X
    inverse = np.linalg.inv(gram + 1e-5 * np.diag(np.diag(gram)) + 1e-12 * np.eye(len(gram)))
    beta = inverse @ X.T @ y
    freedom = max(len(y) - X.shape[1], 1)
    sigma = math.sqrt(float(((y - X @ beta) ** 2).sum()) / rng.chisquare(freedom))
    drawn = beta + sigma * np.linalg.cholesky(inverse) @ rng.standard_normal(len(beta))
    distance = np.abs((X @ beta)[None, :] - (design[gap] @ drawn)[:, None])
    donors = min(_DONORS, len(y))
    nearest = np.argpartition(distance, donors - 1, axis=1)[:, :donors]
    return np.asarray(y[nearest[np.arange(int(gap.sum())), rng.integers(donors, size=int(gap.sum()))]])
