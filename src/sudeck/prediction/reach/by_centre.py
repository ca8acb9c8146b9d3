"""Every centre of one study as another study: fitted to the others, tried there.

Internal-external validation (Royston, Parmar & Sylvester 2004, Stat Med 23:907-926): what a model that did
not see a centre is worth there says more of the next centre than any bootstrap of all patients together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.record import Record
from sudeck.prediction.cohort import Cohort
from sudeck.prediction.fitting import ModelPlan
from sudeck.prediction.model_data import model_data, require_enough
from sudeck.prediction.response_model import fit_response_model
from sudeck.statistics.calibration import measure_performance
from sudeck.statistics.regression.logistic import expit

CENTRE: Final = "centre"
# As for trying a saved model: below, no measure of it has an interval worth printing.
LEAST_OF_EACH: Final = 5


@dataclass(frozen=True, slots=True)
class CentreLeftOut(Record):
    """How the model of all other centres does in one.

    Attributes
    ----------
    centre : str
    n, events : int
        Patients of the centre with an outcome and a scan, and responders among them.
    c_statistic, slope, observed_over_expected : Estimate or None
        None where it was not tried.
    refused : str
        Why not; empty where it was.
    """

    centre: str
    n: int
    events: int
    c_statistic: Estimate | None
    slope: Estimate | None
    observed_over_expected: Estimate | None
    refused: str = ""


def leave_centres_out(
    cohort: Cohort, plan: ModelPlan, *, rng: np.random.Generator, level: float = 0.95
) -> tuple[CentreLeftOut, ...]:
    """Fit a plan to all centres but one and try it there, for every centre in turn.

    Parameters
    ----------
    cohort : Cohort
        With the column ``centre``; patients without one take no part.
    plan : ModelPlan
    rng : numpy Generator
        Of the imputations; each centre has its own stream.
    level : float

    Returns
    -------
    tuple of CentreLeftOut
        In alphabetical order; empty where there are not two centres.
    """
    if CENTRE not in cohort.columns:
        return ()
    where = np.array([name or "" for name in cohort.columns[CENTRE].words])
    names = sorted(set(where.tolist()) - {""})
    if len(names) < 2:
        return ()
    known = where != ""
    return tuple(
        _without(
            name,
            cohort.among(known & (where != name)),
            cohort.among(where == name),
            plan,
            stream,
            level,
        )
        for name, stream in zip(names, rng.spawn(len(names)), strict=True)
    )


def _without(
    name: str,
    others: Cohort,
    own: Cohort,
    plan: ModelPlan,
    rng: np.random.Generator,
    level: float,
) -> CentreLeftOut:
    n = events = 0
    try:
        here = model_data(own, plan)
        n, events = here.n, int(here.outcome.sum())
        if min(events, n - events) < LEAST_OF_EACH:
            raise InputError(name, "it has too few patients", f"{LEAST_OF_EACH} of each outcome are needed")
        require_enough(model_data(others, plan), subject=f"all but {name}")
        model = fit_response_model(others, plan, rng=rng)
        stack = model.as_stack()
        eta = stack.linear_predictor(here.predictors.values, here.predictors.error)
        did = measure_performance(expit(eta), here.outcome, level=level)
    except InputError as error:
        return CentreLeftOut(name, n, events, None, None, None, str(error))
    return CentreLeftOut(name, n, events, did.c_statistic, did.slope, did.observed_over_expected)
