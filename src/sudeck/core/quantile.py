"""How many standard errors an interval reaches to each side."""

from __future__ import annotations

from statistics import NormalDist


def normal_quantile(level: float) -> float:
    """Return the standard errors a two-sided normal interval reaches to each side.

    Examples
    --------
    >>> round(normal_quantile(0.95), 3)
    1.96
    """
    return NormalDist().inv_cdf(0.5 + level / 2)


def t_quantile(level: float, df: float) -> float:
    """Return the standard errors an interval by Student's t reaches to each side.

    Examples
    --------
    >>> round(t_quantile(0.95, 18), 3)
    2.101
    """
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.5 + level / 2))
