"""What a number of patients can and can not see; printed with every result so that nobody over-reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
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
        Smallest |r| that is significant, and the true r that is found with that power.
    r_interval : tuple of float
        95 % interval around an observed r of 0.5.
    ratios : tuple of DetectableRatio
    """

    n: int
    power: float
    alpha: float
    standardised_change: float
    significant_r: float
    detectable_r: float
    r_interval: tuple[float, float]
    ratios: tuple[DetectableRatio, ...]

    def __str__(self) -> str:
        percent = f"{100 * self.power:g} %"
        lines = [
            f"With {self.n} patients a change of {self.standardised_change:.2f} standard deviations is found "
            f"with {percent} power, smaller ones are missed more often.",
            f"A correlation is significant from |r| = {self.significant_r:.3f}; a true r of "
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
    t = float(stats.t.isf(alpha / 2, n - 2))
    z, z_power = float(stats.norm.isf(alpha / 2)), float(stats.norm.ppf(power))
    half_width = z / math.sqrt(n - 3)
    t_equivalence = float(stats.t.isf(alpha, n - 1) + stats.t.ppf((1 + power) / 2, n - 1))
    return Power(
        n,
        power,
        alpha,
        change,
        t / math.sqrt(n - 2 + t * t),
        math.tanh((z + z_power) / math.sqrt(n - 3)),
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
