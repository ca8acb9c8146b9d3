"""What every sample size calculation shares: its result, its search, its checks, its distribution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.statistics.regression.logistic import logit


@dataclass(frozen=True)
class SampleSize(Record):
    """A number of patients, with the criterion that asks for it.

    Attributes
    ----------
    criteria : Mapping of str to int
        Patients each criterion needs.
    n : int
        The largest of them.
    assumptions : Mapping of str to float
    source : str
    """

    criteria: Mapping[str, int]
    assumptions: Mapping[str, float]
    source: str

    @property
    def n(self) -> int:
        """Patients needed to meet all criteria."""
        return max(self.criteria.values())

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {"n": self.n} | Record.to_dict(self)

    def __str__(self) -> str:
        lines = [f"{self.n} patients"]
        lines += [f"  {name}: {n}" for name, n in self.criteria.items()]
        return "\n".join(lines)


def normal_log_odds(c_statistic: float, prevalence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the log odds of a patient under the equal-spread normal model."""
    from scipy.stats import norm

    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    weights = weights / weights.sum()
    d = math.sqrt(2) * float(norm.ppf(c_statistic))
    base = float(logit(np.array(prevalence)))
    # A score x from N(0, 1) or N(d, 1) has log odds base + d x - d²/2.
    eta = np.concatenate([base + d * nodes - d * d / 2, base + d * (nodes + d) - d * d / 2])
    return eta, np.concatenate([(1 - prevalence) * weights, prevalence * weights])


def first_n(condition: Callable[[int], bool], start: int) -> int:
    """Return the first n from `start` on that meets a condition which, once met, stays met."""
    low, high = start - 1, start
    while not condition(high):
        low, high = high, 2 * high
        if high > _LARGEST:
            raise InputError("the plan", f"more than {_LARGEST} patients would be needed", "ask for less")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if condition(middle) else (middle, high)
    return high


def round_up(value: float) -> int:
    """Return the next whole number of patients; a whole number up to rounding noise stays."""
    return math.ceil(value - 1e-9)


def require_between(subject: str, value: float, low: float, high: float) -> None:
    """Refuse a value outside an open interval, in one sentence."""
    if not low < value < high:
        raise InputError(subject, f"{value:g} is not between {low:g} and {high:.3g}", "choose another")


def require_positive(subject: str, value: float) -> None:
    """Refuse a value that is zero or less, in one sentence."""
    if not value > 0:
        raise InputError(subject, f"{value:g} is not positive", "choose another")


_LARGEST = 10_000_000
