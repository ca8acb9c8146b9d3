"""A table of patients in, the whole answer out: published rule, published analysis, an honest model.

Every part stands alone: one that can not be had leaves its reason, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from sudeck.core.errors import InputError, SudeckError
from sudeck.core.published import COHORT_SIZE, PUBLISHED_RATIOS
from sudeck.prediction.bootstrap import mostly_finite
from sudeck.prediction.cohort import RESPONDER, Cohort, read_cohort
from sudeck.prediction.decision import DecisionCurve, corrected_decision_curve
from sudeck.prediction.fitting import ModelPlan
from sudeck.prediction.model_data import model_data, plan_model, require_enough
from sudeck.prediction.patients import PatientPrediction, predict_patients
from sudeck.prediction.predictors import declare_covariates, read_predictors
from sudeck.prediction.published.published_rule import (
    PatientVerdict,
    RuleOnCohort,
    apply_published_rule,
    evaluate_published_rule,
)
from sudeck.prediction.published.relief_correlation import PublishedAnalysis, published_analysis
from sudeck.prediction.reach.by_centre import CENTRE, CentreLeftOut, leave_centres_out
from sudeck.prediction.reach.by_group import GroupPerformance, performance_by_group
from sudeck.prediction.response_model import ResponseModel, fit_relief_model, fit_response_model
from sudeck.prediction.updating import shrunk
from sudeck.prediction.validation import Validation, leave_one_out, validate_model
from sudeck.statistics.cutoff import BestOfSeveral, best_of_several
from sudeck.statistics.reported import ReportedSet, check_reported_set
from sudeck.statistics.sample_size.criteria import plan_binary_model

if TYPE_CHECKING:
    import pandas as pd

Part = TypeVar("Part")

BOOTSTRAPS: Final = 500
# Columns of the table whose groups a model should serve alike.
_GROUPS: Final = ("sex", "limb", CENTRE)
# One seed for all studies: the same tables give the same bootstrap samples and the same answer.
_SEED: Final = 2018
# Optimism is a mean over all resamples, which averages over imputations as well; a few in each are enough.
_IMPUTATIONS_IN_RESAMPLES: Final = 2


@dataclass(frozen=True, kw_only=True)
class CohortPrediction:
    """Everything that is said about who responds in a cohort. A part that could not be had is None.

    Attributes
    ----------
    reported : ReportedSet
        What the publication prints, held against itself.
    rule, verdicts
        The published cut-offs on this cohort, and on each patient.
    analysis : PublishedAnalysis or None
        Correlations of relief with the six ratios.
    cutoffs : BestOfSeveral or None
        The best cut-offs of this cohort, with the bill for choosing them.
    model, relief_model : ResponseModel or None
    validation : Validation or None
        Of the model before its predictions were shrunk.
    shrinkage : float
        What the predictions of the model were shrunk by: its corrected calibration slope.
    decision : DecisionCurve or None
    patients : Mapping of str to PatientPrediction
        Everybody with a scan.
    without : Mapping of str to float
        Probability of each patient of the model, from the same model fitted to all others.
    groups : tuple of GroupPerformance
        How these probabilities do by sex, limb and centre.
    centres : tuple of CentreLeftOut
        How the model of all other centres does in each.
    covariates : tuple of str
        Declared ones that entered the model.
    refused : Mapping of str to str
        For each part that could not be had, why.
    """

    reported: ReportedSet
    rule: RuleOnCohort | None
    verdicts: tuple[PatientVerdict, ...]
    analysis: PublishedAnalysis | None
    cutoffs: BestOfSeveral | None
    model: ResponseModel | None
    relief_model: ResponseModel | None
    validation: Validation | None
    shrinkage: float
    decision: DecisionCurve | None
    patients: Mapping[str, PatientPrediction]
    without: Mapping[str, float]
    groups: tuple[GroupPerformance, ...]
    centres: tuple[CentreLeftOut, ...]
    covariates: tuple[str, ...]
    refused: Mapping[str, str]

    @property
    def patients_needed(self) -> int | None:
        """How many patients Riley's criteria ask for a model like this; None where it promises nothing."""
        if self.model is None or self.validation is None:
            return None
        try:
            return plan_binary_model(
                n_parameters=len(self.model.names),
                prevalence=self.model.events / self.model.n,
                c_statistic=self.validation.measures["c_statistic"].corrected,
            ).n
        except InputError:
            return None


