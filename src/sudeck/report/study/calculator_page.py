"""One patient, offline: a page that works out what `sudeck calculate` says, without a network."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.provenance import __version__
from sudeck.core.published import PUBLISHED_RATIOS
from sudeck.core.quantile import normal_quantile
from sudeck.prediction.response_model import ResponseModel
from sudeck.prediction.saved_model import ModelOrigin
from sudeck.report.kit.page import environment, report_css

CALCULATOR_FILE: Final = "calculator.html"
_LABELS: Final = {"duration_months": "Months since CRPS began", "limb": "Limb"}


def calculator_page(model: ResponseModel, origin: ModelOrigin) -> str:
    """Render the page of a model of response.

    Parameters
    ----------
    model : ResponseModel
    origin : ModelOrigin
        Printed on the page, and whether the model was tried elsewhere.

    Raises
    ------
    InputError
        If the model is of relief.
    """
    if model.plan.likelihood == "linear":
        raise InputError("the calculator", "the model is of relief", "give a model of response")
    from markupsafe import Markup

    covariates = [
        {
            "column": one.column,
            "transform": one.transform,
            "levels": list(one.levels),
            "label": _LABELS.get(one.column, one.column.replace("_", " ").capitalize()),
        }
        for one in model.plan.covariates
    ]
    # A closing tag inside the numbers would end the script; names come from column headings of a study.
    numbers = json.dumps(_numbers(model, covariates)).replace("<", "\\u003c")
    page = environment().get_template("calculator.html.j2")
    return page.render(
        css=report_css(),
        numbers=Markup(numbers),
        covariates=covariates,
        sentences=origin.sentences(),
        level=f"{100 * model.plan.level:g} %",
        version=__version__,
    )


def _numbers(model: ResponseModel, covariates: list[dict[str, Any]]) -> dict[str, Any]:
    error = model.mean_error if model.plan.correct_error else np.zeros_like(model.mean_error)
    return {
        "names": list(model.names),
        "mean": model.distribution.mean.tolist(),
        "covariance": model.distribution.covariance.tolist(),
        "error": error.tolist(),
        "coefficients": (model.values / model.stretch).tolist(),
        "coefficient_covariance": (model.covariance / model.stretch**2).tolist(),
        "shift": model.shift,
        "z": normal_quantile(model.plan.level),
        "ranges": [list(model.ranges[name]) for name in model.names],
        "covariates": covariates,
        "cutoffs": {name: ratio.cutoff for name, ratio in PUBLISHED_RATIOS.items()},
    }
