"""What a number of patients can and can not see; printed with every result so that nobody over-reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.statistics.effect_size import noncentral_t_cdf


@dataclass(frozen=True)
class DetectableRatio(Record):
    """The smallest change of one measure that the study would probably see.

    Attributes
    ----------
    name : str
    sd : float
        Standard deviation between patients of the log change.
    fall, rise : float
        Ratios that a two-sided t test finds with the stated power.
    equivalence : float
        Smallest margin ``m`` such that ``1/m`` to ``m`` is shown with that power when nothing changed.
    """

    name: str
    sd: float
    fall: float
    rise: float
    equivalence: float


@dataclass(frozen=True)
class Power:
    """What `n` patients can see.

    Attributes
    ----------
    n : int
        Patients.
    power, alpha : float
        Probability of a claim when the effect is there; two-sided level.
    standardised_change : float
        Mean change in standard deviations of the change that is found with that power.
    significant_r, detectable_r : float
        Smallest |r| that is significant, and the r that is found with that power: of what is measured, errors
        included.
    r_interval : tuple of float
        95 % interval around an observed r of 0.5.
    ratios : tuple of DetectableRatio
    tests : int
        Tests that share `alpha` where a correlation is claimed; the two numbers of r are for the strictest.
    """

    n: int
    power: float
    alpha: float
    standardised_change: float
    significant_r: float
    detectable_r: float
    r_interval: tuple[float, float]
    ratios: tuple[DetectableRatio, ...]
    tests: int = 1

    def shared_by(self, tests: int, *, alpha: float | None = None) -> Power:
        """Return the same where `tests` tests share `alpha`, the strictest of which has its part alone.

        Holm's method asks no more of the smallest P value, and less of the others. A change is told for one
        test alone, as before.
        """
        together = self.alpha if alpha is None else alpha
        alpha = together / tests
        return replace(
            self,
            alpha=together,
            tests=tests,
            significant_r=_significant_r(self.n, alpha),
            detectable_r=detectable_r(self.n, power=self.power, alpha=alpha),
        )

    def true_r(self, reliability: float) -> float | None:
        """Return the correlation free of error that looks like `detectable_r`; None where none does.

        Parameters
        ----------
        reliability : float
            Share of the observed variance that is not error; the product, where both have error.
        """
        if not reliability > 0 or self.detectable_r >= math.sqrt(reliability):
            return None
        return self.detectable_r / math.sqrt(reliability)

    def __str__(self) -> str:
        percent = f"{100 * self.power:g} %"
        shared = (
            f" (the first of {self.tests} tests that share {100 * self.alpha:g} %)" if self.tests > 1 else ""
        )
        lines = [
            f"With {self.n} patients a change of {self.standardised_change:.2f} standard deviations is found "
            f"with {percent} power, smaller ones are missed more often.",
            f"A correlation is significant from |r| = {self.significant_r:.3f}{shared}; a measured r of "
            f"{self.detectable_r:.2f} is found with {percent} power; an observed r of 0.5 means "
            f"{self.r_interval[0]:.2f} to {self.r_interval[1]:.2f}.",
        ]
        lines += [
            f"{ratio.name}: a fall to {ratio.fall:.2f} or a rise to {ratio.rise:.2f} times; "
            f"no change can be shown within {1 / ratio.equivalence:.2f} to {ratio.equivalence:.2f}."
            for ratio in self.ratios
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "n": self.n,
            "power": self.power,
            "alpha": self.alpha,
            "standardised_change": self.standardised_change,
            "significant_r": self.significant_r,
            "detectable_r": self.detectable_r,
            "tests": self.tests,
            "r_interval": list(self.r_interval),
            "ratios": [ratio.to_dict() for ratio in self.ratios],
            "text": str(self),
        }


def describe_power(
    n: int, *, sd_of_change: Mapping[str, float] | None = None, power: float = 0.8, alpha: float = 0.05
) -> Power:
    """Say what a study of `n` patients measured twice can see.

    Parameters
    ----------
    n : int
        Patients with both visits.
    sd_of_change : Mapping[str, float], optional
        Standard deviation of each measure's log change between patients.
    power, alpha : float

    Raises
    ------
    InputError
        If there are fewer than four patients (a correlation of three has no interval).

    Notes
    -----
    Change: non-central t, exact for normal changes. Correlation: t for the significant one, Fisher's z for
    the detectable one and the interval. Equivalence: power ``2 F(m/se − t) − 1``, F the t distribution.

    Examples
    --------
    >>> sees = describe_power(19, sd_of_change={"SICI": 0.3})
    >>> round(sees.significant_r, 3), round(sees.detectable_r, 2), round(sees.ratios[0].fall, 2)
    (0.456, 0.6, 0.82)
    """
    from scipy import stats

    if n < 4:
        raise InputError("power", f"{n} patient(s)", "four or more are needed to state what can be seen")
    change = detectable_change(n, power=power, alpha=alpha)
    half_width = float(stats.norm.isf(alpha / 2)) / math.sqrt(n - 3)
    t_equivalence = float(stats.t.isf(alpha, n - 1) + stats.t.ppf((1 + power) / 2, n - 1))
    return Power(
        n,
        power,
        alpha,
        change,
        _significant_r(n, alpha),
        detectable_r(n, power=power, alpha=alpha),
        (math.tanh(math.atanh(0.5) - half_width), math.tanh(math.atanh(0.5) + half_width)),
        tuple(
            DetectableRatio(
                name,
                sd,
                math.exp(-change * sd),
                math.exp(change * sd),
                math.exp(t_equivalence * sd / math.sqrt(n)),
            )
            for name, sd in (sd_of_change or {}).items()
        ),
    )


def detectable_r(n: int, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the correlation in the population that `n` pairs find, by Fisher's z.

    Examples
    --------
    >>> round(detectable_r(19), 2), round(detectable_r(19, alpha=0.05 / 4), 2)
    (0.6, 0.68)
    """
    from scipy import stats

    z = float(stats.norm.isf(alpha / 2) + stats.norm.ppf(power))
    return math.tanh(z / math.sqrt(n - 3))


def power_of_r(r: float, n: int, *, alpha: float = 0.05) -> float:
    """Return the probability that `n` pairs find a population correlation: `detectable_r` turned round.

    Examples
    --------
    >>> round(power_of_r(0.6048, 19), 2)
    0.8
    """
    from scipy import stats

    return float(stats.norm.cdf(math.atanh(abs(r)) * math.sqrt(n - 3) - stats.norm.isf(alpha / 2)))


def _significant_r(n: int, alpha: float) -> float:
    from scipy import stats

    t = float(stats.t.isf(alpha / 2, n - 2))
    return t / math.sqrt(n - 2 + t * t)


def detectable_change(n: int, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the mean change, in standard deviations of the change, that a paired t test finds.

    Examples
    --------
    >>> round(detectable_change(19), 3)
    0.68
    """
    from scipy import optimize, stats

    df = n - 1
    critical = float(stats.t.isf(alpha / 2, df))

    def shortfall(noncentrality: float) -> float:
        missed = noncentral_t_cdf(critical, df, noncentrality) - noncentral_t_cdf(
            -critical, df, noncentrality
        )
        return missed - (1 - power)

    upper = 5.0
    while shortfall(upper) > 0:
        upper *= 2
    return float(optimize.brentq(shortfall, 0.0, upper)) / math.sqrt(n)