def predict_cohort(
    table: pd.DataFrame,
    *,
    covariates: Sequence[str] = (),
    level: float = 0.95,
    alpha: float = 0.05,
    n_boot: int = BOOTSTRAPS,
    name: str = "the cohort",
) -> CohortPrediction:
    """Say who responds in a cohort.

    Parameters
    ----------
    table : DataFrame
        One row a patient with ``participant_id``, ``VPr``, ``TPr``, ``BPr`` (their ``_log_se`` where known),
        ``responder`` (1 or 0), ``relief_percent`` and the covariates; empty where missing.
    covariates : sequence of str
        Declared before the outcome was looked at, e.g. ``["log duration_months", "limb"]``.
    level : float
        Coverage of intervals.
    alpha : float
        Of the test of the ratios: above it nothing is said of pairs.
    n_boot : int
        Bootstrap samples of the validation.
    name : str
        How reasons name the cohort.

    Raises
    ------
    InputError
        If a cell of the table does not hold what its column says.
    """
    cohort = read_cohort(table)
    refused: dict[str, str] = {}

    def attempt(part_name: str, part: Callable[[], Part]) -> Part | None:
        try:
            return part()
        except SudeckError as error:
            refused[part_name] = str(error)
            return None

    usable = usable_covariates(cohort, covariates, refused)
    fitted = attempt("model", lambda: fit_cohort_model(cohort, usable, level=level, name=name))
    model: ResponseModel | None = None
    relief_model = attempt("relief model", lambda: _fit_relief(cohort, usable, level, name))
    validation = decision = None
    patients: tuple[PatientPrediction, ...] = ()
    without: Mapping[str, float] = {}
    groups: tuple[GroupPerformance, ...] = ()
    centres: tuple[CentreLeftOut, ...] = ()
    factor = 1.0
    if fitted is not None:
        validation = attempt(
            "validation",
            lambda: validate_model(cohort, fitted, rng=_rng(3), n_boot=n_boot, level=level, alpha=alpha),
        )
        factor = 1.0 if validation is None else validation.shrinkage
        model = shrink_cohort_model(fitted, cohort, factor)
        without = (
            attempt("leave-one-out", lambda: leave_one_out(cohort, fitted, rng=_rng(4), factor=factor)) or {}
        )
        patients = attempt("patients", lambda: predict_patients(model, cohort.among(cohort.scanned))) or ()
        groups = tuple(
            one for column in _GROUPS for one in performance_by_group(cohort, without, column, level=level)
        )
        centres = leave_centres_out(cohort, fitted.plan, rng=_rng(5), level=level)
    if validation is not None:
        if mostly_finite(validation.resamples):
            decision = corrected_decision_curve(validation.resamples, level=level)
        else:
            refused["decision curve"] = next(
                one.message for one in validation.flags if one.code == "many-separated-resamples"
            )
    verdicts = attempt("published rule", lambda: apply_published_rule(cohort)) or ()
    return CohortPrediction(
        reported=check_reported_set([(ratio.r, ratio.p) for ratio in PUBLISHED_RATIOS.values()], COHORT_SIZE),
        rule=attempt(
            "published rule", lambda: evaluate_published_rule(cohort, level=level, verdicts=verdicts)
        ),
        verdicts=verdicts,
        analysis=attempt("published analysis", lambda: published_analysis(cohort, level=level)),
        cutoffs=attempt("best cut-offs", lambda: _best_cutoffs(cohort, level)),
        model=model,
        relief_model=relief_model,
        validation=validation,
        shrinkage=factor,
        decision=decision,
        patients={one.participant_id: one for one in patients},
        without=without,
        groups=groups,
        centres=centres,
        covariates=usable,
        refused=refused,
    )


