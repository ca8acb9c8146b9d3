"""Changes, associations and the published pattern as rows ready to be printed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sudeck.mechanism.measure_table import MeasureTable, pair_visits
from sudeck.report.kit.interval_bars import IntervalAxis
from sudeck.report.kit.text import interval_text, number, p_text
from sudeck.report.mechanism.words import MEANINGS, SIDES, measure_text, place_of_measure, sentence_case

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.mechanism.association import Associations
    from sudeck.mechanism.change_correlation import Association
    from sudeck.mechanism.changes import Changes
    from sudeck.mechanism.group_statistics import GroupStatistics
    from sudeck.mechanism.healthy_reference import ReferenceComparison
    from sudeck.mechanism.published_pattern import Judgement

Rows = list[dict[str, Any]]
_ORDER = ("pain", "other", "interaction")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change as the table prints it; `first` opens a measure."""

    measure: str
    meaning: str
    side: str
    ratio: str
    interval: str
    bar: Markup
    p: str
    p_family: str
    effect: str
    n: str
    first: bool
    span: int


@dataclass(frozen=True, slots=True)
class ChangeTable:
    """All changes between two visits, on one axis."""

    title: str
    rows: tuple[ChangeRow, ...]
    axis: IntervalAxis


def change_tables(changes: Changes, measures: MeasureTable) -> tuple[ChangeTable, ...]:
    """Return a table for each visit that is compared with the baseline; patients stand behind each bar."""
    tables = []
    for visit in dict.fromkeys(change.visit for change in changes.changes):
        here = [change for change in changes.changes if change.visit == visit]
        here.sort(key=lambda one: (place_of_measure(one.measure), _ORDER.index(one.hemisphere)))
        paired = pair_visits(measures, here[0].baseline, visit)
        single = {}
        for change in here:
            column, _ = paired.column(change.measure, change.hemisphere)
            single[change.measure, change.hemisphere] = [
                (str(patient), math.exp(value))
                for patient, value in zip(paired.patients, column, strict=True)
                if math.isfinite(value)
            ]
        marks = [value for values in single.values() for _, value in values]
        axis = IntervalAxis.around([change.ratio for change in here], marks=marks, reference=1.0, scale="log")
        rows = []
        for index, change in enumerate(here):
            first = index == 0 or here[index - 1].measure != change.measure
            rows.append(
                ChangeRow(
                    measure=measure_text(change.measure),
                    meaning=MEANINGS.get(change.measure.partition("_")[0], ""),
                    side=SIDES[change.hemisphere],
                    ratio=number(change.ratio.value, 2),
                    interval=interval_text(change.ratio, 2),
                    bar=axis.bar(change.ratio, behind=single[change.measure, change.hemisphere]),
                    p=p_text(change.p),
                    p_family="" if change.p_family is None else p_text(change.p_family),
                    effect="" if change.effect_size is None else number(change.effect_size.value, 2),
                    n=str(change.n),
                    first=first,
                    span=sum(one.measure == change.measure for one in here),
                )
            )
        tables.append(ChangeTable(f"{visit} over {here[0].baseline}", tuple(rows), axis))
    return tuple(tables)


def asymmetry_rows(changes: Changes) -> tuple[Rows, IntervalAxis]:
    """Return pain side over other side at each visit, on one axis."""
    found = sorted(
        changes.asymmetries, key=lambda one: place_of_measure(one.measure)
    )  # stable: visits keep their order
    axis = IntervalAxis.around([one.ratio for one in found], reference=1.0, scale="log")
    rows: Rows = []
    for index, one in enumerate(found):
        rows.append(
            {
                "measure": measure_text(one.measure),
                "first": index == 0 or found[index - 1].measure != one.measure,
                "span": sum(other.measure == one.measure for other in found),
                "visit": one.visit,
                "ratio": number(one.ratio.value, 2),
                "interval": interval_text(one.ratio, 2),
                "bar": axis.bar(one.ratio),
                "p": p_text(one.p),
                "n": str(one.n),
            }
        )
    return rows, axis


