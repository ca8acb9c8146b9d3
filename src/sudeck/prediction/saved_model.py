"""A response model as a small readable JSON text: everything needed to predict, and everything to audit.

The text carries a worked example: one patient with the prediction the model gave when it was saved. Reading
recomputes it and refuses a text that no longer gives the same answer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.provenance import SOFTWARE
from sudeck.core.record import Record
from sudeck.core.storage import parse_json, read_limited, to_json
from sudeck.prediction.fitting import Likelihood, ModelPlan
from sudeck.prediction.predictors import RATIO_NAMES, Covariate
from sudeck.prediction.ratios import INDEPENDENT_RATIOS
from sudeck.prediction.response_model import ResponseModel
from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.measurement_error import PredictorDistribution
from sudeck.statistics.regression.logistic import expit

FORMAT: Final = "sudeck response model"
FORMAT_VERSION: Final = 1
_DAMAGE: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
_NO_DISCRIMINATION: Final = 0.5
_SHOWN: Final = {
    "c_statistic": "C statistic",
    "slope": "calibration slope",
    "observed_over_expected": "observed over expected responders",
}


@dataclass(frozen=True, slots=True)
class ModelOrigin(Record):
    """Where a model comes from, and how far it was tried.

    Attributes
    ----------
    study : str
        Name of the study it was fitted to; empty where the file does not say.
    fitted_on : str
        Day, as ISO 8601; empty where the file does not say.
    software : str
    n, events : int
        Patients and responders it was fitted to.
    patients_needed : int or None
        By Riley's criteria for a model like this.
    c_statistic : tuple of float, or None
        Expected in new patients of the same study, with its interval.
    elsewhere : mapping or None
        Its performance in another study.
    """

    study: str
    fitted_on: str
    software: str
    n: int
    events: int
    patients_needed: int | None
    c_statistic: tuple[float, float, float] | None
    elsewhere: Mapping[str, Any] | None

    @classmethod
    def of(
        cls,
        model: ResponseModel,
        *,
        study: str = "",
        software: str = "",
        audit: Mapping[str, Any] | None = None,
    ) -> ModelOrigin:
        """Return the origin of a model, from what was stored with it."""
        stored = audit or {}
        c = (stored.get("validation") or {}).get("c_statistic")
        return cls(
            str(stored.get("study", study)),
            str(stored.get("fitted_on", "")),
            software or SOFTWARE,
            model.n,
            model.events,
            stored.get("patients_needed"),
            None if c is None else (c["corrected"], c["low"], c["high"]),
            stored.get("external_validation"),
        )

    @property
    def supported(self) -> bool:
        """Whether it told responders from others among patients of another study."""
        return self.elsewhere is not None and self.elsewhere["c_statistic"]["low"] > _NO_DISCRIMINATION

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return Record.to_dict(self) | {"supported": self.supported}

    def sentences(self) -> list[str]:
        """Return where the model comes from, and what that is worth, a sentence each."""
        day = f" on {self.fitted_on}" if self.fitted_on else ""
        says = [
            f"Model of {self.study or 'a study that is not named'}, fitted{day} by {self.software} to "
            f"{self.n} patients, {self.events} of them responders."
        ]
        if self.patients_needed is not None:
            says.append(f"Riley's criteria ask for {self.patients_needed} patients for a model like it.")
        if self.c_statistic is not None and all(value is not None for value in self.c_statistic):
            c, low, high = self.c_statistic
            says.append(f"C statistic in more patients from there: {c:.2f} ({low:.2f} to {high:.2f}).")
        if self.elsewhere is None:
            says.append("Not supported for decisions: it was not validated in patients of another study.")
        else:
            parts = [
                f"{label} {self.elsewhere[name]['value']:.2f} "
                f"({self.elsewhere[name]['low']:.2f} to {self.elsewhere[name]['high']:.2f})"
                for name, label in _SHOWN.items()
                if name in self.elsewhere
            ]
            says.append(
                f"In {self.elsewhere['n']} patients of {self.elsewhere['study']}: {', '.join(parts)}."
            )
            if not self.supported:
                says.append("Not supported for decisions: there it is not shown to tell responders apart.")
        return says


def read_saved_model(path: Path) -> tuple[ResponseModel, ModelOrigin]:
    """Read a model and where it comes from.

    Raises
    ------
    InputError
        If there is no such file, or it is no saved model that can be trusted.
    """
    if not path.exists():
        raise InputError(path.name, "there is no such file", "give a model.json that sudeck predict wrote")
    try:
        text = read_limited(path, subject=path.name).decode("utf-8")
    except (InputError, ValueError):
        raise InputError(
            path.name, "it can not be read", "give a model.json that sudeck predict wrote"
        ) from None
    model = model_from_json(text, label=path.name)
    data = json.loads(text)
    audit = data.get("audit")
    try:
        origin = ModelOrigin.of(
            model, software=str(data.get("software", "")), audit=audit if isinstance(audit, dict) else None
        )
        origin.sentences()  # what can not be said is damaged
    except _DAMAGE as fault:
        raise InputError(path.name, f"its audit is incomplete or damaged: {fault}", "save it again") from None
    return model, origin


def model_to_json(model: ResponseModel, *, audit: Mapping[str, Any] | None = None) -> str:
    """Return a model as JSON text.

    Parameters
    ----------
    model : ResponseModel
    audit : mapping, optional
        What else belongs to it: its validation, its provenance, the responder rule. Stored as it is, and not
        needed to predict.
    """
    distribution = model.distribution
    return to_json(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "software": SOFTWARE,
            "outcome": model.outcome_name,
            "how_to_predict": _recipe(model),
            "plan": model.plan.to_dict(),
            "coefficients": [
                {
                    "name": coefficient.name,
                    "value": coefficient.value,
                    "low": _bound(coefficient.low),
                    "high": _bound(coefficient.high),
                    "se": coefficient.se,
                    "p": p,
                    "unit": coefficient.unit,
                    "method": coefficient.method,
                }
                for coefficient, p in zip(model.coefficients, model.p_values, strict=True)
            ],
            "covariance": model.covariance.tolist(),
            "stretch": model.stretch,
            "shift": model.shift,
            "predictors": {
                "names": list(model.names),
                "ratios": list(INDEPENDENT_RATIOS),
                "mean": distribution.mean.tolist(),
                "true_covariance": distribution.covariance.tolist(),
                "observed_covariance": distribution.observed_covariance.tolist(),
                "mean_error": model.mean_error.tolist(),
                "reliability": dict(model.reliability),
                "ranges": {name: list(limits) for name, limits in model.ranges.items()},
            },
            "ratios_p": model.ratios_p,
            "residual_sd": model.residual_sd,
            "r_squared": model.r_squared,
            "n": model.n,
            "events": model.events,
            "left_out": model.left_out,
            "imputed": model.imputed,
            "flags": [flag.to_dict() for flag in model.flags],
            "worked_example": _worked_example(model),
            "audit": dict(audit or {}),
        }
    )


def model_from_json(text: str, *, label: str = "the saved model") -> ResponseModel:
    """Read a model back from its JSON text.

    Parameters
    ----------
    text : str
    label : str
        How errors name it, e.g. the name of its file.

    Raises
    ------
    InputError
        If the text is no saved model, of another format version, incomplete, or no longer gives the
        prediction of its worked example.
    """
    try:
        data = parse_json(text, subject=label)
    except InputError:
        raise InputError(label, "it is not JSON", "choose a model saved by Sudeck") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(label, "it is not a saved response model", "choose a model saved by Sudeck")
    if data.get("format_version") != FORMAT_VERSION:
        raise InputError(
            label,
            f"its format version is {data.get('format_version')}, not {FORMAT_VERSION}",
            "save it again",
        )
    try:
        model = _model(data)
        example, written = _worked_example(model), data["worked_example"]
        same = all(
            math.isclose(float(written[key]), example[key], rel_tol=1e-9, abs_tol=1e-12)
            for key in ("linear_predictor", "prediction")
        )
    except _DAMAGE as fault:
        raise InputError(label, f"it is incomplete or damaged ({fault})", "save it again") from None
    if not same:
        raise InputError(label, "it does not give the prediction of its worked example", "save it again")
    return model


def _recipe(model: ResponseModel) -> str:
    scale = (
        "the sum is the expected relief"
        if model.plan.likelihood == "linear"
        else "probability = 1 / (1 + exp(-sum))"
    )
    return (
        "Predictors are the natural logarithms of BPr/TPr and TPr/VPr, then the covariates of the plan. "
        "Replace what was measured by its expectation given the patient's measurement error (mean, "
        "true_covariance). Sum intercept and coefficient times predictor, divide by stretch, add shift; "
        f"{scale}."
    )


def _worked_example(model: ResponseModel) -> dict[str, Any]:
    """Predict a patient measured one standard deviation above the mean in everything, with the mean error."""
    sd = np.sqrt(np.diag(model.distribution.observed_covariance))
    measured = model.distribution.mean + sd
    linear = float(model.as_stack().linear_predictor(measured[None], model.mean_error[None])[0])
    prediction = linear if model.plan.likelihood == "linear" else float(expit(np.array(linear)))
    return {
        "measured_predictors": dict(zip(model.names, measured.tolist(), strict=True)),
        "measurement_error": "mean_error",
        "linear_predictor": linear,
        "prediction": prediction,
    }


def _model(data: Mapping[str, Any]) -> ResponseModel:
    plan = data["plan"]
    covariates = tuple(
        Covariate(str(entry["column"]), entry["transform"], tuple(map(str, entry["levels"])))
        for entry in plan["covariates"]
    )
    predictors = data["predictors"]
    declared = [*RATIO_NAMES, *(name for covariate in covariates for name in covariate.names)]
    if list(predictors["names"]) != declared or set(predictors["ranges"]) != set(declared):
        raise ValueError("the predictors are not those of the plan")
    if plan["likelihood"] not in get_args(Likelihood) or not 0 < float(plan["level"]) < 1:
        raise ValueError("the plan can not be followed")
    k = len(declared)
    level = float(plan["level"])
    coefficients = tuple(
        Estimate(
            str(entry["name"]),
            float(entry["value"]),
            -math.inf if entry["low"] is None else float(entry["low"]),
            math.inf if entry["high"] is None else float(entry["high"]),
            level=level,
            unit=str(entry["unit"]),
            method=str(entry["method"]),
            n=int(data["n"]),
            n_unit="patients",
            se=float(entry["se"]),
        )
        for entry in data["coefficients"]
    )
    if tuple(coefficient.name for coefficient in coefficients) != ("intercept", *predictors["names"]):
        raise ValueError("the coefficients are not those of the predictors")
    return ResponseModel(
        ModelPlan(**{**plan, "covariates": covariates}),
        str(data["outcome"]),
        coefficients,
        tuple(float(entry["p"]) for entry in data["coefficients"]),
        _matrix(data["covariance"], k + 1),
        float(data["stretch"]),
        float(data["shift"]),
        PredictorDistribution(
            np.array([float(value) for value in predictors["mean"]]),
            _matrix(predictors["true_covariance"], k),
            _matrix(predictors["observed_covariance"], k),
        ),
        _matrix(predictors["mean_error"], k),
        {str(name): float(value) for name, value in predictors["reliability"].items()},
        float(data["ratios_p"]),
        _optional(data["residual_sd"]),
        _optional(data["r_squared"]),
        {name: (float(low), float(high)) for name, (low, high) in predictors["ranges"].items()},
        int(data["n"]),
        int(data["events"]),
        int(data["left_out"]),
        int(data["imputed"]),
        tuple(Flag(**flag) for flag in data["flags"]),
    )


def _matrix(rows: Any, k: int) -> FloatArray:
    matrix = np.array(rows, dtype=np.float64)
    if matrix.shape != (k, k) or not np.isfinite(matrix).all():
        raise ValueError(f"a matrix of {k} by {k} numbers is needed")
    return matrix


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)


def _bound(value: float) -> float | None:
    return value if math.isfinite(value) else None
