"""A saved model on the patients of another study: how it does there, the least change that fits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.provenance import SOFTWARE
from sudeck.core.storage import to_json, write_json, write_text
from sudeck.prediction.decision import DecisionCurve, decision_curve
from sudeck.prediction.model_data import ModelData, model_data, require_enough
from sudeck.prediction.response_model import ResponseModel
from sudeck.prediction.saved_model import ModelOrigin, model_to_json, read_saved_model
from sudeck.prediction.updating import ModelUpdate, recalibrated, update_model
from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.calibration import Performance, measure_performance
from sudeck.statistics.measurement_error import expected_truth
from sudeck.statistics.regression.logistic import expit
from sudeck.statistics.sample_size.criteria import plan_validation
from sudeck.study.answers.cohort_table import StudyCohort, assemble_cohort
from sudeck.study.folder.layout import open_study

VALIDATION_FILE: Final = "validation.json"
VALIDATED_MODEL, UPDATED_MODEL = "validated_model.json", "updated_model.json"
# With fewer on either side a C statistic and a slope say nothing that an interval could make honest.
LEAST_OF_EACH: Final = 8
_SEED: Final = 2018


@dataclass(frozen=True)
class ExternalValidation:
    """A model on patients it was not fitted to.

    Attributes
    ----------
    study : str
        Of the patients.
    origin : ModelOrigin
        Of the model, before this validation.
    performance : Performance
    decision : DecisionCurve
    outside : tuple of str
        Patients with a predictor outside the range the model was fitted to.
    left_out : int
        Patients without an outcome or a scan.
    patients_needed : int or None
        For a precise validation, by Riley's criteria.
    remarks : tuple of str
    """

    study: str
    origin: ModelOrigin
    performance: Performance
    decision: DecisionCurve
    outside: tuple[str, ...]
    left_out: int
    patients_needed: int | None
    remarks: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the contract of ``validation.json``, and of what a model keeps of it."""
        return {
            "software": SOFTWARE,
            "study": self.study,
            "model": self.origin.to_dict(),
            **self.performance.to_dict(),
            "decision_curve": self.decision.to_dict(),
            "outside": list(self.outside),
            "left_out": self.left_out,
            "patients_needed": self.patients_needed,
            "remarks": list(self.remarks),
        }

    def __str__(self) -> str:
        did = self.performance
        lines = [
            f"Model of {self.origin.study or 'a study that is not named'} on {did.n} patients of "
            f"{self.study}, {did.events} of them responders",
            f"  {did.c_statistic}",
            f"  {did.intercept_in_the_large}",
            f"  {did.slope}",
            f"  {did.observed_over_expected}",
            f"  {did.brier}",
            f"  decision curve: {self.decision}",
        ]
        if self.patients_needed is not None:
            lines.append(f"  a precise validation needs {self.patients_needed} patients (Riley's criteria)")
        if self.outside:
            lines.append(f"  outside the range of the model's patients: {', '.join(self.outside)}")
        return "\n".join([*lines, *(f"  {remark}" for remark in self.remarks)])


def validate_study(root: Path, model_file: Path) -> ExternalValidation:
    """Try a saved model on the patients of a study; write validation.json and the model with its record.

    Parameters
    ----------
    root : Path
        The study folder, after `sudeck run` or with typed ratios.
    model_file : Path
        A model.json of another study; it is left as it is.

    Raises
    ------
    InputError
        If the model was fitted to this study, or the patients are too few.
    """
    model, origin, cohort, data = _met(root, model_file)
    probability = expit(_linear(model, data))
    performance = measure_performance(probability, data.outcome, level=cohort.settings.level)
    validation = ExternalValidation(
        study=cohort.name,
        origin=origin,
        performance=performance,
        decision=decision_curve(
            probability,
            data.outcome,
            rng=np.random.default_rng([_SEED, 1]),
            level=cohort.settings.level,
        ),
        outside=_outside(model, data),
        left_out=data.left_out,
        patients_needed=_needed(performance),
        remarks=_remarks(model_file, cohort),
    )
    place = open_study(root).derivatives
    write_json(place / VALIDATION_FILE, validation.to_dict())
    kept = {name: value for name, value in validation.to_dict().items() if name not in _NOT_KEPT}
    stored = json.loads(model_file.read_text(encoding="utf-8"))
    stored["audit"] = {**(stored.get("audit") or {}), "external_validation": kept}
    write_text(place / VALIDATED_MODEL, to_json(stored))
    return validation


