"""The tables of a study's report, as text ready to be printed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.estimate import Estimate
from sudeck.core.published import PUBLISHED_RATIOS
from sudeck.prediction.bootstrap import NO_INTERVAL
from sudeck.report.kit.interval_bars import IntervalAxis
from sudeck.report.kit.text import interval_text, number, p_text, percent, value_text
from sudeck.study.answers.cohort_table import is_analysed

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.prediction.response_model import ResponseModel
    from sudeck.study.answers.cohort_table import StudyCohort
    from sudeck.study.answers.study_prediction import StudyPrediction

Rows = list[dict[str, Any]]

_NUMBERS: Final = {
    "age": "Age, years",
    "duration_months": "Duration of CRPS, months",
    "baseline_nrs": "Pain before treatment, 0 to 10",
    "ketamine_mg_per_kg": "Ketamine into a vein, mg/kg of base",
    "ketamine_auc": "Its area under the curve, mg h/L",
    "relief_percent": "Relief, % of baseline",
    "VPr": "VPr",
    "TPr": "TPr",
    "BPr": "BPr",
    "TPr/VPr": "TPr/VPr",
    "BPr/TPr": "BPr/TPr",
    "BPr/VPr": "BPr/VPr",
}
_CHOICES: Final = {
    "sex": ("Women", "F"),
    "limb": ("Hand (others: foot)", "hand"),
    "affected_side": ("Right side affected", "right"),
    "crps_type": ("CRPS type 1", "1"),
}


_GROUPS: Final = {"sex": "Sex", "limb": "Limb", "centre": "Centre"}
_LEVELS: Final = {("sex", "F"): "women", ("sex", "M"): "men", ("sex", "O"): "others"}


@dataclass(frozen=True, slots=True)
class PatientLine:
    """One patient in the table of patients."""

    participant_id: str
    page: str
    recordings: Sequence[tuple[str, str]]
    ratios: tuple[str, str, str]
    met: str
    probability: str
    without: str
    interval: str
    bar: Markup | None
    relief: str
    response: str


def flow_rows(cohort: StudyCohort) -> Rows:
    """Return the steps from all patients to those analysed, with how many were lost at each."""
    flow = cohort.flow
    steps = [
        ("In participants.tsv", flow.enrolled),
        ("With at least one measured phase of the baseline scan", flow.scanned),
        (
            "and with tissue and another phase to compare, and pain at "
            f"{cohort.settings.baseline} and {cohort.settings.responder.visit}",
            flow.analysed,
        ),
    ]
    rows: Rows = []
    for index, (what, n) in enumerate(steps):
        lost = steps[index - 1][1] - n if index else None
        rows.append({"what": what, "n": n, "lost": "" if lost is None else f"−{lost}" if lost else "0"})
    return rows


def characteristics_rows(cohort: StudyCohort) -> Rows:
    """Return table 1: all, and of those analysed responders and others; medians with quartiles, or shares."""
    table = cohort.table.copy()
    for name in PUBLISHED_RATIOS:
        over, under = name.split("/")
        table[name] = table[over] / table[under]
    analysed = is_analysed(table)
    groups = {
        "all": table,
        "responders": table[analysed & (table["responder"] == 1)],
        "others": table[analysed & (table["responder"] == 0)],
    }
    rows: Rows = [
        {"what": "Patients", **{name: str(len(group)) for name, group in groups.items()}, "missing": ""}
    ]
    for column, (title, choice) in _CHOICES.items():
        cells = {}
        for name, group in groups.items():
            known = group[column].dropna()
            share = percent_or_none((known == choice).mean()) if len(known) else "n/a"
            cells[name] = f"{int((known == choice).sum())} ({share})"
        rows.append({"what": title, **cells, "missing": _missing(table[column])})
    for column, title in _NUMBERS.items():
        cells = {name: _median(group[column].to_numpy(dtype=float)) for name, group in groups.items()}
        rows.append({"what": title, **cells, "missing": _missing(table[column])})
    return rows


def percent_or_none(share: float) -> str:
    """Return an observed share in per cent, where none and all are certain."""
    return f"{100 * share:.0f} %" if share in (0.0, 1.0) else percent(share)


def analysis_rows(predicted: StudyPrediction) -> Rows:
    """Return the correlations of relief with the six ratios, beside those printed."""
    if predicted.analysis is None:
        return []
    rows: Rows = []
    for name, one in predicted.analysis.measures.items():
        printed = PUBLISHED_RATIOS.get(name)
        pearson, spearman = one.pearson, one.spearman
        rows.append(
            {
                "name": name,
                "r": number(pearson.r.value, 2),
                "interval": interval_text(pearson.r, 2),
                "p": p_text(pearson.p),
                "n": pearson.n,
                "spearman": f"{number(spearman.r.value, 2)} ({interval_text(spearman.r, 2)})",
                "printed": f"{printed.r}, P = {printed.p}" if printed else "not correlated",
            }
        )
    return rows


def rule_rows(predicted: StudyPrediction) -> Rows:
    """Return what the published cut-offs are worth on this cohort."""
    if predicted.rule is None:
        return []
    rows: Rows = []
    for name, accuracy in predicted.rule.accuracy.items():
        printed = PUBLISHED_RATIOS.get(name)
        rows.append(
            {
                "name": f"{name} > {printed.cutoff:g}" if printed else "all three",
                "sensitivity": share_text(accuracy.sensitivity),
                "specificity": share_text(accuracy.specificity),
                "ppv": share_text(accuracy.positive_predictive_value),
                "npv": share_text(accuracy.negative_predictive_value),
            }
        )
    return rows


def cutoff_rows(predicted: StudyPrediction) -> Rows:
    """Return the best cut-offs of this cohort beside the published, with how much too good they look."""
    if predicted.cutoffs is None:
        return []
    return [
        {
            "name": name,
            "published": f"{PUBLISHED_RATIOS[name].cutoff:g}",
            "best": number(best.cutoff.value, 3),
            "interval": interval_text(best.cutoff, 2),
            "apparent": number(best.youden_apparent, 2),
            "corrected": number(best.youden_corrected, 2),
        }
        for name, best in predicted.cutoffs.cutoffs.items()
    ]


def coefficient_rows(model: ResponseModel) -> Rows:
    """Return the coefficients of a model with their intervals."""
    return [
        {
            "name": coefficient.name,
            "value": value_text(coefficient).removesuffix(coefficient.unit).strip(),
            "interval": interval_text(coefficient),
            "p": p_text(p),
            "reliability": percent(model.reliability[coefficient.name])
            if coefficient.name in model.reliability
            else "",
        }
        for coefficient, p in zip(model.coefficients, model.p_values, strict=True)
    ]


def validation_rows(predicted: StudyPrediction) -> Rows:
    """Return performance as it looks and as it is to be expected."""
    if predicted.validation is None:
        return []
    names = {
        "c_statistic": "C statistic (0.5: chance, 1: perfect)",
        "calibration_slope": "Calibration slope (1: right; below: too extreme)",
        "calibration_intercept": "Calibration intercept (0: right)",
        "brier": "Brier score (0: perfect)",
    }
    return [
        {
            "name": title,
            "apparent": number(one.apparent, 3),
            "corrected": "withheld" if math.isnan(one.corrected) else number(one.corrected, 3),
            "interval": ("none" if one.withheld == NO_INTERVAL else one.withheld)
            if math.isnan(one.low)
            else f"{number(one.low, 3)} to {number(one.high, 3)}",
        }
        for name, title in names.items()
        for one in [predicted.validation.measures[name]]
    ]


def group_rows(predicted: StudyPrediction) -> Rows:
    """Return how the model does by sex, limb and centre, of patients it did not learn from."""
    return [
        {
            "what": f"{_GROUPS[one.column]}: {_LEVELS.get((one.column, one.group), one.group)}",
            "patients": f"{one.events} of {one.n}",
            "c": _with_interval(one.c_statistic),
            "observed": _with_interval(one.observed_over_expected),
        }
        for one in predicted.groups
    ]


def centre_rows(predicted: StudyPrediction) -> Rows:
    """Return how the model of all other centres does in each."""
    return [
        {
            "centre": one.centre,
            "patients": f"{one.events} of {one.n}",
            "c": _with_interval(one.c_statistic),
            "slope": _with_interval(one.slope),
            "observed": _with_interval(one.observed_over_expected),
            "refused": one.refused,
        }
        for one in predicted.centres
    ]


def _with_interval(one: Estimate | None) -> str:
    return "too few" if one is None else f"{number(one.value, 2)} ({interval_text(one, 2)})"


def patient_lines(
    predicted: StudyPrediction,
    pages: Mapping[str, str],
    recordings: Mapping[str, Sequence[tuple[str, str]]],
) -> tuple[list[PatientLine], IntervalAxis]:
    """Return a line for every patient, and the axis their probabilities share.

    Parameters
    ----------
    predicted : StudyPrediction
    pages : Mapping of str to str
        Where the page of each patient's scan lies, relative to the report.
    recordings : Mapping of str to sequence of (session, str)
        The same for recordings.
    """
    axis = IntervalAxis(0.0, 1.0, reference=0.5)
    verdicts = {verdict.participant_id: verdict for verdict in predicted.verdicts}
    lines = []
    for row in predicted.cohort.table.to_dict("records"):
        pid = str(row["participant_id"])
        one, verdict = predicted.patients.get(pid), verdicts.get(pid)
        ratios = (_ratio(row, "TPr", "VPr"), _ratio(row, "BPr", "TPr"), _ratio(row, "BPr", "VPr"))
        responder = row["responder"]
        lines.append(
            PatientLine(
                pid,
                pages.get(pid, ""),
                recordings.get(pid, ()),
                ratios,
                f"{verdict.criteria_met} of 3" if verdict else "",
                percent(one.prediction.value) if one else "",
                percent(predicted.without[pid]) if pid in predicted.without else "",
                _percents(one.prediction) if one else "",
                axis.bar(one.prediction) if one else None,
                "missing" if math.isnan(row["relief_percent"]) else f"{number(row['relief_percent'], 0)} %",
                "missing" if math.isnan(responder) else "yes" if responder else "no",
            )
        )
    return lines, axis


def _percents(estimate: Estimate) -> str:
    return f"{percent(estimate.low).removesuffix(' %')} to {percent(estimate.high)}"


def share_text(estimate: Estimate | None) -> str:
    """Return a share with its interval: ``64 % (51 to 76)``; a dash where it has no denominator."""
    if estimate is None:
        return "–"
    low, high = (f"{100 * bound:.0f}" for bound in (estimate.low, estimate.high))
    return f"{100 * estimate.value:.0f} % ({low} to {high})"


def _ratio(row: dict[Any, Any], over: str, under: str) -> str:
    value = row[over] / row[under]
    return "" if math.isnan(value) else number(value, 3)


def _median(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return "n/a"
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    places = 0 if high >= 10 else 2 if high < 5 else 1
    return f"{number(middle, places)} ({number(low, places)} to {number(high, places)})"


def _missing(column: Any) -> str:
    n = int(column.isna().sum())
    return str(n) if n else ""
