"""One patient from three ratios typed by hand: the published rule, and the probability of a saved model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.patients import PatientPrediction, predict_patients
from sudeck.prediction.published.published_rule import PatientVerdict, apply_published_rule
from sudeck.prediction.response_model import ResponseModel
from sudeck.prediction.saved_model import ModelOrigin

_PATIENT = "this patient"


@dataclass(frozen=True)
class Calculation:
    """What is said of one patient.

    Attributes
    ----------
    verdict : PatientVerdict
        Of the published rule.
    prediction : PatientPrediction or None
        Of the model; None without one.
    origin : ModelOrigin or None
        Of the model.
    """

    verdict: PatientVerdict
    prediction: PatientPrediction | None
    origin: ModelOrigin | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "published_rule": self.verdict.to_dict(),
            "prediction": None if self.prediction is None else self.prediction.to_dict(),
            "origin": None if self.origin is None else self.origin.to_dict(),
        }

    def __str__(self) -> str:
        lines = [f"Published rule: {self.verdict}"]
        if self.prediction is None or self.origin is None:
            return "\n".join([*lines, "No model was given, so no probability: add --model model.json."])
        lines += [f"Model: {self.prediction}", *(f"  {flag}" for flag in self.prediction.flags)]
        return "\n".join([*lines, *(f"  {sentence}" for sentence in self.origin.sentences())])


def calculate(
    ratios: Mapping[str, float],
    covariates: Mapping[str, float | str] | None = None,
    *,
    model: tuple[ResponseModel, ModelOrigin] | None = None,
) -> Calculation:
    """Say what the published rule, and a model where one is given, make of one patient.

    Parameters
    ----------
    ratios : mapping of str to float
        ``VPr``, ``TPr``, ``BPr``: affected over healthy side. Their error is taken as the mean of the model's
        patients.
    covariates : mapping, optional
        E.g. ``duration_months`` and ``limb``; one that the model has and this lacks is expected from others.
    model : (ResponseModel, ModelOrigin), optional
        From `sudeck.prediction.saved_model.read_saved_model`.

    Raises
    ------
    InputError
        If a ratio is missing or not positive, or a covariate is none that the model can take.
    """
    import pandas as pd

    missing = [name for name in ("VPr", "TPr", "BPr") if name not in ratios]
    if missing:
        raise InputError(_PATIENT, f"{missing[0]} is missing", "give all three ratios")
    row: dict[str, Any] = {"participant_id": _PATIENT, **ratios, **(covariates or {})}
    if model is None:
        return Calculation(apply_published_rule(read_cohort(pd.DataFrame([row])))[0], None, None)
    fitted, origin = model
    if fitted.plan.likelihood == "linear":
        raise InputError("the model", "it is of relief, not of response", "give a model of response")
    for covariate in fitted.plan.covariates:
        row.setdefault(covariate.column, None)
    patient = read_cohort(pd.DataFrame([row]))
    return Calculation(apply_published_rule(patient)[0], predict_patients(fitted, patient)[0], origin)
