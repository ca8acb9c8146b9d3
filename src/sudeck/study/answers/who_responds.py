"""Who responds, on this study's own patients: the published rule, the published analysis and an honest model.

Every part stands alone: one that can not be had leaves its reason, and the others go on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from sudeck.core.errors import InputError, SudeckError
from sudeck.core.published import COHORT_SIZE, PUBLISHED_RATIOS
from sudeck.core.storage import write_json, write_text
from sudeck.statistics.reported import check_reported_set
from sudeck.study.answers.cohort_table import Cohort, assemble_cohort
from sudeck.study.answers.study_prediction import PredictedPatient, StudyPrediction
from sudeck.study.folder.layout import StudyFolder, open_study

if TYPE_CHECKING:
    import pandas as pd

    from sudeck.prediction.fitting import ModelPlan
    from sudeck.prediction.patients import PatientPrediction
    from sudeck.prediction.response_model import ResponseModel
    from sudeck.statistics.cutoff import BestOfSeveral

Part = TypeVar("Part")

PREDICTION_FILE, MODEL_FILE = "prediction.json", "model.json"
# One seed for all studies: the same tables give the same bootstrap samples and the same answer.
_SEED: Final = 2018
_BOOTSTRAPS: Final = 500
# Below, a model would say more about itself than about patients.
_LEAST_FOR_MODEL: Final = 20
# Optimism is a mean over all resamples, which averages over imputations as well; a few in each are enough.
_IMPUTATIONS_IN_RESAMPLES: Final = 2


def predict_study(root: Path, *, n_boot: int = _BOOTSTRAPS) -> StudyPrediction:
    """Analyse a study that was run, and write prediction.json, model.json and cohort.tsv.

    Parameters
    ----------
    root : Path
        The study folder, after `sudeck.study.measuring.run.run_study`.
    n_boot : int
        Bootstrap samples of the validation.

    Raises
    ------
    InputError
        If there is no study, or no patient has a measured scan.
    """
    study = open_study(root)
    cohort = assemble_cohort(study)
    predicted = predict_cohort(cohort, n_boot=n_boot)
    cohort.write(study)
    if predicted.model is not None:
        write_text(study.derivatives / MODEL_FILE, _saved(predicted))
    else:
        (study.derivatives / MODEL_FILE).unlink(missing_ok=True)
    write_json(study.derivatives / PREDICTION_FILE, predicted.to_dict())
    return predicted


def predict_cohort(cohort: Cohort, *, n_boot: int = _BOOTSTRAPS) -> StudyPrediction:
    """Analyse a cohort; nothing is written."""
    from sudeck.prediction.decision import corrected_decision_curve
    from sudeck.prediction.patients import predict_patients
    from sudeck.prediction.published.published_rule import apply_published_rule, evaluate_published_rule
    from sudeck.prediction.published.relief_correlation import published_analysis
    from sudeck.prediction.ratios import read_ratios
    from sudeck.prediction.response_model import fit_relief_model, fit_response_model
    from sudeck.prediction.validation import validate_model
    from sudeck.statistics.cutoff import best_of_several

    table, settings = cohort.table, cohort.settings
    refused: dict[str, str] = {}

    def attempt(name: str, part: Callable[[], Part]) -> Part | None:
        try:
            return part()
        except SudeckError as error:
            refused[name] = str(error)
            return None

    def best_cutoffs() -> BestOfSeveral:
        complete = table.dropna(subset=["VPr", "TPr", "BPr", "responder"])
        ratios = read_ratios(complete)
        scores = {name: ratios.values(name) for name in PUBLISHED_RATIOS}
        return best_of_several(
            scores, complete["responder"].to_numpy(float), rng=_rng(1), level=settings.level
        )

    covariates = _usable(table, settings.covariates, refused)
    plan = _plan(table, covariates, settings.level)

    def fitted(fit: Callable[..., ResponseModel]) -> ResponseModel:
        if cohort.flow.analysed < _LEAST_FOR_MODEL:
            problem = f"{cohort.flow.analysed} patients have a scan and an outcome"
            raise InputError(cohort.name, problem, f"a model needs at least {_LEAST_FOR_MODEL}")
        return fit(table, plan, rng=_rng(2))

    model = attempt("model", lambda: fitted(fit_response_model))
    relief_model = attempt("relief model", lambda: fitted(fit_relief_model))
    validation = decision = None
    patients: tuple[PatientPrediction, ...] = ()
    if model is not None:
        validation = attempt(
            "validation",
            lambda: validate_model(table, model, rng=_rng(3), n_boot=n_boot, level=settings.level),
        )
        scanned = table.dropna(subset=["VPr", "TPr", "BPr"], how="all")
        patients = attempt("patients", lambda: predict_patients(model, scanned)) or ()
    if validation is not None:
        decision = corrected_decision_curve(validation.resamples, level=settings.level)
    return StudyPrediction(
        cohort,
        check_reported_set([(ratio.r, ratio.p) for ratio in PUBLISHED_RATIOS.values()], COHORT_SIZE),
        attempt(
            "published rule",
            lambda: evaluate_published_rule(table, relief="relief_percent", level=settings.level),
        ),
        apply_published_rule(table),
        attempt("published analysis", lambda: published_analysis(table, level=settings.level)),
        attempt("best cut-offs", best_cutoffs),
        model,
        relief_model,
        validation,
        decision,
        {one.participant_id: one for one in patients},
        covariates,
        refused,
        _fingerprint(cohort, n_boot),
    )


def predict_patient(root: Path, participant_id: str, *, model_file: Path | None = None) -> PredictedPatient:
    """Predict one patient with the model of this study, or with a saved one.

    Parameters
    ----------
    root : Path
        The study folder, after `sudeck.study.measuring.run.run_study`.
    participant_id : str
    model_file : Path, optional
        A saved model of another study; fitted to this one unless given.

    Raises
    ------
    InputError
        If the study has no such patient, the patient no scan, or no model can be had.
    """
    from sudeck.prediction.patients import predict_patients
    from sudeck.prediction.published.published_rule import apply_published_rule
    from sudeck.prediction.response_model import fit_response_model
    from sudeck.prediction.saved_model import model_from_json

    cohort = assemble_cohort(open_study(root))
    table = cohort.table
    own = table[table["participant_id"] == participant_id]
    if own.empty:
        raise InputError(participant_id, "the study has no such patient", "check participants.tsv")
    if own[["VPr", "TPr", "BPr"]].isna().all(axis=None):
        raise InputError(
            participant_id, "no ratio of this patient is measured", "see failures.tsv, or run the study"
        )
    without = None
    if model_file is not None:
        model = model_from_json(model_file.read_text(encoding="utf-8"), label=model_file.name)
    else:
        plan = _plan(table, _usable(table, cohort.settings.covariates, {}), cohort.settings.level)
        model = fit_response_model(table, plan, rng=_rng(2))
        if own["responder"].notna().all():
            others = table[table["participant_id"] != participant_id]
            without = predict_patients(fit_response_model(others, plan, rng=_rng(2)), own)[0]
    verdicts = apply_published_rule(own)
    return PredictedPatient(predict_patients(model, own)[0], verdicts[0] if verdicts else None, without)


def is_predicted(root: Path, *, n_boot: int = _BOOTSTRAPS) -> bool:
    """Tell whether prediction.json of a study holds what `predict_study` would say now."""
    study = open_study(root)
    stored = stored_prediction(study)
    return stored is not None and stored.get("fingerprint") == _fingerprint(assemble_cohort(study), n_boot)


def stored_prediction(study: StudyFolder) -> dict[str, Any] | None:
    """Return the content of prediction.json; None if there is none that can be read."""
    try:
        content = json.loads((study.derivatives / PREDICTION_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _fingerprint(cohort: Cohort, n_boot: int) -> str:
    return hashlib.sha256(f"{cohort.fingerprint} {n_boot}".encode()).hexdigest()


def _usable(table: pd.DataFrame, declared: tuple[str, ...], refused: dict[str, str]) -> tuple[str, ...]:
    """Return the declared covariates that this cohort can carry; of the others, keep the reason."""
    from sudeck.prediction.predictors import declare_covariates, read_predictors

    usable = []
    for text in declared:
        try:
            values = read_predictors(table, declare_covariates(table, [text])).values[:, 2:]
            if not (
                np.nanmax(values, axis=0, initial=-np.inf) > np.nanmin(values, axis=0, initial=np.inf)
            ).all():
                raise InputError(f"covariate {text}", "it does not vary", "leave it out")
        except InputError as error:
            refused[f"covariate {text}"] = str(error)
        else:
            usable.append(text)
    return tuple(usable)


def _plan(table: pd.DataFrame, covariates: tuple[str, ...], level: float) -> ModelPlan:
    from sudeck.prediction.model_data import plan_model

    return plan_model(table, covariates, level=level, imputations_in_resamples=_IMPUTATIONS_IN_RESAMPLES)


def _saved(predicted: StudyPrediction) -> str:
    from sudeck.prediction.saved_model import model_to_json

    assert predicted.model is not None
    return model_to_json(
        predicted.model,
        audit={
            "responder_rule": str(predicted.cohort.settings.responder),
            "settings": predicted.cohort.settings.to_dict(),
            "flow": predicted.cohort.flow.to_dict(),
            "validation": _plain(predicted.validation),
        },
    )


def _plain(part: Any) -> Any:
    return None if part is None else part.to_dict()


def _rng(part: int) -> np.random.Generator:
    return np.random.default_rng([_SEED, part])
