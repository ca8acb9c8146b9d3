"""The exact fit to all centres together, in rounds: a question goes out, sums come back, no patient moves.

A question holds coefficients; each centre answers with the sums of `sudeck.statistics.regression.distributed`
at them. Patients with all predictors take part, ratios as measured. A centre with fewer than five responders
or others, or with fewer than five in a cell of a category, takes no part: its sums would tell the count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import normal_quantile
from sudeck.core.record import Record
from sudeck.core.storage import parse_json, read_limited, write_json
from sudeck.prediction.cohort_prediction import usable_covariates
from sudeck.prediction.model_data import ModelData, model_data, plan_model
from sudeck.prediction.predictors import RATIO_NAMES
from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.regression.distributed import (
    CentreSums,
    JointStep,
    centre_sums,
    effective_patients,
    joint_step,
)
from sudeck.study.answers.cohort_table import assemble_cohort
from sudeck.study.answers.elsewhere.centres import LEAST_COUNT, LEAST_PATIENTS, read_summaries
from sudeck.study.folder.layout import open_study

QUESTION: Final = "sudeck joint question"
ANSWER: Final = "sudeck joint answer"
_DONE: Final = 1e-9  # of a step; the next would not show in any digit printed
_DAMAGE: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
_COEFFICIENTS: Final = ("intercepts", "slopes")
_LARGEST: Final = 1e3  # of a coefficient, in log odds: beyond is no answer to any question
_LARGEST_SUM: Final = 1e12
_ROUNDS: Final = 40  # each tells a little more of the patients: there is an end


@dataclass(frozen=True)
class RoundQuestion(Record):
    """What all centres are asked in one round.

    Attributes
    ----------
    format : str
    round : int
    responder_rule : str
    covariates : tuple of str
        Beside the two log ratios.
    intercepts : Mapping of str to float
        By centre.
    slopes : Mapping of str to float
        By predictor.
    """

    format: str
    round: int
    responder_rule: str
    covariates: tuple[str, ...]
    intercepts: Mapping[str, float]
    slopes: Mapping[str, float]

    def __str__(self) -> str:
        return f"round {self.round}: {', '.join(self.intercepts)} are asked for their sums"


@dataclass(frozen=True)
class CentresModel(Record):
    """The model of all centres together.

    Attributes
    ----------
    slopes : tuple of Estimate
        Common log odds ratios, Wald intervals.
    intercepts : Mapping of str to float
        By centre.
    patients, rounds : int
    """

    slopes: tuple[Estimate, ...]
    intercepts: Mapping[str, float]
    patients: int
    rounds: int

    def __str__(self) -> str:
        head = (
            f"One model of {self.patients} patients in {len(self.intercepts)} centres, {self.rounds} rounds"
        )
        own = ", ".join(f"{centre} {value:.3f}" for centre, value in self.intercepts.items())
        return "\n".join([f"{head}:", *(f"  {one}" for one in self.slopes), f"  intercepts: {own}"])


def first_question(summaries: Sequence[Path]) -> RoundQuestion:
    """Return the first question, from the summaries of the centres that may take part.

    Raises
    ------
    InputError
        If fewer than two centres have five responders and five others, or their responders are not the same.
    """
    given = [one for one in read_summaries(summaries) if one["responders"] is not None]
    if len(given) < 2:
        problem = f"{len(given)} summaries hold counts of {LEAST_COUNT} or more"
        raise InputError("the centres", problem, "give those of two centres or more")
    common = [name for name in given[0]["covariates"] if all(name in one["covariates"] for one in given)]
    intercepts = {str(one["centre"]): 0.0 for one in given}
    return RoundQuestion(
        QUESTION,
        1,
        str(given[0]["responder_rule"]),
        tuple(common),
        intercepts,
        dict.fromkeys(RATIO_NAMES, 0.0),
    )


def answer_question(root: Path, question_file: Path, path: Path) -> dict[str, Any]:
    """Write the sums of a study at the coefficients of a question.

    Parameters
    ----------
    root : Path
        The study.
    question_file : Path
    path : Path
        Where to.

    Raises
    ------
    InputError
        If the question does not fit the study, or its answer would tell of fewer than five patients.
    """
    question = read_question(question_file)
    cohort = assemble_cohort(open_study(root))
    here, asked = str(cohort.settings.responder), question.responder_rule
    if here != asked:
        said = f"a responder here is {here}, the question asks of {asked}"
        raise InputError(cohort.name, said, "agree on one rule")
    if cohort.name not in question.intercepts:
        raise InputError(cohort.name, "the question does not name this centre", "share its summary first")
    refused: dict[str, str] = {}
    usable = usable_covariates(cohort.patients, question.covariates, refused)
    if missing := [name for name in question.covariates if name not in usable]:
        raise InputError(
            cohort.name, f"covariate {missing[0]} is of no use here", "ask without it, in all centres"
        )
    plan = plan_model(cohort.patients, usable, correct_error=False)
    design, outcome, names = _design(model_data(cohort.patients, plan))
    _refuse_few(cohort.name, design, outcome, names)
    slopes = question.slopes if question.round > 1 else dict.fromkeys(names, 0.0)
    if set(slopes) != set(names):
        said = f"its predictors are {', '.join(names)}, the question asks of {', '.join(slopes)}"
        raise InputError(cohort.name, said, "declare the same covariates with the same levels")
    beta = np.array([question.intercepts[cohort.name], *(slopes[name] for name in names)])
    if effective_patients(design, beta) < LEAST_COUNT:
        raise InputError(
            cohort.name,
            "at these coefficients the sums rest on fewer than five patients",
            "ask from other coefficients",
        )
    content = {
        "format": ANSWER,
        "round": question.round,
        "centre": cohort.name,
        "names": list(names),
        "patients": len(outcome),
        **centre_sums(design, outcome, beta).to_dict(),
    }
    write_json(path, content)
    return content


def next_round(
    question: RoundQuestion, answers: Sequence[Path], *, level: float = 0.95
) -> RoundQuestion | CentresModel:
    """Return the next question, or the fit once another round would change nothing.

    Raises
    ------
    InputError
        If a centre did not answer this question, its predictors are not those of the others, or the rounds
        come to no end.
    """
    given = {}
    for path in answers:
        content = _content(path, ANSWER, "an answer that sudeck share wrote")
        if not isinstance(content["names"], list) or not all(
            isinstance(one, str) for one in content["names"]
        ):
            raise InputError(path.name, "it is damaged", "give it as sudeck share wrote it")
        if content["round"] != question.round:
            said = f"it answers round {content['round']}, this is round {question.round}"
            raise InputError(path.name, said, "answer the latest question")
        given[str(content["centre"])] = content
    if lacking := [centre for centre in question.intercepts if centre not in given]:
        raise InputError(
            "the joint fit", f"{', '.join(lacking)} did not answer", "give every answer of this round"
        )
    ordered = [given[centre] for centre in question.intercepts]
    names = list(ordered[0]["names"])
    if any(list(one["names"]) != names for one in ordered):
        raise InputError("the joint fit", "the centres have unlike predictors", "declare the same covariates")
    slopes = np.array([question.slopes.get(name, 0.0) for name in names])
    sums = [_sums(one, len(names) + 1) for one in ordered]
    step = joint_step(sums, np.array(list(question.intercepts.values())), slopes)
    intercepts = dict(zip(question.intercepts, step.intercepts.tolist(), strict=True))
    if step.largest < _DONE:
        estimates = _estimates(names, step, level)
        return CentresModel(
            estimates, intercepts, sum(int(one["patients"]) for one in ordered), question.round
        )
    if question.round >= _ROUNDS:
        raise InputError("the joint fit", f"{_ROUNDS} rounds come to no end", "share fewer covariates")
    moved = dict(zip(names, step.slopes.tolist(), strict=True))
    return RoundQuestion(
        QUESTION, question.round + 1, question.responder_rule, question.covariates, intercepts, moved
    )


def read_question(path: Path) -> RoundQuestion:
    """Read a question.

    Raises
    ------
    InputError
        If the file is none.
    """
    content = _content(path, QUESTION, "a question that sudeck pool wrote")
    try:
        return RoundQuestion(
            QUESTION,
            int(content["round"]),
            str(content["responder_rule"]),
            tuple(map(str, content["covariates"])),
            *({name: _log_odds(value) for name, value in content[part].items()} for part in _COEFFICIENTS),
        )
    except _DAMAGE:
        raise InputError(path.name, "it is damaged", "give it as sudeck pool wrote it") from None


def _log_odds(value: Any) -> float:
    if not abs(float(value)) <= _LARGEST:
        raise ValueError("no coefficient is as large")
    return float(value)


def _sums(answer: Mapping[str, Any], k: int) -> CentreSums:
    """Return the sums of an answer about k coefficients."""
    try:
        parts = [np.array(answer[name], dtype=float) for name in ("score", "information", "third")]
        if [part.shape for part in parts] != [(k,), (k, k), (k, k, k)]:
            raise ValueError("these are sums of other coefficients")
        if not np.allclose(parts[1], parts[1].T, rtol=1e-9):
            raise ValueError("no information is like that")
        if not all(np.abs(part).max() < _LARGEST_SUM for part in parts) or int(answer["patients"]) < 1:
            raise ValueError("no sums are as large")
        return CentreSums(*parts)
    except _DAMAGE:
        raise InputError(
            f"the answer of {answer['centre']}", "it is damaged", "give it as sudeck share wrote it"
        ) from None


def _content(path: Path, form: str, what: str) -> dict[str, Any]:
    needed = {QUESTION: set(RoundQuestion.__dataclass_fields__)}.get(
        form, {"format", "round", "centre", "names", "patients", "score", "information", "third"}
    )
    content = parse_json(read_limited(path, subject=path.name), subject=path.name)
    if not isinstance(content, dict) or content.get("format") != form or set(content) != needed:
        raise InputError(path.name, f"it is not {what}", "give such a file")
    return content


def _design(data: ModelData) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    values = data.predictors.values
    complete = np.isfinite(values).all(axis=1)
    design = np.column_stack([np.ones(int(complete.sum())), values[complete]])
    return design, data.outcome[complete], data.predictors.names


def _refuse_few(centre: str, design: FloatArray, outcome: FloatArray, names: Sequence[str]) -> None:
    """Refuse sums from which a count under five could be told."""
    if len(outcome) < LEAST_PATIENTS:
        problem = f"{len(outcome)} patients have every predictor and an outcome"
        raise InputError(centre, problem, f"sums need at least {LEAST_PATIENTS}")
    events = int(outcome.sum())
    if min(events, len(outcome) - events) < LEAST_COUNT:
        problem = f"fewer than {LEAST_COUNT} responders or others have every predictor"
        raise InputError(centre, problem, "this centre can not take part")
    for name, column in zip(names, design.T[1:], strict=True):
        if not set(column.tolist()) <= {0.0, 1.0}:
            continue
        cells = [int(((column == a) & (outcome == b)).sum()) for a in (0, 1) for b in (0, 1)]
        if min(cells) < LEAST_COUNT:
            problem = f"fewer than {LEAST_COUNT} patients stand in a cell of {name} by response"
            raise InputError(centre, problem, "ask without that covariate, in all centres")


def _estimates(names: Sequence[str], step: JointStep, level: float) -> tuple[Estimate, ...]:
    rows = zip(names, step.slopes.tolist(), step.slope_errors.tolist(), strict=True)
    return tuple(
        Estimate.from_normal(
            name,
            value,
            se,
            level=level,
            quantile=normal_quantile(level),
            method="Firth's logistic regression, an intercept a centre",
        )
        for name, value, se in rows
    )
