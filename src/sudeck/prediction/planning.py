"""How many patients? For a model, for its validation, for a single cut-off, for a C statistic.

Model development: Riley et al. 2019, Stat Med 38:1262-1275 (continuous) and 38:1276-1296 (binary);
validation: Riley et al. 2021, Stat Med 40:4230-4251. Everything is deterministic: where others simulate (the
R² that a C statistic implies, the distribution of a linear predictor) there is an integral here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.prediction.logistic import expit, logit

_CLOSE = 0.05  # absolute: difference of R², and margin of the overall risk, as Riley et al. recommend
_LARGEST = 10_000_000


@dataclass(frozen=True)
class SampleSize:
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
        return {
            "n": self.n,
            "criteria": dict(self.criteria),
            "assumptions": dict(self.assumptions),
            "source": self.source,
        }

    def __str__(self) -> str:
        lines = [f"{self.n} patients"]
        lines += [f"  {name}: {n}" for name, n in self.criteria.items()]
        return "\n".join(lines)


def plan_binary_model(
    *,
    n_parameters: int,
    prevalence: float,
    c_statistic: float | None = None,
    cox_snell_r2: float | None = None,
    shrinkage: float = 0.9,
) -> SampleSize:
    """Return how many patients the development of a model for a yes/no outcome needs.

    Parameters
    ----------
    n_parameters : int
        Coefficients considered, without the intercept; categories count once a level less one.
    prevalence : float
        Expected share of responders.
    c_statistic, cox_snell_r2 : float
        Expected performance, corrected for optimism: one of the two.
    shrinkage : float
        Wanted: 0.9 means that slopes are about 10 % too large.

    Raises
    ------
    InputError
        If a number is out of its range, or the R² is more than the prevalence allows.

    Examples
    --------
    The example of Riley et al. (diagnosis of Chagas disease): 24 parameters, prevalence 0.174, R² 0.288.

    >>> plan_binary_model(n_parameters=24, prevalence=0.174, cox_snell_r2=0.288).n
    662
    """
    _between("the prevalence", prevalence, 0, 1)
    _between("the shrinkage", shrinkage, 0, 1)
    _positive("the number of parameters", n_parameters)
    if (c_statistic is None) == (cox_snell_r2 is None):
        raise InputError("the plan", "one of C statistic and Cox-Snell R² is needed", "give exactly one")
    r2 = cox_snell_r2 if cox_snell_r2 is not None else r2_from_c(c_statistic or 0.5, prevalence)
    entropy = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    largest = 1 - math.exp(2 * entropy)
    _between("the Cox-Snell R²", r2, 0, largest)
    needed = r2 / (r2 + _CLOSE * largest)  # the shrinkage that keeps Nagelkerke's R² within 0.05
    z = 1.96
    return SampleSize(
        {
            f"shrinkage of at least {shrinkage:g}": _ceil(_for_shrinkage(n_parameters, r2, shrinkage)),
            "optimism of Nagelkerke's R² at most 0.05": _ceil(_for_shrinkage(n_parameters, r2, needed)),
            "overall risk within ± 0.05": _ceil((z / _CLOSE) ** 2 * prevalence * (1 - prevalence)),
        },
        {
            "n_parameters": n_parameters,
            "prevalence": prevalence,
            "cox_snell_r2": r2,
            "largest_cox_snell_r2": largest,
            "shrinkage": shrinkage,
        },
        "Riley et al. 2019, Stat Med 38:1276-1296",
    )


def plan_continuous_model(
    *, n_parameters: int, r2: float, shrinkage: float = 0.9, margin: float = 1.1
) -> SampleSize:
    """Return how many patients the development of a model for a continuous outcome (relief) needs.

    Parameters
    ----------
    n_parameters : int
        Coefficients considered, without the intercept.
    r2 : float
        Expected explained variance, corrected for optimism.
    shrinkage : float
        Wanted.
    margin : float
        Factor within which the residual standard deviation must be known.

    Examples
    --------
    The example of Riley et al. (lung function): 25 parameters, R² 0.2.

    >>> plan_continuous_model(n_parameters=25, r2=0.2).n
    918
    """
    from scipy.stats import chi2

    _between("R²", r2, 0, 1)
    _between("the shrinkage", shrinkage, 0, 1)
    _positive("the number of parameters", n_parameters)
    p = n_parameters

    def heuristic_shrinkage(n: int) -> float:
        apparent = (r2 * (n - p - 1) + p) / (n - 1)
        return 1 + (p - 2) / (n * math.log(1 - apparent))

    def sd_margin(n: int) -> float:
        df = n - p - 1
        low, high = float(chi2.ppf(0.025, df)), float(chi2.ppf(0.975, df))
        return math.sqrt(max(high / df, df / low))

    return SampleSize(
        {
            f"shrinkage of at least {shrinkage:g}": _first(
                lambda n: heuristic_shrinkage(n) >= shrinkage, p + 2
            ),
            "optimism of R² at most 0.05": _ceil(1 + p * (1 - r2) / _CLOSE),
            f"residual standard deviation within {100 * (margin - 1):.0f} %": _first(
                lambda n: sd_margin(n) <= margin, p + 2
            ),
        },
        {"n_parameters": p, "r2": r2, "shrinkage": shrinkage, "margin": margin},
        "Riley et al. 2019, Stat Med 38:1262-1275",
    )


def plan_validation(
    *,
    prevalence: float,
    c_statistic: float,
    c_width: float = 0.1,
    slope_width: float = 0.4,
    ratio_width: float = 0.2,
) -> SampleSize:
    """Return how many patients the external validation of a model needs.

    Parameters
    ----------
    prevalence, c_statistic : float
        Expected among the new patients.
    c_width, slope_width : float
        Full widths of the 95 % intervals of the C statistic and of the calibration slope.
    ratio_width : float
        Full width of the 95 % interval of the ratio of observed over expected.

    Notes
    -----
    The linear predictor is taken as normal with equal spread in responders and others, which is the
    distribution under which a logistic model is right; the information about the calibration slope is an
    integral over it.
    """
    _between("the prevalence", prevalence, 0, 1)
    _between("the C statistic", c_statistic, 0.5, 1)

    def ratio_interval(n: int) -> float:
        half = 1.96 * math.sqrt((1 - prevalence) / (n * prevalence))
        return math.exp(half) - math.exp(-half)

    return SampleSize(
        {
            f"C statistic to ± {c_width / 2:g}": c_statistic_patients(c_statistic, prevalence, width=c_width),
            f"calibration slope to ± {slope_width / 2:g}": _ceil(
                (2 * 1.96 / slope_width) ** 2 * _slope_variance(c_statistic, prevalence)
            ),
            f"observed over expected to a width of {ratio_width:g}": _first(
                lambda n: ratio_interval(n) <= ratio_width, 2
            ),
        },
        {"prevalence": prevalence, "c_statistic": c_statistic},
        "Riley et al. 2021, Stat Med 40:4230-4251",
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
    _between("the prevalence", prevalence, 0, 1)
    _between("the width", width, 0, 1)
    return _first(lambda n: 2 * 1.96 * c_statistic_se(c_statistic, prevalence, n) <= width, 3)


@dataclass(frozen=True, slots=True)
class CutoffPrecision:
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
        return {name: getattr(self, name) for name in self.__slots__} | {"optimism": self.optimism}

    def __str__(self) -> str:
        return (
            f"{self.n} patients: cut-off ± {self.cutoff_sd:.2f} SD, Youden {self.youden_apparent:.2f} "
            f"on the study itself, {self.youden_true:.2f} in new patients"
        )


def cutoff_precision(
    *, n: int, c_statistic: float, prevalence: float, n_studies: int = 2000, seed: int = 20180
) -> CutoffPrecision:
    """Return how precisely `n` patients fix a single cut-off, when both groups are normal with equal spread.

    Parameters
    ----------
    n : int
    c_statistic, prevalence : float
    n_studies, seed : int
        The distribution of a chosen cut-off has no closed form; it is drawn with a fixed seed, so that the
        same question has the same answer.

    Raises
    ------
    InputError
        If a number is out of its range, or one group would have fewer than two patients.
    """
    from scipy.stats import norm

    _between("the prevalence", prevalence, 0, 1)
    _between("the C statistic", c_statistic, 0.5, 1)
    cases = round(n * prevalence)
    if min(cases, n - cases) < 2:
        raise InputError(f"{n} patients", "a group would have fewer than two", "ask for more")
    shift = math.sqrt(2) * float(norm.ppf(c_statistic))
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.ones(cases), np.zeros(n - cases)])
    x = rng.standard_normal((n_studies, n)) + shift * y
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
    _between("the prevalence", prevalence, 0, 1)
    _between("the half width", half_width, 0, 1)
    per_unit = (1.96 / half_width) ** 2
    return SampleSize(
        {
            f"sensitivity to ± {half_width:g}": _ceil(
                per_unit * sensitivity * (1 - sensitivity) / prevalence
            ),
            f"specificity to ± {half_width:g}": _ceil(
                per_unit * specificity * (1 - specificity) / (1 - prevalence)
            ),
        },
        {"sensitivity": sensitivity, "specificity": specificity, "prevalence": prevalence},
        "Buderer 1996, Acad Emerg Med 3:895-900",
    )


def r2_from_c(c_statistic: float, prevalence: float) -> float:
    """Return the Cox-Snell R² that a C statistic implies, without simulation.

    The linear predictor is normal with equal spread in responders and others, a distance √2 Φ⁻¹(C) apart; the
    gain in log-likelihood a patient is an integral over that mixture.

    Examples
    --------
    >>> round(r2_from_c(0.7, 0.5), 4)
    0.1208
    """
    _between("the C statistic", c_statistic, 0.5, 1)
    _between("the prevalence", prevalence, 0, 1)
    eta, weight = _linear_predictor(c_statistic, prevalence)
    gain = float(weight @ (expit(eta) * eta - np.logaddexp(0, eta)))
    entropy = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    return 1 - math.exp(-2 * (gain - entropy))


def _linear_predictor(c_statistic: float, prevalence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the log odds of a patient under the equal-spread normal model."""
    from scipy.stats import norm

    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    weights = weights / weights.sum()
    d = math.sqrt(2) * float(norm.ppf(c_statistic))
    base = float(logit(np.array(prevalence)))
    # A score x from N(0, 1) or N(d, 1) has log odds base + d x - d²/2.
    eta = np.concatenate([base + d * nodes - d * d / 2, base + d * (nodes + d) - d * d / 2])
    return eta, np.concatenate([(1 - prevalence) * weights, prevalence * weights])


def _slope_variance(c_statistic: float, prevalence: float) -> float:
    """Return n times the variance of the calibration slope of a model that is right."""
    eta, weight = _linear_predictor(c_statistic, prevalence)
    p = expit(eta)
    v = weight * p * (1 - p)
    information = np.array([[v.sum(), v @ eta], [v @ eta, v @ eta**2]])
    return float(np.linalg.inv(information)[1, 1])


def _for_shrinkage(p: int, r2: float, shrinkage: float) -> float:
    return p / ((shrinkage - 1) * math.log(1 - r2 / shrinkage))


def _first(condition: Callable[[int], bool], start: int) -> int:
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


def _ceil(value: float) -> int:
    return math.ceil(value - 1e-9)


def _between(subject: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise InputError(subject, f"{value:g} is not between {low:g} and {high:.3g}", "choose another")


def _positive(subject: str, value: float) -> None:
    if not value > 0:
        raise InputError(subject, f"{value:g} is not positive", "choose another")