def pattern_rows(pattern: Sequence[Judgement]) -> Rows:
    """Return the statements of the published pattern, each with verdict and numbers."""
    rows: Rows = []
    for judgement in pattern:
        listed = []
        for side, found in judgement.numbers.items():
            name, value = ("r", found["r"]) if "r" in found else ("×", found["ratio"])
            sign = "r = " if name == "r" else "×"
            p = found.get("p_equivalence", found["p"])
            kind = "P of equivalence" if "p_equivalence" in found else "P"
            listed.append(
                f"{SIDES[side]} {sign}{number(value, 2)} ({number(found['low'], 2)} to "
                f"{number(found['high'], 2)}), {kind} {_equals(p)}, n = {found['n']}"
            )
        if judgement.p_pattern is not None:
            listed.append(f"controlled over the pattern P {_equals(judgement.p_pattern)}")
        rows.append(
            {
                "statement": sentence_case(judgement.hypothesis.name),
                "verdict": judgement.verdict,
                "kind": judgement.verdict.replace(" ", "-"),
                "numbers": "; ".join(listed) if listed else judgement.text,
                "margin": _margin(judgement),
            }
        )
    return rows


def _uncorrected(one: Association) -> str:
    if one.reliability is None:
        return ""
    return f"not possible: reliability {number(one.reliability, 2)}"


def association_rows(associations: Associations | None) -> Rows:
    """Return correlations of change with relief, with what one patient does to each."""
    rows: Rows = []
    for one in () if associations is None else associations.associations:
        corrected = one.corrected
        rows.append(
            {
                "name": f"{measure_text(one.measure)}, {SIDES[one.hemisphere]}",
                "r": number(one.pearson.value, 2),
                "interval": interval_text(one.pearson, 2),
                "corrected": "" if corrected is None else number(corrected.value, 2),
                "corrected_interval": _uncorrected(one) if corrected is None else interval_text(corrected, 2),
                "spearman": number(one.spearman.value, 2),
                "p": p_text(one.p_permutation),
                "p_family": p_text(one.p_family),
                "p_fdr": p_text(one.p_fdr),
                "n": str(one.n),
                "without": f"{number(one.influence.lowest, 2)} to {number(one.influence.highest, 2)}",
                "carried": one.influence.patient if one.influence.changes_claim else "",
            }
        )
    return rows


def power_rows(group: GroupStatistics) -> Rows:
    """Return, for each measure, the smallest change that this number of patients probably sees."""
    power = group.changes.power
    return [
        {
            "name": ratio.name,
            "fall": f"×{number(ratio.fall, 2)}",
            "rise": f"×{number(ratio.rise, 2)}",
            "equivalence": f"×{number(1 / ratio.equivalence, 2)} to ×{number(ratio.equivalence, 2)}",
        }
        for ratio in (() if power is None else power.ratios)
    ]


def healthy_rows(comparisons: Sequence[ReferenceComparison]) -> Rows:
    """Return patients over healthy people, where reference values were supplied."""
    return [
        {
            "name": f"{measure_text(one.measure)}, {SIDES[one.hemisphere]}, {one.visit}",
            "ratio": number(one.ratio.value, 2),
            "interval": interval_text(one.ratio, 2),
            "p": p_text(one.p),
            "outside": f"{one.outside} of {one.n}",
        }
        for one in comparisons
    ]


def own_changes(
    measures: MeasureTable, baseline: str, visit: str, outcome: Mapping[str, float]
) -> dict[tuple[str, str], list[tuple[str, float, float, float]]]:
    """Return patient, log change, its error and outcome, by measure and hemisphere."""
    paired = pair_visits(measures, baseline, visit)
    found: dict[tuple[str, str], list[tuple[str, float, float, float]]] = {}
    for measure, side in paired.names:
        change, error = paired.column(measure, side)
        for patient, value, own in zip(paired.patients, change, error, strict=True):
            relief = outcome.get(str(patient), math.nan)
            if np.isfinite(value) and math.isfinite(relief):
                found.setdefault((measure, side), []).append((str(patient), float(value), float(own), relief))
    return found


def _equals(p: float) -> str:
    text = p_text(p)
    return text if text.startswith("<") else f"= {text}"


def _margin(judgement: Judgement) -> str:
    """Return what the statement was held against, fixed beforehand."""
    hypothesis = judgement.hypothesis
    low, high = number(hypothesis.low_margin, 2), number(hypothesis.high_margin, 2)
    if hypothesis.kind == "unchanged":
        return f"unchanged: ×{low} to ×{high}"
    if hypothesis.kind == "restored":
        return "weaker than the other side before, then a fall, and no longer weaker after"
    if hypothesis.kind == "falls":
        return f"too small to matter: above ×{low}"
    return f"too weak to matter: |r| below {number(1 - hypothesis.low_margin, 2)}"
