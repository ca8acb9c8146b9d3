"""The calculator beside a patient: what the published rule and the study's own model make of three ratios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sudeck.app.asked import answered, bench_of, content_of, patient_of
from sudeck.app.workbench import Patient, Workbench
from sudeck.core.errors import InputError
from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.prediction import ModelOrigin, ResponseModel, calculate, read_saved_model
from sudeck.study.answers.who_responds import MODEL_FILE

RATIOS: Final = tuple(PHASE_RATIOS.values())
_LABELS: Final = {"duration_months": "Months since CRPS began", "limb": "Limb"}


@dataclass(frozen=True, slots=True)
class CardField:
    """One thing that the calculator asks for.

    Attributes
    ----------
    name, label : str
    value : str
        As known of the patient; empty where it is not.
    levels : tuple of str
        What may be chosen; empty for a number.
    """

    name: str
    label: str
    value: str
    levels: tuple[str, ...] = ()


def calculator_fields(bench: Workbench, patient: Patient, record: Mapping[str, Any]) -> tuple[CardField, ...]:
    """Return what to fill in, filled with what is known of a patient; nothing for a blinded reader.

    Parameters
    ----------
    bench : Workbench
    patient : Patient
    record : mapping
        What the last run measured.
    """
    if bench.study.reader:
        return ()
    scans = record.get("scans", {})
    estimates = scans.get(bench.settings.scan_session, next(iter(scans.values()), {})).get("estimates", {})
    fields = [
        CardField(name, name, f"{estimates[name]['value']:.3f}" if name in estimates else "")
        for name in RATIOS
    ]
    model = _model(bench)
    for one in model[0].plan.covariates if model else ():
        known = patient.row.get(one.column)
        label = _LABELS.get(one.column, one.column.replace("_", " ").capitalize())
        fields.append(CardField(one.column, label, "" if known is None else str(known), tuple(one.levels)))
    return tuple(fields)


def _model(bench: Workbench) -> tuple[ResponseModel, ModelOrigin] | None:
    """Return the model that `sudeck predict` fitted to the study last; None where there is none to use."""
    path = bench.study.derivatives / MODEL_FILE
    if not path.is_file():
        return None
    try:
        found = read_saved_model(path)
    except InputError:
        return None  # of another version: the next predict writes it anew
    return None if found[0].plan.likelihood == "linear" else found


async def work_out(request: Request) -> Response:
    """Return what the published rule and the model say of the numbers a page sends."""
    return await run_in_threadpool(_work_out, request, await content_of(request))


def _work_out(request: Request, content: dict[str, Any]) -> Response:
    bench = bench_of(request)
    patient_of(request)
    given = {name: str(value).strip() for name, value in content.items()}
    ratios = {name: _number(name, given[name]) for name in RATIOS if given.get(name)}
    model = _model(bench)
    covariates: dict[str, float | str] = {}
    for one in model[0].plan.covariates if model else ():
        text = given.get(one.column, "")
        if text:
            covariates[one.column] = text if one.levels else _number(one.column, text)
    found = calculate(ratios, covariates, model=model)
    rule = {
        name: {"value": value, "above": found.verdict.exceeded[name]}
        for name, value in found.verdict.values.items()
    }
    chance = None if found.prediction is None else found.prediction.prediction
    return answered(
        {
            "rule": rule,
            "met": found.verdict.criteria_met,
            "probability": None if chance is None else chance.to_dict(),
            "flags": [] if found.prediction is None else [flag.message for flag in found.prediction.flags],
            "origin": list(found.origin.sentences()) if found.origin else [],
        }
    )


def _number(name: str, text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise InputError(name, "it is no number", "type it as 1.25") from None