def fit_cohort_model(
    cohort: Cohort, covariates: Sequence[str], *, level: float = 0.95, name: str = "the cohort"
) -> ResponseModel:
    """Fit the probability of response, if there are patients enough for it.

    Parameters
    ----------
    cohort : Cohort
    covariates : sequence of str
        Usable ones: see `usable_covariates`.

    Raises
    ------
    InputError
        If there are too few patients, responders or others, or the predictors do not allow a model.
    """
    plan = _plan(cohort, covariates, level)
    require_enough(model_data(cohort, plan), subject=name)
    return _beyond_error(fit_response_model(cohort, plan, rng=_rng(2)), name)


def shrink_cohort_model(model: ResponseModel, cohort: Cohort, factor: float) -> ResponseModel:
    """Return the model with its predictions shrunk by a factor, as `updating.shrunk` does."""
    return shrunk(model, model_data(cohort, model.plan), factor)


def cohort_shrinkage(
    cohort: Cohort, model: ResponseModel, *, level: float = 0.95, n_boot: int = BOOTSTRAPS
) -> float:
    """Return the factor that `predict_cohort` shrinks the predictions of a model by."""
    return validate_model(cohort, model, rng=_rng(3), n_boot=n_boot, level=level).shrinkage


def usable_covariates(
    cohort: Cohort, declared: Sequence[str], refused: dict[str, str] | None = None
) -> tuple[str, ...]:
    """Return the declared covariates that this cohort can carry; of the others, keep the reason."""
    usable = []
    for text in declared:
        try:
            values = read_predictors(cohort, declare_covariates(cohort, [text])).values[:, 2:]
            if not (
                np.nanmax(values, axis=0, initial=-np.inf) > np.nanmin(values, axis=0, initial=np.inf)
            ).all():
                raise InputError(f"covariate {text}", "it does not vary", "leave it out")
        except InputError as error:
            if refused is not None:
                refused[f"covariate {text}"] = str(error)
        else:
            usable.append(text)
    return tuple(usable)


def _fit_relief(cohort: Cohort, covariates: Sequence[str], level: float, name: str) -> ResponseModel:
    from dataclasses import replace

    plan = replace(_plan(cohort, covariates, level), likelihood="linear")
    require_enough(model_data(cohort, plan), subject=name)
    return _beyond_error(fit_relief_model(cohort, plan, rng=_rng(2)), name)


def _beyond_error(model: ResponseModel, name: str) -> ResponseModel:
    """Refuse a model of ratios that, in some direction, are not seen to differ by more than their error."""
    if model.distribution.overwhelmed:
        raise InputError(
            name,
            "its ratios spread no more than their stated measurement error, so no slope can be told",
            "check the standard errors of the ratios and scan.retest_sd in sudeck.toml",
        )
    return model


def _plan(cohort: Cohort, covariates: Sequence[str], level: float) -> ModelPlan:
    return plan_model(cohort, covariates, level=level, imputations_in_resamples=_IMPUTATIONS_IN_RESAMPLES)


def _best_cutoffs(cohort: Cohort, level: float) -> BestOfSeveral:
    outcome = cohort.outcome(RESPONDER)
    complete = cohort.among(np.isfinite(outcome) & np.isfinite(cohort.ratios.log_phases).all(axis=1))
    scores = {name: complete.ratios.values(name) for name in PUBLISHED_RATIOS}
    return best_of_several(scores, complete.outcome(RESPONDER), rng=_rng(1), level=level)


def _rng(part: int) -> np.random.Generator:
    return np.random.default_rng([_SEED, part])
