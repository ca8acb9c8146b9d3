"""How a model does among women and men, hands and feet: where the numbers allow to say so.

Judged are the probabilities of the same model fitted to all other patients, so that nobody is predicted from
their own outcome. Differences between groups are not tested: a cohort that small would find none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.core.estimate import Estimate
from sudeck.core.record import Record
from sudeck.prediction.cohort import RESPONDER, Cohort
from sudeck.statistics.calibration import measure_performance

# Below ten of each the interval of C spans most of what is possible.
LEAST_OF_EACH: Final = 10


@dataclass(frozen=True, slots=True)
class GroupPerformance(Record):
    """How the model does in one group of patients.

    Attributes
    ----------
    column, group : str
        E.g. sex and F.
    n, events : int
        Patients judged, and responders among them.
    c_statistic, observed_over_expected : Estimate or None
        None where fewer than ten responded, or fewer than ten did not.
    """

    column: str
    group: str
    n: int
    events: int
    c_statistic: Estimate | None
    observed_over_expected: Estimate | None


def performance_by_group(
    cohort: Cohort, probability: Mapping[str, float], column: str, *, level: float = 0.95
) -> tuple[GroupPerformance, ...]:
    """Judge probabilities in every group of a column, in alphabetical order.

    Parameters
    ----------
    cohort : Cohort
        With the outcome and the column.
    probability : mapping of str to float
        By participant, from a model that did not learn from that patient.
    column : str
        Nothing is returned where the cohort lacks it, or all patients are of one group.
    level : float
    """
    if column not in cohort.columns:
        return ()
    judged = cohort.among(np.array([pid in probability for pid in cohort.ids], dtype=bool))
    groups = np.array([one or "" for one in judged.columns[column].words])
    names = sorted(set(groups.tolist()) - {""})
    if len(names) < 2:
        return ()
    p = np.array([probability[pid] for pid in judged.ids])
    y = judged.outcome(RESPONDER)
    return tuple(_of(column, name, p[groups == name], y[groups == name], level) for name in names)


def _of(column: str, name: str, p: np.ndarray, y: np.ndarray, level: float) -> GroupPerformance:
    events = int(y.sum())
    if min(events, len(y) - events) < LEAST_OF_EACH:
        return GroupPerformance(column, name, len(y), events, None, None)
    did = measure_performance(p, y, level=level)
    return GroupPerformance(column, name, len(y), events, did.c_statistic, did.observed_over_expected)
