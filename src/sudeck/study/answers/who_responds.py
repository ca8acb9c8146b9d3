"""Who responds, on this study's own patients: the published rule, the published analysis and an honest model.

Every part stands alone: one that can not be had leaves its reason, and the others go on.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.provenance import sha256_of
from sudeck.core.storage import write_json, write_text
from sudeck.prediction.cohort import RESPONDER, Cohort
from sudeck.prediction.cohort_prediction import (
    BOOTSTRAPS,
    cohort_shrinkage,
    fit_cohort_model,
    predict_cohort,
    shrink_cohort_model,
)
from sudeck.prediction.saved_model import ModelOrigin, model_to_json, read_saved_model
from sudeck.study.answers.cohort_table import StudyCohort, assemble_cohort
from sudeck.study.answers.study_prediction import PredictedPatient, StudyPrediction
from sudeck.study.folder.bids import keep_to_bids
from sudeck.study.folder.layout import StudyFolder, open_study

if TYPE_CHECKING:
    from sudeck.prediction.patients import PatientPrediction
    from sudeck.prediction.response_model import ResponseModel

PREDICTION_FILE, MODEL_FILE = "prediction.json", "model.json"
# Of what is said: raised where the same tables get another answer, so that an old one is not taken for it.
_ANSWER: Final = 5


def predict_study(root: Path, *, n_boot: int = BOOTSTRAPS) -> StudyPrediction:
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
    answer = predict_cohort(
        cohort.table,
        covariates=cohort.settings.covariates,
        level=cohort.settings.level,
        alpha=cohort.page_error,
        n_boot=n_boot,
        name=cohort.name,
    )
    predicted = StudyPrediction(cohort=cohort, fingerprint=_fingerprint(cohort, n_boot), **vars(answer))
    cohort.write(study)
    keep_to_bids(study, cohort.table["participant_id"])
    if predicted.model is not None:
        write_text(study.derivatives / MODEL_FILE, _saved(predicted))
    else:
        (study.derivatives / MODEL_FILE).unlink(missing_ok=True)
    write_json(study.derivatives / PREDICTION_FILE, predicted.to_dict())
    return predicted


def predict_and_report(
    root: Path, *, place: Path, write_page: Callable[[StudyPrediction], object]
) -> StudyPrediction | None:
    """Predict a study and have it reported; both are left as they are where nothing changed.

    Parameters
    ----------
    root : Path
        The study folder, after `sudeck.study.measuring.run.run_study`.
    place : Path
        The report.
    write_page : callable
        Writes it.

    Returns
    -------
    StudyPrediction or None
        None where nothing changed.
    """
    if place.is_file() and is_predicted(root):
        return None
    predicted = predict_study(root)
    write_page(predicted)
    return predicted


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
    from sudeck.prediction.cohort_prediction import usable_covariates
    from sudeck.prediction.patients import predict_patients
    from sudeck.prediction.published.published_rule import apply_published_rule

    cohort = assemble_cohort(open_study(root))
    patients = cohort.patients
    is_own = np.array([pid == participant_id for pid in patients.ids], dtype=bool)
    own = patients.among(is_own)
    if not own.ids:
        raise InputError(participant_id, "the study has no such patient", "check participants.tsv")
    if not own.scanned.any():
        raise InputError(
            participant_id, "no ratio of this patient is measured", "see failures.tsv, or run the study"
        )
    without = None
    if model_file is not None:
        model, origin = read_saved_model(model_file)
    else:
        settings = cohort.settings
        covariates = usable_covariates(patients, settings.covariates)
        model = fit_cohort_model(patients, covariates, level=settings.level, name=cohort.name)
        factor = _shrinkage(root, cohort, model)
        origin = ModelOrigin.of(model, study=cohort.name)
        if np.isfinite(own.outcome(RESPONDER)).all():
            without = _without(patients.among(~is_own), own, model, factor)
        model = shrink_cohort_model(model, patients, factor)
    verdicts = apply_published_rule(own)
    return PredictedPatient(
        predict_patients(model, own)[0], verdicts[0] if verdicts else None, without, origin
    )


def is_predicted(root: Path, *, n_boot: int = BOOTSTRAPS) -> bool:
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


def _fingerprint(cohort: StudyCohort, n_boot: int) -> str:
    return sha256_of(f"{cohort.fingerprint} {n_boot} {_ANSWER}".encode())


def _shrinkage(root: Path, cohort: StudyCohort, model: ResponseModel) -> float:
    """Return what predictions are shrunk by: as was last said of these very tables, or worked out anew."""
    stored = stored_prediction(open_study(root)) or {}
    boots = (stored.get("model") or {}).get("bootstraps")
    if boots is not None:
        n_boot = int(boots["n_boot"]) + int(boots["n_one_class"])
        if stored.get("fingerprint") == _fingerprint(cohort, n_boot):
            return float(stored["model"]["shrinkage"])
    return cohort_shrinkage(cohort.patients, model, level=cohort.settings.level)


def _without(others: Cohort, own: Cohort, model: ResponseModel, factor: float) -> PatientPrediction | None:
    """Predict a patient from all others; None where they do not carry the model."""
    from sudeck.prediction.patients import predict_patients
    from sudeck.prediction.response_model import fit_response_model

    try:
        fitted = fit_response_model(others, model.plan, rng=np.random.default_rng(0))
    except InputError:
        return None
    return predict_patients(shrink_cohort_model(fitted, others, factor), own)[0]


def _saved(predicted: StudyPrediction) -> str:
    assert predicted.model is not None
    return model_to_json(
        predicted.model,
        audit={
            "study": predicted.cohort.name,
            "fitted_on": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "patients_needed": predicted.patients_needed,
            "shrinkage": predicted.shrinkage,
            "responder_rule": str(predicted.cohort.settings.responder),
            "settings": predicted.cohort.settings.to_dict(),
            "flow": predicted.cohort.flow.to_dict(),
            "validation": None if predicted.validation is None else predicted.validation.to_dict(),
        },
    )
