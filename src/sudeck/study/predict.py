"""Who responds, on this study's own patients: the published rule, the published analysis and an honest model.

Every part stands alone: one that can not be had leaves its reason, and the others go on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

import sudeck
from sudeck.core.errors import InputError, SudeckError
from sudeck.core.published import COHORT_SIZE, PUBLISHED_RATIOS
from sudeck.core.storage import write_json, write_text
from sudeck.study.cohort_table import Cohort, assemble_cohort
from sudeck.study.layout import StudyFolder, open_study

if TYPE_CHECKING:
    import pandas as pd

    from sudeck.prediction.correlation import PublishedAnalysis
    from sudeck.prediction.cutoff import BestOfSeveral
    from sudeck.prediction.decision import DecisionCurve
    from sudeck.prediction.fitting import ModelPlan
    from sudeck.prediction.patients import PatientPrediction
    from sudeck.prediction.published_rule import PatientVerdict, RuleOnCohort
    from sudeck.prediction.reported import ReportedSet
    from sudeck.prediction.response_model import ResponseModel
    from sudeck.prediction.validation import Validation

Part = TypeVar("Part")

PREDICTION_FILE, MODEL_FILE = "prediction.json", "model.json"
# One seed for all studies: the same tables give the same bootstrap samples and the same answer.
_SEED: Final = 2018
_BOOTSTRAPS: Final = 500
# Optimism is a mean over all resamples, which averages over imputations as well; a few in each are enough.
_IMPUTATIONS_IN_RESAMPLES: Final = 2


@dataclass(frozen=True)
class StudyPrediction:
    """Everything `sudeck predict` says about a study. A part that could not be had is None.

    Attributes
    ----------
    cohort : Cohort
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
    decision : DecisionCurve or None
    patients : Mapping of str to PatientPrediction
        Everybody with a scan.
    covariates : tuple of str
        Declared ones that entered the model.
    refused : Mapping of str to str
        For each part that could not be had, why.
    fingerprint : str
        Of everything this rests on.
    """

    cohort: Cohort
    reported: ReportedSet
    rule: RuleOnCohort | None
    verdicts: tuple[PatientVerdict, ...]
    analysis: PublishedAnalysis | None
    cutoffs: BestOfSeveral | None
    model: ResponseModel | None
    relief_model: ResponseModel | None
    validation: Validation | None
    decision: DecisionCurve | None
    patients: Mapping[str, PatientPrediction]
    covariates: tuple[str, ...]
    refused: Mapping[str, str]
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return the contract of ``prediction.json`` as plain JSON-ready values."""
        return {
            "software": f"sudeck {sudeck.__version__}",
            "fingerprint": self.fingerprint,
            "responder_rule": str(self.cohort.settings.responder),
            "flow": self.cohort.flow.to_dict(),
            "published_rule": _plain(self.rule),
            "published_analysis": _plain(self.analysis),
            "best_cutoffs": _plain(self.cutoffs),
            "reported": self.reported.to_dict(),
            "model": self._model(),
            "relief_model": _plain(self.relief_model),
            "patients": {
                pid: prediction.to_dict() | {"published_rule": self._verdict(pid)}
                for pid, prediction in self.patients.items()
            },
            "refused": dict(self.refused),
        }

    def _model(self) -> dict[str, Any] | None:
        if self.model is None:
            return None
        entry = self.model.to_dict()
        if self.validation is not None:
            checked = self.validation.to_dict()
            entry |= {
                "c_statistic": checked["c_statistic"],
                "brier": checked["brier"],
                "calibration": {
                    "intercept": checked["calibration_intercept"],
                    "slope": checked["calibration_slope"],
                    "curve": checked["calibration_curve"],
                },
                "instability": checked["instability"],
                "bootstraps": {name: checked[name] for name in ("n_boot", "n_separated", "n_one_class")},
            }
        return entry | {"decision_curve": _plain(self.decision)}

    def _verdict(self, participant_id: str) -> dict[str, Any] | None:
        found = next((one for one in self.verdicts if one.participant_id == participant_id), None)
        return None if found is None else found.to_dict()

    def __str__(self) -> str:
        lines = [f"{self.cohort.flow}; responder: {self.cohort.settings.responder}"]
        for title, part in (
            ("Published rule on this cohort", self.rule),
            ("Published analysis repeated", self.analysis),
            ("Model", self.model),
            ("Validated by bootstrap", self.validation),
        ):
            if part is not None:
                lines += [f"{title}:", *(f"  {line}" for line in str(part).splitlines())]
        lines += [f"Not done, {name}: {reason}" for name, reason in self.refused.items()]
        return "\n".join(lines)


