"""Interval and P value of a correlation, from the correlation and the number of pairs alone."""

from __future__ import annotations

import math

from sudeck.core.quantile import normal_quantile


def fisher_interval(r: float, n: float, *, level: float = 0.95, spread: float = 1.0) -> tuple[float, float]:
    """Return the Fisher z interval of a correlation from `n` pairs.

    Parameters
    ----------
    r, n : float
    level : float
    spread : float
        Factor on the variance 1 / (n - 3).

    Examples
    --------
    >>> low, high = fisher_interval(0.32, 105)
    >>> round(low, 2), round(high, 2)
    (0.14, 0.48)
    """
    if n <= 3:
        return -1.0, 1.0
    if abs(r) >= 1.0:
        return r, r
    half = normal_quantile(level) * math.sqrt(spread / (n - 3))
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def p_value(r: float, n: float) -> float:
    """Return the two-sided P value of a correlation `r` of `n` pairs: t with n - 2 degrees of freedom.

    Examples
    --------
    >>> round(p_value(0.32, 105), 5), round(p_value(0.32, 66), 4)
    (0.00088, 0.0088)
    """
    from scipy.stats import t as student

    if abs(r) >= 1.0:
        return 0.0
    return float(2 * student.sf(abs(r) * math.sqrt((n - 2) / (1 - r * r)), n - 2))
