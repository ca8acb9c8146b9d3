"""How many patients does a model need, and how many its validation? Riley's criteria.

Model development: Riley et al. 2019, Stat Med 38:1262-1275 (continuous) and 38:1276-1296 (binary);
validation: Riley et al. 2021, Stat Med 40:4230-4251. Everything is deterministic: where others simulate (the
R² that a C statistic implies, the distribution of a linear predictor) there is an integral here.
"""

from __future__ import annotations

import math

import numpy as np

from sudeck.core.errors import InputError
from sudeck.statistics.regression.logistic import expit
from sudeck.statistics.sample_size.precision import c_statistic_patients, slope_variance
from sudeck.statistics.sample_size.response_rate import (
    SampleSize,
    first_n,
    normal_log_odds,
    require_between,
    require_positive,
    round_up,
)

_CLOSE = 0.05  # absolute: difference of R², and margin of the overall risk, as Riley et al. recommend


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
    require_between("the prevalence", prevalence, 0, 1)
    require_between("the shrinkage", shrinkage, 0, 1)
    require_positive("the number of parameters", n_parameters)
    if (c_statistic is None) == (cox_snell_r2 is None):
        raise InputError("the plan", "one of C statistic and Cox-Snell R² is needed", "give exactly one")
    r2 = cox_snell_r2 if cox_snell_r2 is not None else r2_from_c(c_statistic or 0.5, prevalence)
    entropy = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    largest = 1 - math.exp(2 * entropy)
    require_between("the Cox-Snell R²", r2, 0, largest)
    needed = r2 / (r2 + _CLOSE * largest)  # the shrinkage that keeps Nagelkerke's R² within 0.05
    z = 1.96
    return SampleSize(
        {
            f"shrinkage of at least {shrinkage:g}": round_up(_for_shrinkage(n_parameters, r2, shrinkage)),
            "optimism of Nagelkerke's R² at most 0.05": round_up(_for_shrinkage(n_parameters, r2, needed)),
            "overall risk within ± 0.05": round_up((z / _CLOSE) ** 2 * prevalence * (1 - prevalence)),
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

    require_between("R²", r2, 0, 1)
    require_between("the shrinkage", shrinkage, 0, 1)
    require_positive("the number of parameters", n_parameters)
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
            f"shrinkage of at least {shrinkage:g}": first_n(
                lambda n: heuristic_shrinkage(n) >= shrinkage, p + 2
            ),
            "optimism of R² at most 0.05": round_up(1 + p * (1 - r2) / _CLOSE),
            f"residual standard deviation within {100 * (margin - 1):.0f} %": first_n(
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
    require_between("the prevalence", prevalence, 0, 1)
    require_between("the C statistic", c_statistic, 0.5, 1)

    def ratio_interval(n: int) -> float:
        half = 1.96 * math.sqrt((1 - prevalence) / (n * prevalence))
        return math.exp(half) - math.exp(-half)

    return SampleSize(
        {
            f"C statistic to ± {c_width / 2:g}": c_statistic_patients(c_statistic, prevalence, width=c_width),
            f"calibration slope to ± {slope_width / 2:g}": round_up(
                (2 * 1.96 / slope_width) ** 2 * slope_variance(c_statistic, prevalence)
            ),
            f"observed over expected to a width of {ratio_width:g}": first_n(
                lambda n: ratio_interval(n) <= ratio_width, 2
            ),
        },
        {"prevalence": prevalence, "c_statistic": c_statistic},
        "Riley et al. 2021, Stat Med 40:4230-4251",
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
    require_between("the C statistic", c_statistic, 0.5, 1)
    require_between("the prevalence", prevalence, 0, 1)
    eta, weight = normal_log_odds(c_statistic, prevalence)
    gain = float(weight @ (expit(eta) * eta - np.logaddexp(0, eta)))
    entropy = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    return 1 - math.exp(-2 * (gain - entropy))


def _for_shrinkage(p: int, r2: float, shrinkage: float) -> float:
    return p / ((shrinkage - 1) * math.log(1 - r2 / shrinkage))
