"""One study of a world, as tables: drawn, answered as a study folder would be, its pages held against truth.

Files are left out, nothing else: the answers come from `predict_cohort` and `explain_group`, the sentences
from the functions that make those of the pages, and what is scored are the claims of these sentences.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtri, stdtr

from sudeck.core.claim import INTERVAL, claims_of, page_error
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS
from sudeck.mechanism.group_statistics import GroupStatistics, explain_group
from sudeck.prediction.cohort import Cohort, read_cohort
from sudeck.prediction.cohort_prediction import predict_cohort
from sudeck.prediction.model_data import model_data
from sudeck.report.mechanism import words as mechanism_words
from sudeck.report.study import words as study_words
from sudeck.statistics.calibration import recalibration
from sudeck.statistics.power import power_of_r
from sudeck.statistics.roc import c_statistic
from sudeck.study.answers.after_treatment import AfterTreatment
from sudeck.study.answers.cohort_table import Flow, StudyCohort
from sudeck.study.answers.outcomes import CohortOutcomes
from sudeck.study.answers.scan_ratios import RatioSources
from sudeck.study.answers.study_prediction import StudyPrediction
from sudeck.study.folder.settings import Settings
from sudeck.synthetic.study.worlds import (
    WorldStudy,
    draw_world_cohort,
    draw_world_study,
    find_world,
    true_values,
    where_people_differ,
)
from sudeck.truth.faults import planted, swapped_sides, unshared, with_halved_errors
from sudeck.truth.row import Scored, StudyRow, Task

if TYPE_CHECKING:
    from sudeck.prediction.response_model import ResponseModel

_BOOTSTRAPS: Final = 200  # of the validation: enough for the interval of C, a third of the time of a study
_NEW_PATIENTS: Final = 30_000  # judge a model: its true C is then known to 0.003
_NEW_PATIENTS_SEED: Final = 71
_BOTH: Final = page_error(2)  # a study of both pages
_PINNED: Final = 1 - 1e-9


def score_table_study(task: Task) -> StudyRow:
    """Draw, answer and score one study."""
    study = draw_world_study(find_world(task.world), rng=np.random.default_rng(task.seed))
    with planted(task.fault):
        alpha = unshared(_BOTH, task.fault)
        predicted = _predicted(study, alpha)
        group = explain_group(swapped_sides(study.measures, task.fault), study.relief, alpha=alpha)
        group = with_halved_errors(group, task.fault)
        truth = true_values(study.world) | _true_of_cohort(study, predicted)
        return score_pages(task, predicted, group, truth, differ=where_people_differ(study.world))


def score_pages(
    task: Task,
    predicted: StudyPrediction,
    group: GroupStatistics,
    truth: Mapping[str, float],
    *,
    differ: Collection[str] = (),
) -> StudyRow:
    """Score both pages of a study from what they claim, and the numbers beside the sentences.

    Parameters
    ----------
    task : Task
    predicted : StudyPrediction
    group : GroupStatistics
    truth : Mapping of str to float
        By estimand, as the claims name it.
    differ : collection of str
        Measures in whose change people differ by more than a little beside the error of measurement.
    """
    stimulated = max((one.n_any for one in group.changes.changes), default=0)
    pages = {
        "study": study_words.sentences(predicted),
        "mechanism": mechanism_words.sentences(stimulated, ("pre", "post"), group, (), 0),
    }
    ledger = tuple(
        Scored(page, claim, truth[claim.estimand], claim.holds(truth[claim.estimand]))
        for page, sentences in pages.items()
        for claim in claims_of(sentences)
    )
    numbers: dict[str, list[float]] = defaultdict(list)
    _score_claims(numbers, ledger)
    _score_model(numbers, predicted, truth)
    _score_group(numbers, group, truth, differ)
    return StudyRow(task, {name: tuple(values) for name, values in numbers.items()}, ledger)


def true_of_null(predicted: StudyPrediction) -> dict[str, float]:
    """Return what is true of the claims about ratios and relief where nothing goes with relief."""
    known = predicted.model is not None
    return {
        **{f"correlation of relief and {name}": 0.0 for name in (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS)},
        study_words.RATIOS: 0.0,
        study_words.C_STATISTIC: 0.5 if known else math.nan,
        "calibration slope of the model": 0.0 if known else math.nan,
    }


def _score_claims(numbers: dict[str, list[float]], ledger: tuple[Scored, ...]) -> None:
    words = [one for one in ledger if one.claim.budget != INTERVAL]
    for page in ("study", "mechanism"):
        false = any(not one.holds for one in words if one.page == page)
        numbers[f"{page} page: a false claim"].append(false)
    numbers["both pages: a false claim"].append(any(not one.holds for one in words))
    correlations = [one for one in words if one.claim.estimand.startswith("correlation of relief")]
    numbers["relief goes with a ratio, falsely"].append(any(not one.holds for one in correlations))
    wrong = [not one.holds for one in words if "supported" in one.claim.claim]
    numbers["published pattern: a wrong verdict"].append(any(wrong))
    refuted = [
        not one.holds for one in words if one.claim.claim in _UNCHANGED_REFUTED and one.claim.high == 1.0
    ]
    numbers["a true 'does not change' refuted"].append(any(refuted))
    # Nothing may be said of pairs or ratios where the test of the ratios said no.
    spoken = {one.claim.estimand for one in words if one.page == "study"}
    numbers["study page contradicts itself"].append(bool(spoken) and study_words.RATIOS not in spoken)


_UNCHANGED_REFUTED: Final = {f"not supported: {measure} does not change" for measure in ("RMT", "MEP")}


def _score_model(
    numbers: dict[str, list[float]], predicted: StudyPrediction, truth: Mapping[str, float]
) -> None:
    checked = predicted.validation
    if checked is None or math.isnan(truth[study_words.C_STATISTIC]):
        return
    c, true = checked.measures["c_statistic"], truth[study_words.C_STATISTIC]
    if math.isfinite(c.low):
        numbers["C: interval holds the true C"].append(c.low <= true <= c.high)
        numbers["C: lower end above one half"].append(c.low > 0.5)
    if math.isfinite(c.corrected):
        numbers["C: corrected minus true"].append(c.corrected - true)
    slope = checked.measures["calibration_slope"]
    if math.isfinite(slope.low):
        numbers["calibration slope: interval holds the true one"].append(
            slope.low <= truth["calibration slope of the model"] <= slope.high
        )


def _score_group(
    numbers: dict[str, list[float]],
    group: GroupStatistics,
    truth: Mapping[str, float],
    differ: Collection[str],
) -> None:
    for change in group.changes.changes:
        true = truth[f"change of {change.measure}, {change.hemisphere}"]
        # Where people hardly differ their spread may be seen smaller than the stated errors allow. That is
        # not believed, Student's t still takes all of it for unknown, and intervals are wide on purpose.
        people = "people differ" if change.measure in differ else "people hardly differ"
        held = change.ratio.low <= true <= change.ratio.high
        numbers[f"change: interval holds the true mean, {people}"].append(held)
        if change.ratio.se:
            t = (math.log(change.ratio.value) - math.log(true)) / change.ratio.se
            # As far out as a normal error would lie: Student's t of few patients goes farther.
            z = float(ndtri(stdtr(change.df, -abs(t)))) if math.isfinite(change.df) else t
            numbers[f"change: error over stated error, {people}"].append(z**2)
    associations = () if group.associations is None else group.associations.associations
    for one in associations:
        if one.corrected is not None:
            numbers["r corrected for error is pinned at 1"].append(abs(one.corrected.value) >= _PINNED)
    for judged in group.pattern:
        place = (judged.hypothesis.measure, judged.hypothesis.hemispheres[0])
        true = truth.get(f"measured correlation of relief and the change of {', '.join(place)}", 0.0)
        power = group.power_of(judged)
        if power is not None and true:
            stated = power_of_r(true, power.n, alpha=power.alpha / power.tests)
            numbers["power: stated minus achieved"].append(stated - (judged.verdict == "supported"))


def _predicted(study: WorldStudy, alpha: float) -> StudyPrediction:
    table, settings = study.cohort.table, Settings()
    answer = predict_cohort(
        table, covariates=settings.covariates, alpha=alpha, n_boot=_BOOTSTRAPS, name=study.world.name
    )
    flow = Flow.of(table)
    outcomes = CohortOutcomes((), settings.responder, None)
    sources = RatioSources((), tuple(table["participant_id"]), {}, ())
    course = AfterTreatment((), None, (), 0, "")
    cohort = StudyCohort(study.world.name, table, settings, outcomes, flow, (), sources, course, "", alpha)
    return StudyPrediction(cohort=cohort, fingerprint="", **vars(answer))


def _true_of_cohort(study: WorldStudy, predicted: StudyPrediction) -> dict[str, float]:
    """Return what is true of the cohort's claims: correlations in the population, C of this very model."""
    truth = study.cohort.truth
    correlations = dict.fromkeys(truth.correlations, 0.0) if study.world.same_ratios else truth.correlations
    slopes = list(truth.slopes.values())[:2]  # of the two log ratios; the third is of duration
    inform = 0.0 if study.world.same_ratios else _exact(math.hypot(*slopes))
    if not inform and not truth.settings.duration_effect:
        return true_of_null(predicted)  # nothing is to be known of anybody, whatever the model
    c, slope = math.nan, math.nan
    if predicted.model is not None:
        c, slope = _in_new_patients(study.world.name, predicted.model)
    return {
        **{f"correlation of relief and {name}": _exact(r) for name, r in correlations.items()},
        study_words.RATIOS: inform,
        study_words.C_STATISTIC: c,
        "calibration slope of the model": slope,
    }


def _exact(value: float) -> float:
    """Return zero for what is zero but for the rounding of the solver."""
    return 0.0 if abs(value) < 1e-9 else value


def _in_new_patients(world: str, model: ResponseModel) -> tuple[float, float]:
    """Return C and calibration slope of a model in many new patients of the same world."""
    data = model_data(_new_patients(world), model.plan)
    eta = model.as_stack().linear_predictor(data.predictors.values, data.predictors.error)
    _, slope = recalibration(eta, data.outcome)
    return float(c_statistic(eta, data.outcome)), float(np.asarray(slope))


@lru_cache(maxsize=2)
def _new_patients(world: str) -> Cohort:
    rng = np.random.default_rng(_NEW_PATIENTS_SEED)
    return read_cohort(draw_world_cohort(find_world(world), rng=rng, n=_NEW_PATIENTS, complete=True).table)