@dataclass(frozen=True)
class PredictedPatient:
    """One patient as the model sees this patient: the answer, and what it rests on.

    Attributes
    ----------
    prediction : PatientPrediction
    verdict : PatientVerdict or None
        Of the published rule; None where a phase is missing.
    without : PatientPrediction or None
        From the model fitted to all others; None where this patient took no part in the fit.
    """

    prediction: PatientPrediction
    verdict: PatientVerdict | None
    without: PatientPrediction | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return self.prediction.to_dict() | {
            "published_rule": None if self.verdict is None else self.verdict.to_dict(),
            "fitted_without_this_patient": None if self.without is None else self.without.to_dict(),
        }

    def __str__(self) -> str:
        one = self.prediction
        lines = [f"{one.participant_id}: {one.prediction}"]
        if self.without is not None:
            lines.append(f"  fitted to all other patients: {self.without.prediction}")
        lines.append("  rests on (log odds against the mean patient):")
        lines += [f"    {name} {share:+.2f}" for name, share in one.contributions.items()]
        if self.verdict is not None:
            lines.append(f"  published rule: {self.verdict}")
        return "\n".join([*lines, *(f"  {flag}" for flag in one.flags)])


def predict_study(root: Path, *, n_boot: int = _BOOTSTRAPS) -> StudyPrediction:
    """Analyse a study that was run, and write prediction.json, model.json and cohort.tsv.

    Parameters
    ----------
    root : Path
        The study folder, after `sudeck.study.run.run_study`.
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
    from sudeck.prediction.correlation import published_analysis
    from sudeck.prediction.cutoff import best_of_several
    from sudeck.prediction.decision import corrected_decision_curve
    from sudeck.prediction.patients import predict_patients
    from sudeck.prediction.published_rule import apply_published_rule, evaluate_published_rule
    from sudeck.prediction.ratios import read_ratios
    from sudeck.prediction.reported import check_reported_set
    from sudeck.prediction.response_model import fit_relief_model, fit_response_model
    from sudeck.prediction.validation import validate_model

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
    model = attempt("model", lambda: fit_response_model(table, plan, rng=_rng(2)))
    relief_model = attempt("relief model", lambda: fit_relief_model(table, plan, rng=_rng(2)))
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
        fingerprint_of(cohort, n_boot),
    )


def predict_patient(root: Path, participant_id: str, *, model_file: Path | None = None) -> PredictedPatient:
    """Predict one patient with the model of this study, or with a saved one.

    Parameters
    ----------
    root : Path
        The study folder, after `sudeck.study.run.run_study`.
    participant_id : str
    model_file : Path, optional
        A saved model of another study; fitted to this one unless given.

    Raises
    ------
    InputError
        If the study has no such patient, the patient no scan, or no model can be had.
    """
    from sudeck.prediction.patients import predict_patients
    from sudeck.prediction.published_rule import apply_published_rule
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


def fingerprint_of(cohort: Cohort, n_boot: int = _BOOTSTRAPS) -> str:
    """Return a hash of everything a prediction rests on."""
    described = {
        "version": sudeck.__version__,
        "settings": cohort.settings.to_dict(),
        "flow": cohort.flow.to_dict(),
        "table": cohort.table.to_csv(index=False),
        "n_boot": n_boot,
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def stored_prediction(study: StudyFolder) -> dict[str, Any] | None:
    """Return the content of prediction.json; None if there is none that can be read."""
    try:
        content = json.loads((study.derivatives / PREDICTION_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


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
