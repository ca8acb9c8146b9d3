"""What a paper already knows, brought to local data as a normal prior, never without its weight.

A published correlation enters on Fisher's z scale, several of them as a prior for joint slopes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import normal_quantile
from sudeck.statistics.arrays import FloatArray


@dataclass(frozen=True)
class WithPrior:
    """Local data and published numbers together, with what each weighs.

    Attributes
    ----------
    names : tuple of str
    local, prior, combined : tuple of Estimate
    prior_weight : Mapping of str to float
        Share of the combined precision that the prior holds.
    conflict_p : float
        Test that local data and prior are about the same numbers.
    discount : float
        Factor on the prior's number of patients: 1 takes it at its word, 0 ignores it.
    """

    names: tuple[str, ...]
    local: tuple[Estimate, ...]
    prior: tuple[Estimate, ...]
    combined: tuple[Estimate, ...]
    prior_weight: Mapping[str, float]
    conflict_p: float
    discount: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        rows = zip(self.names, self.local, self.prior, self.combined, strict=True)
        return {
            "estimates": {
                name: {
                    "local": local.to_dict(),
                    "prior": prior.to_dict(),
                    "combined": combined.to_dict(),
                    "prior_weight": self.prior_weight[name],
                }
                for name, local, prior, combined in rows
            },
            "conflict_p": self.conflict_p,
            "discount": self.discount,
        }

    def __str__(self) -> str:
        lines = [
            f"{combined}; the prior holds {100 * self.prior_weight[name]:.0f} % of it"
            for name, combined in zip(self.names, self.combined, strict=True)
        ]
        return "\n".join([*lines, f"prior and local data disagree with P = {self.conflict_p:.3g}"])


def combine_correlations(
    local_r: float,
    local_n: float,
    published_r: float,
    published_n: float,
    *,
    discount: float = 1.0,
    name: str = "r",
    level: float = 0.95,
) -> WithPrior:
    """Combine a local correlation with a published one on Fisher's z scale.

    Parameters
    ----------
    local_r, local_n, published_r, published_n : float
    discount : float
        Between 0 (excluded) and 1: how many of the published patients count (a power prior; Ibrahim & Chen
        2000, Statistical Science 15:46-60).

    Examples
    --------
    >>> print(combine_correlations(0.10, 103, 0.32, 53))
    r 0.1756 (95 % interval 0.01741 to 0.3252); the prior holds 33 % of it
    prior and local data disagree with P = 0.182
    """
    from scipy.stats import norm

    effective = 3.0 + discount * (published_n - 3.0)
    if not 0 < discount <= 1 or min(local_n, effective) <= 3 or max(abs(local_r), abs(published_r)) >= 1:
        raise InputError(name, "more than three patients and |r| < 1 are needed on both sides", "check them")
    z = np.arctanh([local_r, published_r])
    precision = np.array([local_n - 3.0, effective - 3.0])
    total = float(precision.sum())
    quantile = normal_quantile(level)

    def on_r(z_value: float, precision_value: float, n: float, method: str) -> Estimate:
        half = quantile / math.sqrt(precision_value)
        low, high = math.tanh(z_value - half), math.tanh(z_value + half)
        return Estimate(
            name, math.tanh(z_value), low, high, level=level, method=method, n=n, n_unit="patients"
        )

    gap = float(z[0] - z[1]) / math.sqrt(float((1 / precision).sum()))
    return WithPrior(
        (name,),
        (on_r(float(z[0]), precision[0], local_n, "Fisher z"),),
        (on_r(float(z[1]), precision[1], effective, "published, Fisher z"),),
        (on_r(float(precision @ z) / total, total, total + 3, "local and published, Fisher z"),),
        {name: float(precision[1]) / total},
        float(2 * norm.sf(abs(gap))),
        discount,
    )


def slope_prior(
    correlations: ArrayLike, n: float, predictor_covariance: ArrayLike, outcome_sd: float
) -> tuple[FloatArray, FloatArray]:
    """Turn published correlations of an outcome with several predictors into a prior for their joint slopes.

    The paper gives one correlation a predictor; how the predictors go together is taken from the local
    cohort.

    Parameters
    ----------
    correlations : array, shape (k,)
        Of the outcome with each predictor.
    n : float
        Patients they rest on (times the discount, if any).
    predictor_covariance : array, shape (k, k)
    outcome_sd : float

    Returns
    -------
    mean, covariance : arrays, shape (k,) and (k, k)
        Of the slopes, by the delta method from the large-sample covariance of correlations that share a
        variable (Olkin & Siotani 1976).
    """
    r = np.asarray(correlations, dtype=np.float64)
    sigma = np.asarray(predictor_covariance, dtype=np.float64)
    sd = np.sqrt(np.diag(sigma))
    among = sigma / np.outer(sd, sd)
    left = 1.0 - r[:, None] ** 2 - r[None, :] ** 2
    spread = (among * left - 0.5 * np.outer(r, r) * (left - among**2)) / n
    spread[np.diag_indices(len(r))] = (1.0 - r**2) ** 2 / n
    back = np.linalg.inv(among) * outcome_sd / sd[:, None]
    return back @ r, np.asarray(back @ spread @ back.T)


def combine_slopes(
    names: Sequence[str],
    local: tuple[ArrayLike, ArrayLike],
    prior: tuple[ArrayLike, ArrayLike],
    *,
    discount: float = 1.0,
    level: float = 0.95,
) -> WithPrior:
    """Combine local slopes with a normal prior by precision.

    Parameters
    ----------
    names : sequence of str
    local, prior : (mean, covariance)
    discount : float
        Between 0 (excluded) and 1; divides the covariance of the prior.
    """
    from scipy.stats import chi2

    if not 0 < discount <= 1:
        raise InputError("the prior", f"a discount of {discount} is not between 0 and 1", "choose another")
    b, B = (np.asarray(part, dtype=np.float64) for part in local)
    m, M = (np.asarray(part, dtype=np.float64) for part in prior)
    M = M / discount
    covariance = np.linalg.inv(np.linalg.inv(B) + np.linalg.inv(M))
    weight = covariance @ np.linalg.inv(M)
    mean = b + weight @ (m - b)
    gap = m - b
    conflict = float(chi2.sf(float(gap @ np.linalg.solve(B + M, gap)), len(b)))

    def estimates(values: FloatArray, spread: FloatArray, method: str) -> tuple[Estimate, ...]:
        se = np.sqrt(np.diag(spread))
        return tuple(
            Estimate.from_normal(name, float(v), float(s), level=level, method=method)
            for name, v, s in zip(names, values, se, strict=True)
        )

    return WithPrior(
        tuple(names),
        estimates(b, B, "local patients"),
        estimates(m, M, "published summary statistics"),
        estimates(mean, covariance, "local patients and published summary statistics"),
        dict(zip(names, np.diag(weight).tolist(), strict=True)),
        conflict,
        discount,
    )
