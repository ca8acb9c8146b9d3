"""Several centres together without moving a patient: a small summary leaves each, and summaries are pooled.

First stage: each centre's own honest model and its correlations, with their standard errors. Second stage:
random effects. A summary holds no row of any patient, and no count from which fewer than five could be told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.provenance import SOFTWARE
from sudeck.core.record import Record
from sudeck.core.storage import parse_json, read_limited, write_json
from sudeck.prediction.cohort_prediction import fit_cohort_model, usable_covariates
from sudeck.prediction.published.relief_correlation import published_analysis
from sudeck.statistics.clinical.random_effects import Pooled, pool_estimates
from sudeck.study.answers.cohort_table import assemble_cohort
from sudeck.study.folder.layout import open_study

FORMAT: Final = "sudeck centre summary"
SUMMARY_FILE: Final = "centre_summary.json"
LEAST_COUNT: Final = 5
LEAST_PATIENTS: Final = 10


@dataclass(frozen=True)
class CentreSummary(Record):
    """What a centre shares.

    Attributes
    ----------
    format : str
    software : str
    centre : str
        Its name, as the study has it.
    responder_rule : str
    covariates : tuple of str
        That the model holds beside the two log ratios.
    n : int
        Patients with a scan and an outcome.
    responders : int or None
        None where responders or others are fewer than five.
    coefficients : Mapping of str to Mapping
        ``value`` and ``se`` of each coefficient of the model: log odds ratios.
    correlations : Mapping of str to Mapping
        Of relief with each log ratio: ``z``, Fisher's transform, ``se`` and ``n``.
    suppressed : tuple of str
        What was held back, and why.
    """

    format: str
    software: str
    centre: str
    responder_rule: str
    covariates: tuple[str, ...]
    n: int
    responders: int | None
    coefficients: Mapping[str, Mapping[str, float]]
    correlations: Mapping[str, Mapping[str, float]]
    suppressed: tuple[str, ...]

    def __str__(self) -> str:
        some = f"fewer than {LEAST_COUNT}, or all but so few" if self.responders is None else self.responders
        lines = [f"{self.centre}: {self.n} patients, responders: {some}"]
        lines += [
            f"  {name} {one['value']:.3g} (SE {one['se']:.2g})" for name, one in self.coefficients.items()
        ]
        return "\n".join([*lines, *(f"  held back: {what}" for what in self.suppressed)])


def share_study(root: Path, *, path: Path | None = None) -> tuple[CentreSummary, Path]:
    """Write the summary of a study that may leave the centre.

    Parameters
    ----------
    root : Path
    path : Path, optional
        Where to; centre_summary.json in the derivatives of the study unless given.

    Raises
    ------
    InputError
        If fewer than ten patients have a scan and an outcome.
    """
    study = open_study(root)
    cohort = assemble_cohort(study)
    flow, settings = cohort.flow, cohort.settings
    if flow.analysed < LEAST_PATIENTS:
        problem = f"{flow.analysed} patients have a scan and an outcome"
        raise InputError(cohort.name, problem, f"a summary needs at least {LEAST_PATIENTS}")
    suppressed = []
    covariates = usable_covariates(cohort.patients, settings.covariates)
    coefficients: dict[str, dict[str, float]] = {}
    few = min(flow.responders, flow.analysed - flow.responders) < LEAST_COUNT
    if few:
        # An intercept and its error would tell the count.
        suppressed.append(f"responders and the model: fewer than {LEAST_COUNT} responders or others")
    else:
        try:
            model = fit_cohort_model(cohort.patients, covariates, level=settings.level, name=cohort.name)
            coefficients = {
                one.name: {"value": one.value, "se": float(one.se)}
                for one in model.coefficients
                if one.se is not None
            }
        except InputError as error:
            suppressed.append(f"the model: {error}")
    correlations: dict[str, dict[str, float]] = {}
    try:
        for name, measure in published_analysis(cohort.patients, level=settings.level).measures.items():
            r, n = measure.pearson.r.value, measure.pearson.r.n
            if n is not None and n >= LEAST_PATIENTS and abs(r) < 1:
                correlations[name] = {"z": math.atanh(r), "se": 1 / math.sqrt(n - 3), "n": n}
    except InputError as error:
        suppressed.append(f"the correlations: {error}")
    summary = CentreSummary(
        FORMAT,
        SOFTWARE,
        cohort.name,
        str(settings.responder),
        covariates,
        flow.analysed,
        None if few else flow.responders,
        coefficients,
        correlations,
        tuple(suppressed),
    )
    place = path or study.derivatives / SUMMARY_FILE
    write_json(place, summary.to_dict())
    return summary, place


@dataclass(frozen=True)
class PooledCentres(Record):
    """What several centres say together.

    Attributes
    ----------
    centres : tuple of str
    patients : int
    coefficients : Mapping of str to Pooled
        Of the models: log odds ratios.
    correlations : Mapping of str to Pooled
        Of relief with each ratio, as r.
    remarks : tuple of str
    """

    centres: tuple[str, ...]
    patients: int
    coefficients: Mapping[str, Pooled]
    correlations: Mapping[str, Pooled]
    remarks: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{len(self.centres)} centres, {self.patients} patients: {', '.join(self.centres)}"]
        for title, parts in (("Models (log odds)", self.coefficients), ("Relief", self.correlations)):
            if parts:
                lines += [f"{title}:", *(f"  {pooled}" for pooled in parts.values())]
        return "\n".join([*lines, *self.remarks])


def pool_centres(paths: Sequence[Path], *, level: float = 0.95) -> PooledCentres:
    """Pool the summaries of several centres.

    Parameters
    ----------
    paths : sequence of Path
        Files that `share_study` wrote.

    Raises
    ------
    InputError
        If fewer than two are given, one is no summary or there twice, or their responders are not the same.
    """
    summaries = read_summaries(paths)
    try:
        return _pool(summaries, level)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
        # Which it is, nobody needs: what is damaged was changed since it was shared.
        raise InputError("the centres", "a summary is damaged", "share it again with sudeck share") from None


def _pool(summaries: Sequence[Mapping[str, Any]], level: float) -> PooledCentres:
    names = [str(summary["centre"]) for summary in summaries]
    remarks = []
    if len({tuple(summary["covariates"]) for summary in summaries}) > 1:
        remarks.append(
            "The models hold different covariates, so their coefficients are not quite of the same thing."
        )
    for summary in summaries:
        remarks += [f"{summary['centre']} held back {what}." for what in summary["suppressed"]]
    return PooledCentres(
        tuple(names),
        sum(int(summary["n"]) for summary in summaries),
        _pooled([summary["coefficients"] for summary in summaries], "value", level),
        {
            f"r with {name}": _as_correlation(pooled)
            for name, pooled in _pooled([one["correlations"] for one in summaries], "z", level).items()
        },
        tuple(remarks),
    )


def read_summaries(paths: Sequence[Path]) -> list[Mapping[str, Any]]:
    """Read the summaries of centres that may be taken together.

    Raises
    ------
    InputError
        If fewer than two are given, one is no summary or there twice, or their responders are not the same.
    """
    summaries = [_read(path) for path in paths]
    names = [str(summary["centre"]) for summary in summaries]
    if len(summaries) < 2:
        raise InputError("the centres", f"{len(summaries)} summary is given", "give two or more")
    for path, name in zip(paths, names, strict=True):
        if names.count(name) > 1:
            raise InputError(path.name, f"{name} is there twice", "give each centre once, under its own name")
    rules = {str(summary["responder_rule"]) for summary in summaries}
    if len(rules) > 1:
        raise InputError(
            "the centres",
            f"they call a responder: {'; '.join(sorted(rules))}",
            "agree on one rule and share again",
        )
    return summaries


def _pooled(parts: Sequence[Mapping[str, Mapping[str, float]]], key: str, level: float) -> dict[str, Pooled]:
    """Pool every number that two centres or more share."""
    names = dict.fromkeys(name for part in parts for name in part)
    found = {}
    for name in names:
        having = [part[name] for part in parts if name in part]
        if len(having) > 1:
            values, errors = ([float(one[field]) for one in having] for field in (key, "se"))
            found[name] = pool_estimates(name, values, errors, level=level)
    return found


def _as_correlation(pooled: Pooled) -> Pooled:
    """Bring a pooled Fisher's z back to r."""
    from dataclasses import replace

    def back(z: float | None) -> float | None:
        return None if z is None else float(np.tanh(z))

    mean = pooled.mean
    r = replace(
        mean,
        name=f"r with {mean.name}",
        value=math.tanh(mean.value),
        low=math.tanh(mean.low),
        high=math.tanh(mean.high),
        se=None,
        method=f"{mean.method}, of Fisher's z",
    )
    return replace(
        pooled,
        mean=r,
        prediction_low=back(pooled.prediction_low),
        prediction_high=back(pooled.prediction_high),
    )


def _read(path: Path) -> Mapping[str, Any]:
    content = parse_json(read_limited(path, subject=path.name), subject=path.name)
    needed = set(CentreSummary.__dataclass_fields__)
    if not isinstance(content, dict) or content.get("format") != FORMAT or not needed <= set(content):
        raise InputError(path.name, "it is no summary of a centre", "give a file that sudeck share wrote")
    return content
