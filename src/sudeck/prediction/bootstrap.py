"""Bootstrap samples of patients, the whole fit repeated in each, and what that says about optimism.

Harrell, Lee & Mark 1996, Stat Med 15:361-387: each repeated model is judged where it was fitted and on the
original patients, and the mean difference is taken off. The interval of a corrected measure is the bootstrap
interval of the apparent one moved by the optimism (Noma et al. 2021, Stat Med 40:5691-5701).

For the C statistic that is not good enough: where the predictors say nothing, the corrected C still lies
above one half, and its interval with it. So C is the .632+ estimate (Efron & Tibshirani 1997, JASA
92:548-560) of the model's own C and that of pairs whom the bootstrap models had not seen (leave-pair-out
bootstrap, Yousef, Wagner & Loew 2006, Pattern Recognit Lett 27:1057-1064). For calibration no interval was
found that holds: none is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from sudeck.prediction.fitting import ModelPlan, fit_stack
from sudeck.prediction.model_data import ModelData
from sudeck.statistics.arrays import FloatArray, blocks
from sudeck.statistics.calibration import (
    brier_score,
    recalibration,
)
from sudeck.statistics.measurement_error import expected_truth
from sudeck.statistics.regression.logistic import expit, maximise_logistic, separated
from sudeck.statistics.roc import area_under_curve, c_statistic, round_ties

# Takes linear predictors (..., n), outcomes (n,) and weights (..., n) or None; returns shape (...).
Measure = Callable[[FloatArray, FloatArray, FloatArray | None], FloatArray]

MEASURES: Final[Mapping[str, Measure]] = {
    "c_statistic": c_statistic,
    "brier": lambda eta, y, w: brier_score(expit(eta), y, w),
    "calibration_intercept": lambda eta, y, w: recalibration(eta, y, w)[0],
    "calibration_slope": lambda eta, y, w: recalibration(eta, y, w)[1],
}


@dataclass(frozen=True)
class Resamples:
    """Bootstrap models and what they predict: the raw material of every corrected measure.

    Attributes
    ----------
    outcome : array, shape (n,)
    apparent : array, shape (n,)
        Linear predictor of the model itself.
    weights : array, shape (b, n)
        How often each bootstrap sample drew each patient.
    predictions : array, shape (b, n)
        Linear predictors of the bootstrap models for all original patients.
    n_separated : int
        Samples whose predictors separate the outcome, so that an unpenalised fit does not exist.
    n_one_class : int
        Samples dropped because they drew only one outcome.
    """

    outcome: FloatArray
    apparent: FloatArray
    weights: FloatArray
    predictions: FloatArray
    n_separated: int
    n_one_class: int


def resample_model(
    data: ModelData, plan: ModelPlan, apparent: FloatArray, *, rng: np.random.Generator, n_boot: int
) -> Resamples:
    """Repeat a fit in bootstrap samples of patients.

    Parameters
    ----------
    data : ModelData
    plan : ModelPlan
    apparent : array, shape (n,)
        Linear predictor of the model itself.
    """
    y, n = data.outcome, data.n
    draws = rng.multinomial(n, np.full(n, 1 / n), size=n_boot).astype(np.float64)
    weights = draws[(draws @ y > 0) & (draws @ (1 - y) > 0)]
    values, error = data.predictors.values, data.predictors.error
    stack = fit_stack(values, error, y, plan, weights=weights, rng=rng)
    predictions, n_separated = np.empty(weights.shape), 0
    for block in blocks(len(weights), values.size * values.shape[1]):
        part, w = stack.among(block), weights[block]
        expected, _ = expected_truth(values, error, part.distribution)
        predictions[block] = part.predictor_of(expected)
        design = np.concatenate([np.ones((*expected.shape[:-1], 1)), expected], axis=-1)
        plain = maximise_logistic(design, y, weights=w, max_iterations=25)
        # A patient who was not drawn cannot separate anything: judge by those who were.
        drawn = np.where(w[..., None] > 0, design, 0.0)
        n_separated += int(separated(plain, drawn).sum())
    return Resamples(y, apparent, weights, predictions, n_separated, n_boot - len(weights))


@dataclass(frozen=True, slots=True)
class Corrected:
    """One measure of performance, before and after correction for optimism.

    Attributes
    ----------
    name : str
    apparent : float
        Of the model on the patients it was fitted to.
    in_sample, on_original : float
        Means over bootstrap models: where they were fitted, and on the original patients.
    low, high : float
        Interval of the corrected value.
    level : float
    withheld : str
        Why the interval, or the corrected value with it, is not given (then NaN); empty where all is.
    """

    name: str
    apparent: float
    in_sample: float
    on_original: float
    low: float
    high: float
    level: float
    withheld: str = ""

    @property
    def optimism(self) -> float:
        """How much better bootstrap models look where they were fitted."""
        return self.in_sample - self.on_original

    @property
    def corrected(self) -> float:
        """What to expect in new patients from the same place."""
        return self.apparent - self.optimism

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "apparent": self.apparent,
            "optimism": self.optimism,
            "corrected": self.corrected,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "withheld": self.withheld,
        }

    def __str__(self) -> str:
        name, text = self.name.replace("_", " "), f"{self.apparent:z.3f} apparent"
        if math.isnan(self.corrected):
            return f"{name}: {text}, corrected withheld ({self.withheld})"
        text = f"{name}: {text}, {self.corrected:z.3f} corrected"
        if math.isnan(self.low):
            return f"{text} ({self.withheld})"
        return f"{text} ({100 * self.level:g} % interval {self.low:z.3f} to {self.high:z.3f})"


# Beyond, the slopes of bootstrap models say how far a penalty let them run, not what to expect.
MOST_SEPARATED: Final = 0.05
NO_INTERVAL: Final = "no interval of it is known that holds in a cohort of this size"


def mostly_finite(resamples: Resamples) -> bool:
    """Tell whether few enough resamples separate for slopes and curves to be judged by them."""
    return resamples.n_separated <= MOST_SEPARATED * len(resamples.weights)


def corrected_measures(
    resamples: Resamples, *, informative: bool, level: float = 0.95
) -> dict[str, Corrected]:
    """Correct all measures of performance, and withhold what does not hold.

    Parameters
    ----------
    resamples : Resamples
    informative : bool
        Whether the tests of the model say that it carries information.
    level : float
    """
    measures = {}
    for name, measure in MEASURES.items():
        if name == "c_statistic":
            measures[name] = out_of_sample_c(resamples, informative=informative, level=level)
            continue
        one = correct_optimism(name, measure, resamples, level=level)
        if name.startswith("calibration"):
            one = replace(one, low=math.nan, high=math.nan, withheld=NO_INTERVAL)
            if not mostly_finite(resamples):
                share = resamples.n_separated / len(resamples.weights)
                why = f"{100 * share:.0f} % of the bootstrap samples separate"
                one = replace(one, in_sample=math.nan, on_original=math.nan, withheld=why)
        measures[name] = one
    return measures


def out_of_sample_c(resamples: Resamples, *, informative: bool, level: float = 0.95) -> Corrected:
    """Return the C statistic to expect in new patients, with an interval made on the log odds.

    Every bootstrap model is asked about the pairs of a responder and another patient it did not draw; each
    pair counts once, with its mean over models. A model that learned from all patients does better, and .632+
    says by how much: not at all where nothing is learned. The error holds DeLong's (other patients to judge
    by), the spread of C of the bootstrap models on these patients (other patients to learn from), and how far
    .632 may be wrong.

    Parameters
    ----------
    resamples : Resamples
    informative : bool
        Whether the tests of the model say that it carries information. Where they do not, the interval
        reaches down to one half at least: one source decides for both.
    level : float
    """
    from scipy.stats import norm

    y, eta = resamples.outcome, round_ties(resamples.predictions)
    cases, others = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    wins, models = np.zeros((len(cases), len(others))), np.zeros((len(cases), len(others)))
    for row, drawn in zip(eta, resamples.weights > 0, strict=True):
        i, j = np.flatnonzero(~drawn[cases]), np.flatnonzero(~drawn[others])
        gap = row[cases[i]][:, None] - row[others[j]]
        wins[np.ix_(i, j)] += (gap > 0) + 0.5 * (gap == 0)
        models[np.ix_(i, j)] += 1
    asked = models > 0
    area = area_under_curve(resamples.apparent, y, level=level)
    if not asked.any():
        why = "no bootstrap sample left a pair out"
        return Corrected(
            "c_statistic", area.value, math.nan, math.nan, math.nan, math.nan, level, withheld=why
        )
    unseen = float((wins[asked] / models[asked]).mean())
    gain = area.value - 0.5
    overfit = min(max((area.value - unseen) / gain, 0.0), 1.0) if gain > 0 else 1.0
    weight = 0.632 / (1 - 0.368 * overfit)
    c = (1 - weight) * area.value + weight * unseen
    low, high = 0.0, 1.0
    if area.se is not None and 0 < c < 1 and 0 < area.value < 1:
        learned = float(np.nanstd(c_statistic(resamples.predictions, y)))
        # A model from all patients is better than one from 63.2 % of them by an unknown part of the distance.
        undecided = (1 - 0.632) * (area.value - unseen)
        # DeLong's error is of the apparent C; an area nearer to one half varies more.
        judged = area.se * math.sqrt(c * (1 - c) / (area.value * (1 - area.value)))
        half = float(norm.ppf(0.5 + level / 2)) * math.hypot(judged, learned, undecided) / (c * (1 - c))
        centre = math.log(c / (1 - c))
        low, high = (float(expit(np.array(centre + side * half))) for side in (-1, 1))
    if not informative:
        low, high = min(low, 0.5), max(high, 0.5)
    return Corrected("c_statistic", area.value, area.value, c, low, high, level)


def correct_optimism(name: str, measure: Measure, resamples: Resamples, *, level: float = 0.95) -> Corrected:
    """Correct one measure of performance for optimism."""
    y = resamples.outcome
    apparent = float(measure(resamples.apparent, y, None))
    in_sample = measure(resamples.predictions, y, resamples.weights)
    on_original = measure(resamples.predictions, y, None)
    usable = np.isfinite(in_sample) & np.isfinite(on_original)
    optimism = float((in_sample - on_original)[usable].mean())
    # A calibration measure is perfect where it was fitted; what varies is how it does on the original.
    spread = on_original[usable] if name.startswith("calibration") else in_sample[usable] - optimism
    low, high = np.quantile(spread, [(1 - level) / 2, (1 + level) / 2])
    corrected = apparent - optimism
    return Corrected(
        name,
        apparent,
        float(in_sample[usable].mean()),
        float(on_original[usable].mean()),
        min(float(low), corrected),
        max(float(high), corrected),
        level,
    )
