"""How precisely a number of patients fixes a C statistic, a calibration slope, or a single cut-off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.statistics.regression.logistic import expit
from sudeck.statistics.sample_size.response_rate import (
    SampleSize,
    first_n,
    normal_log_odds,
    require_between,
    round_up,
)


def c_statistic_se(c_statistic: float, prevalence: float, n: int) -> float:
    """Return the expected standard error of a C statistic (Newcombe 2006, Stat Med 25:559-573, method 4).

    Examples
    --------
    >>> round(c_statistic_se(0.7, 0.5, 105), 4)
    0.051
    """
    c = c_statistic
    inner = 1 + (n / 2 - 1) * (1 - c) / (2 - c) + (n / 2 - 1) * c / (1 + c)
    return math.sqrt(c * (1 - c) * inner / (n * n * prevalence * (1 - prevalence)))


def c_statistic_patients(c_statistic: float, prevalence: float, *, width: float = 0.1) -> int:
    """Return how many patients give the C statistic a 95 % interval of this full width."""
    require_between("the prevalence", prevalence, 0, 1)
    require_between("the width", width, 0, 1)
    return first_n(lambda n: 2 * 1.96 * c_statistic_se(c_statistic, prevalence, n) <= width, 3)


def slope_variance(c_statistic: float, prevalence: float) -> float:
    """Return n times the variance of the calibration slope of a model that is right."""
    eta, weight = normal_log_odds(c_statistic, prevalence)
    p = expit(eta)
    v = weight * p * (1 - p)
    information = np.array([[v.sum(), v @ eta], [v @ eta, v @ eta**2]])
    return float(np.linalg.inv(information)[1, 1])


@dataclass(frozen=True, slots=True)
class CutoffPrecision(Record):
    """What one study of `n` patients can say about a single cut-off chosen by Youden's index.

    Attributes
    ----------
    n : int
    sensitivity_se, specificity_se : float
        At a cut-off fixed beforehand.
    cutoff_sd : float
        Standard deviation of the chosen cut-off over studies, in standard deviations of the ratio within a
        group.
    youden : float
        Of the ideal cut-off.
    youden_apparent, youden_true : float
        Expected of the chosen cut-off: on its own study, and in new patients.
    """

    n: int
    sensitivity_se: float
    specificity_se: float
    cutoff_sd: float
    youden: float
    youden_apparent: float
    youden_true: float

    @property
    def optimism(self) -> float:
        """How much better the chosen cut-off looks than it is."""
        return self.youden_apparent - self.youden_true

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return Record.to_dict(self) | {"optimism": self.optimism}

    def __str__(self) -> str:
        return (
            f"{self.n} patients: cut-off ± {self.cutoff_sd:.2f} SD, Youden {self.youden_apparent:.2f} "
            f"on the study itself, {self.youden_true:.2f} in new patients"
        )


def cutoff_precision(
    *,
    n: int,
    c_statistic: float,
    prevalence: float,
    n_studies: int = 2000,
    rng: np.random.Generator | int = 20180,
) -> CutoffPrecision:
    """Return how precisely `n` patients fix a single cut-off, when both groups are normal with equal spread.

    Parameters
    ----------
    n : int
    c_statistic, prevalence : float
    n_studies : int
    rng : numpy Generator or seed
        The distribution of a chosen cut-off has no closed form; it is drawn with a fixed seed, so that the
        same question has the same answer.

    Raises
    ------
    InputError
        If a number is out of its range, or one group would have fewer than two patients.
    """
    from scipy.stats import norm

    require_between("the prevalence", prevalence, 0, 1)
    require_between("the C statistic", c_statistic, 0.5, 1)
    cases = round(n * prevalence)
    if min(cases, n - cases) < 2:
        raise InputError(f"{n} patients", "a group would have fewer than two", "ask for more")
    shift = math.sqrt(2) * float(norm.ppf(c_statistic))
    generator = np.random.default_rng(rng)
    y = np.concatenate([np.ones(cases), np.zeros(n - cases)])
    x = generator.standard_normal((n_studies, n)) + shift * y
    order = np.argsort(x, axis=1)
    ladder = np.take_along_axis(x, order, axis=1)
    below = y[order]
    index = np.cumsum((1 - below) / (n - cases) - below / cases, axis=1)[:, :-1]
    best = np.argmax(index, axis=1)
    rows = np.arange(n_studies)
    chosen = (ladder[rows, best] + ladder[rows, best + 1]) / 2
    sensitivity, specificity = norm.sf(chosen - shift), norm.cdf(chosen)
    ideal = float(norm.cdf(shift / 2))
    return CutoffPrecision(
        n,
        math.sqrt(ideal * (1 - ideal) / cases),
        math.sqrt(ideal * (1 - ideal) / (n - cases)),
        float(chosen.std(ddof=1)),
        2 * ideal - 1,
        float(index[rows, best].mean()),
        float((sensitivity + specificity - 1).mean()),
    )


def cutoff_patients(
    *, sensitivity: float, specificity: float, prevalence: float, half_width: float
) -> SampleSize:
    """Return how many patients a cut-off fixed beforehand needs for its sensitivity and specificity.

    Buderer 1996, Academic Emergency Medicine 3:895-900.

    Examples
    --------
    >>> cutoff_patients(sensitivity=0.8, specificity=0.7, prevalence=0.5, half_width=0.1).n
    162
    """
    require_between("the prevalence", prevalence, 0, 1)
    require_between("the half width", half_width, 0, 1)
    per_unit = (1.96 / half_width) ** 2
    return SampleSize(
        {
            f"sensitivity to ± {half_width:g}": round_up(
                per_unit * sensitivity * (1 - sensitivity) / prevalence
            ),
            f"specificity to ± {half_width:g}": round_up(
                per_unit * specificity * (1 - specificity) / (1 - prevalence)
            ),
        },
        {"sensitivity": sensitivity, "specificity": specificity, "prevalence": prevalence},
        "Buderer 1996, Acad Emerg Med 3:895-900",
    )
