"""How many patients there must be before a model is fitted at all: one gate for a cohort and for one patient.

Riley et al. 2020, BMJ 368:m441: the shrinkage to expect of a model of so many coefficients, with as little
promise as can be assumed beforehand (15 % of the explained variance that the share of responders allows).
They ask for 90 %; that is what a study should plan for. Here the floor is one half: below, more of every
slope is noise than signal.
"""

from __future__ import annotations

import math
from typing import Final

from sudeck.statistics.sample_size.criteria import plan_binary_model

FLOOR: Final = 20  # patients, whatever the outcome
_LEAST_SHRINKAGE: Final = 0.5
_PROMISE: Final = 0.15  # of the largest R² of Cox and Snell


def least_patients(n_parameters: int, prevalence: float) -> int:
    """Return how many patients keep at least half of each slope, in expectation.

    Parameters
    ----------
    n_parameters : int
        Coefficients, without the intercept.
    prevalence : float
        Share of responders, between 0 and 1, both excluded.

    Examples
    --------
    >>> least_patients(4, 0.5), least_patients(4, 0.05)
    (32, 78)
    """
    entropy = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    r2 = _PROMISE * (1 - math.exp(2 * entropy))
    plan = plan_binary_model(
        n_parameters=n_parameters, prevalence=prevalence, cox_snell_r2=r2, shrinkage=_LEAST_SHRINKAGE
    )
    return max(FLOOR, plan.criteria[f"shrinkage of at least {_LEAST_SHRINKAGE:g}"])