_NOT_KEPT: Final = ("decision_curve", "outside", "model")


def update_study(root: Path, model_file: Path) -> tuple[ModelUpdate, Path | None]:
    """Find the least change of a saved model that the patients of a study ask for, and write that model.

    Returns
    -------
    ModelUpdate
    Path or None
        The updated model; None where it may stay as it is, or a new one has to be fitted.

    Raises
    ------
    InputError
        If the model was fitted to this study, or the patients are too few.
    """
    model, origin, cohort, data = _met(root, model_file)
    stack = model.as_stack()
    expected, _ = expected_truth(data.predictors.values, data.predictors.error, stack.distribution)
    try:
        require_enough(data, subject=cohort.name)
    except InputError:  # too few for coefficients of their own
        enough = False
    else:
        enough = True
    update = update_model(
        _linear(model, data),
        data.outcome,
        design=expected if enough else None,
        names=data.predictors.names,
        level=cohort.settings.level,
    )
    if update.chosen in ("original", "revision"):
        return update, None
    moved = recalibrated(model, update)
    audit = {
        "study": f"{origin.study or 'a study that is not named'}, updated on {cohort.name}",
        "updated_on": {"study": cohort.name, **update.to_dict()},
        "responder_rule": str(cohort.settings.responder),
    }
    # What the old model did elsewhere says nothing of the new one, so no validation goes along.
    path = open_study(root).derivatives / UPDATED_MODEL
    write_text(path, model_to_json(replace(moved, flags=(*moved.flags, *update.flags)), audit=audit))
    return update, path


def _met(root: Path, model_file: Path) -> tuple[ResponseModel, ModelOrigin, StudyCohort, ModelData]:
    """Return a model and the patients it meets."""
    model, origin = read_saved_model(model_file)
    if model.plan.likelihood == "linear":
        raise InputError(model_file.name, "it is of relief, not of response", "give a model of response")
    cohort = assemble_cohort(open_study(root))
    data = model_data(cohort.patients, model.plan)
    events = int(data.outcome.sum())
    if (origin.study, model.n, model.events) == (cohort.name, data.n, events):
        raise InputError(
            model_file.name,
            f"it was fitted to {cohort.name} itself",
            "give a model of another study; how this one does at home stands in prediction.json",
        )
    if min(events, data.n - events) < LEAST_OF_EACH:
        raise InputError(
            cohort.name,
            f"{data.n} patients with a scan and an outcome, {events} of them responders, are too few to try "
            "a model on",
            f"at least {LEAST_OF_EACH} responders and {LEAST_OF_EACH} others are needed, and 100 of each "
            "are advised",
        )
    return model, origin, cohort, data


def _linear(model: ResponseModel, data: ModelData) -> FloatArray:
    return model.as_stack().linear_predictor(data.predictors.values, data.predictors.error)


def _outside(model: ResponseModel, data: ModelData) -> tuple[str, ...]:
    limits = np.array([model.ranges[name] for name in data.predictors.names])
    values = data.predictors.values
    beyond = np.any((values < limits[:, 0]) | (values > limits[:, 1]), axis=1)
    return tuple(pid for pid, out in zip(data.predictors.ids, beyond.tolist(), strict=True) if out)


def _needed(did: Performance) -> int | None:
    try:
        return plan_validation(prevalence=did.events / did.n, c_statistic=did.c_statistic.value).n
    except InputError:
        return None


def _remarks(model_file: Path, cohort: StudyCohort) -> tuple[str, ...]:
    audit: Mapping[str, Any] = json.loads(model_file.read_text(encoding="utf-8")).get("audit") or {}
    theirs, ours = audit.get("responder_rule"), str(cohort.settings.responder)
    if theirs is None or theirs == ours:
        return ()
    return (f"The model calls a responder: {theirs}; this study: {ours}. The numbers hold for the latter.",)
