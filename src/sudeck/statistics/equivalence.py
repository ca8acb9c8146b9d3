"""Equivalence of a change: two one-sided tests against a margin stated beforehand.

A change that is not significant is not thereby absent. No change is *shown* when the
change is significantly above the lower and significantly below the upper margin (Schuirmann, J Pharmacokinet
Biopharm 1987;15:657-680).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate

EquivalenceVerdict = Literal["equivalent", "changed", "undecided"]


@dataclass(frozen=True)
class Equivalence:
    """Outcome of two one-sided tests of a ratio.

    Attributes
    ----------
    ratio : Estimate
        The ratio with its ``1 − 2 alpha`` interval, which lies inside the margins exactly when `p` < alpha.
    low_margin, high_margin : float
        Ratios between which a change does not matter.
    p_above_low, p_below_high : float
        One-sided P values; `p` is the larger one.
    p : float
    df : float
    verdict : {"equivalent", "changed", "undecided"}
        ``"changed"``: not equivalent, and the ordinary test finds a change. Otherwise the data can not tell.
    """

    ratio: Estimate
    low_margin: float
    high_margin: float
    p_above_low: float
    p_below_high: float
    p: float
    df: float
    verdict: EquivalenceVerdict

    def __str__(self) -> str:
        return (
            f"{self.ratio} against margins {self.low_margin:.3g} to {self.high_margin:.3g}: {self.verdict} "
            f"(P = {self.p:.3g})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "ratio": self.ratio.to_dict(),
            "low_margin": self.low_margin,
            "high_margin": self.high_margin,
            "p_above_low": self.p_above_low,
            "p_below_high": self.p_below_high,
            "p": self.p,
            "df": self.df if math.isfinite(self.df) else None,
            "verdict": self.verdict,
        }


def show_equivalence(
    log_ratio: float,
    log_se: float,
    df: float,
    *,
    low_margin: float,
    high_margin: float,
    alpha: float = 0.05,
    name: str = "ratio",
) -> Equivalence:
    """Test whether a ratio lies between two margins.

    Parameters
    ----------
    log_ratio, log_se : float
        Natural logarithm of the ratio and its standard error.
    df : float
        Degrees of freedom of the standard error.
    low_margin, high_margin : float
        Ratios below and above one; 0.80 and 1.25 are the convention of bioequivalence.
    alpha : float
        Level of each one-sided test.
    name : str

    Raises
    ------
    InputError
        If the margins do not enclose one or the standard error is not positive.

    Examples
    --------
    >>> print(show_equivalence(0.01, 0.02, 18, low_margin=0.95, high_margin=1.05))
    ratio 1.010 (90 % interval 0.9756 to 1.046) against margins 0.95 to 1.05: equivalent (P = 0.0341)
    """
    from scipy import stats

    if not 0 < low_margin < 1 < high_margin:
        raise InputError(name, f"margins {low_margin} to {high_margin} do not enclose one", "give ratios")
    if not log_se > 0:
        raise InputError(name, "its standard error is not positive", "give the error of the change")
    p_above_low = float(stats.t.sf((log_ratio - math.log(low_margin)) / log_se, df))
    p_below_high = float(stats.t.cdf((log_ratio - math.log(high_margin)) / log_se, df))
    p = max(p_above_low, p_below_high)
    p_no_change = 2 * float(stats.t.sf(abs(log_ratio) / log_se, df))
    verdict: EquivalenceVerdict = (
        "equivalent" if p < alpha else "changed" if p_no_change < alpha else "undecided"
    )
    ratio = Estimate.from_log(
        name,
        log_ratio,
        log_se,
        level=1 - 2 * alpha,
        quantile=float(stats.t.isf(alpha, df)),
        method="two one-sided t tests",
    )
    return Equivalence(ratio, low_margin, high_margin, p_above_low, p_below_high, p, df, verdict)
