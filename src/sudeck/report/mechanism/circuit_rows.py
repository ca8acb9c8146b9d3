"""The fitted circuits as rows ready to be printed: of one patient, and of all together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.estimate import Estimate
from sudeck.mechanism.circuit_fit.factors import TONE
from sudeck.report.kit.interval_bars import IntervalAxis
from sudeck.report.kit.text import interval_text, number, percent
from sudeck.report.mechanism.words import (
    BALANCE,
    CHANGE,
    FACTORS,
    HYPOTHESES,
    SIDES,
    factor_text,
)

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.mechanism.circuit_fit.explanation import Explanation, FactorEstimate
    from sudeck.mechanism.circuit_fit.hierarchy import GroupPosterior

_SIDES: Final = ("pain", "other", "balance")


@dataclass(frozen=True, slots=True)
class FactorCell:
    """A factor at one visit: text where it is identified."""

    known: bool
    value: str
    interval: str
    bar: Markup | None


@dataclass(frozen=True, slots=True)
class FactorRow:
    """A factor of one hemisphere, a cell for each visit and the change."""

    name: str
    side: str
    first: bool
    span: int
    cells: tuple[FactorCell, ...]


def drawn_factors(explanation: Explanation, visit: str) -> dict[tuple[str, str], FactorEstimate]:
    """Return the factors of one visit, or of the change, by hemisphere and name, for the drawing."""
    return {(one.hemisphere, one.factor): one for one in explanation.factors if one.visit == visit}


def median_explanation(circuit: Sequence[Explanation]) -> dict[str, dict[tuple[str, str], FactorEstimate]]:
    """Return the median over patients of every factor, by visit, hemisphere and name.

    The interval is from the lower to the upper quartile of the patients; the narrowing is their median. A
    factor counts as identified where it is in half of the patients or more.

    Examples
    --------
    >>> median_explanation(())
    {}
    """
    if not circuit:
        return {}
    from sudeck.mechanism.circuit_fit.explanation import FactorEstimate

    gathered: dict[tuple[str, str, str], list[FactorEstimate]] = {}
    for explanation in circuit:
        for one in explanation.factors:
            gathered.setdefault((one.visit, one.hemisphere, one.factor), []).append(one)
    found: dict[str, dict[tuple[str, str], FactorEstimate]] = {}
    for (visit, side, factor), of_patients in gathered.items():
        values = np.array([one.estimate.value for one in of_patients])
        on_scale = values if factor == TONE else np.log(values)
        low, middle, high = (float(x) for x in np.quantile(on_scale, (0.25, 0.5, 0.75)))
        if factor != TONE:
            low, middle, high = math.exp(low), math.exp(middle), math.exp(high)
        estimate = Estimate(
            factor,
            middle,
            low,
            high,
            level=0.5,
            unit=of_patients[0].estimate.unit,
            method="median and quartiles of patients",
            n=len(of_patients),
            n_unit="patients",
        )
        narrowing = float(np.median([one.narrowing for one in of_patients]))
        found.setdefault(visit, {})[side, factor] = FactorEstimate(visit, side, factor, estimate, narrowing)
    return found


def factor_rows(explanation: Explanation, visits: Sequence[str]) -> tuple[FactorRow, ...]:
    """Return what is known of a patient: value and interval at each of `visits`, a bar for the last."""
    return _factor_rows({visit: drawn_factors(explanation, visit) for visit in visits}, visits)


def _factor_rows(
    found: Mapping[str, Mapping[tuple[str, str], FactorEstimate]], visits: Sequence[str]
) -> tuple[FactorRow, ...]:
    every = [one for visit in visits for one in found[visit].values()]
    gains = IntervalAxis.around(
        [one.estimate for one in every if one.factor != TONE and one.identified], reference=1.0, scale="log"
    )
    tones = IntervalAxis.around([one.estimate for one in every if one.factor == TONE], reference=0.0)
    rows = []
    for factor in dict.fromkeys(one.factor for one in sorted(every, key=_rank)):
        # What is known nowhere stands in the list below the table.
        sides = [
            side
            for side in _SIDES
            if any((one := found[visit].get((side, factor))) and one.identified for visit in visits)
        ]
        for index, side in enumerate(sides):
            cells = []
            for position, visit in enumerate(visits):
                one = found[visit].get((side, factor))
                axis = None if position < len(visits) - 1 else tones if factor == TONE else gains
                cells.append(_cell(one, axis))
            rows.append(
                FactorRow(FACTORS.get(factor, factor), SIDES[side], index == 0, len(sides), tuple(cells))
            )
    return tuple(rows)


def group_rows(circuit: Sequence[Explanation], visits: Sequence[str]) -> list[dict[str, Any]]:
    """Return every factor over all patients: median, quartiles, in how many it is identified or differs."""
    medians = median_explanation(circuit)
    every = sorted(
        dict.fromkeys((one.factor, side) for visit in visits for (side, _), one in medians[visit].items()),
        key=lambda key: (_factor_rank(key[0]), _SIDES.index(key[1])),
    )
    rows: list[dict[str, Any]] = []
    for factor, side in every:
        cells = []
        for visit in visits:
            own = [
                one
                for explanation in circuit
                for one in explanation.factors
                if (one.visit, one.hemisphere, one.factor) == (visit, side, factor)
            ]
            one = medians[visit].get((side, factor))
            if one is None:
                cells.append({"value": "", "quartiles": "", "known": True, "patients": ""})
                continue
            same = 0.0 if factor == TONE else 1.0
            identified = [item for item in own if item.identified]
            differs = [item for item in identified if not item.estimate.low <= same <= item.estimate.high]
            cells.append(
                {
                    "value": factor_text(one),
                    "quartiles": interval_text(one.estimate, 2),
                    "known": one.identified,
                    "patients": f"{len(identified)} · {len(differs)}",
                }
            )
        if not any(cell["known"] and cell["value"] for cell in cells):
            continue  # nobody's measurements say anything of it: it stands in the sentence below the table
        first = not rows or rows[-1]["factor"] != factor
        rows.append(
            {
                "factor": factor,
                "name": FACTORS.get(factor, factor),
                "side": SIDES[side],
                "first": first,
                "cells": cells,
            }
        )
    for row in rows:
        row["span"] = sum(other["factor"] == row["factor"] for other in rows)
    return rows


def together_rows(group: GroupPosterior | None) -> tuple[list[dict[str, Any]], IntervalAxis]:
    """Return the changes that all patients together tell of, in the order of the factors, and their axis."""
    known = [] if group is None else [one for one in group.factors if one.identified and one.factor != TONE]
    axis = IntervalAxis.around([one.mean for one in known], reference=1.0, scale="log")
    rows = [
        {
            "factor": FACTORS.get(one.factor, one.factor),
            "side": SIDES[one.hemisphere],
            "value": f"×{number(one.mean.value, 2)}",
            "interval": interval_text(one.mean, 2),
            "bar": axis.bar(one.mean),
            "spread": percent(math.expm1(one.between_sd.value)),
        }
        for one in sorted(known, key=lambda one: (_factor_rank(one.factor), _SIDES.index(one.hemisphere)))
    ]
    return rows, axis


def together_factors(group: GroupPosterior) -> dict[tuple[str, str], FactorEstimate]:
    """Return the mean changes of a group by hemisphere and name, for the drawing."""
    from sudeck.mechanism.circuit_fit.explanation import FactorEstimate

    return {
        (one.hemisphere, one.factor): FactorEstimate(
            CHANGE, one.hemisphere, one.factor, one.mean, one.narrowing
        )
        for one in group.factors
    }


def patient_rows(
    circuit: Sequence[Explanation], pages: Mapping[str, str]
) -> tuple[list[dict[str, Any]], IntervalAxis, tuple[str, ...]]:
    """Return a row a patient: probabilities of the accounts, balance, and whether the fit is exact.

    Returns
    -------
    list of dict
    IntervalAxis
        That the bars of the balance share.
    tuple of str
        Names of the accounts, as the columns stand.
    """
    names = tuple(dict.fromkeys(one.name for explanation in circuit for one in explanation.weighed))
    shown = [balance_of(explanation) for explanation in circuit]
    axis = IntervalAxis.around([one.estimate for one in shown if one is not None], reference=1.0, scale="log")
    rows: list[dict[str, Any]] = []
    for explanation, balance in zip(circuit, shown, strict=True):
        probability = {one.name: one.probability for one in explanation.weighed}
        rows.append(
            {
                "participant_id": explanation.patient,
                "page": pages.get(explanation.patient, ""),
                "probabilities": [
                    {
                        "text": percent(probability[name]) if name in probability else "",
                        "share": f"{probability.get(name, 0.0):.3f}",
                        "preferred": name == explanation.preferred,
                    }
                    for name in names
                ],
                "balance": "" if balance is None else factor_text(balance),
                "interval": "" if balance is None else interval_text(balance.estimate, 2),
                "bar": None if balance is None else axis.bar(balance.estimate),
                "balance_known": balance is not None and balance.identified,
                "exact": explanation.exact,
            }
        )
    return rows, axis, tuple(HYPOTHESES.get(name, name) for name in names)


def measured_kinds(circuit: Sequence[Explanation]) -> frozenset[str]:
    """Return the kinds of measures that the fits used, as in ``"SICI"``."""
    return frozenset(point.measure.partition("_")[0] for one in circuit for point in one.curves)


def balance_of(explanation: Explanation, visit: str | None = None) -> FactorEstimate | None:
    """Return the transcallosal balance: its change where there are two visits, else at the only one."""
    when = visit or (CHANGE if len(explanation.visits) > 1 else explanation.visits[0])
    found = drawn_factors(explanation, when)
    return found.get(("balance", BALANCE)) or found.get(("balance", "callosum"))


def balances(circuit: Sequence[Explanation]) -> tuple[FactorEstimate, ...]:
    """Return the transcallosal balance of every patient who has one."""
    return tuple(one for one in map(balance_of, circuit) if one is not None)


def hypothesis_rows(explanation: Explanation) -> list[dict[str, Any]]:
    """Return the accounts of a patient's baseline, the most probable first."""
    ordered = sorted(explanation.weighed, key=lambda one: -one.probability)
    return [
        {
            "name": HYPOTHESES.get(one.name, one.name),
            "sentence": one.sentence,
            "probability": percent(one.probability),
            "width": f"{100 * one.probability:.1f}",
        }
        for one in ordered
    ]


def _cell(one: FactorEstimate | None, axis: IntervalAxis | None) -> FactorCell:
    if one is None or not one.identified:
        return FactorCell(False, "not known" if one is not None else "", "", None)
    bar = None if axis is None else axis.bar(one.estimate)
    return FactorCell(True, factor_text(one), interval_text(one.estimate, 2), bar)


def _rank(one: FactorEstimate) -> tuple[int, int]:
    return _factor_rank(one.factor), _SIDES.index(one.hemisphere)


def _factor_rank(factor: str) -> int:
    order = list(FACTORS)
    return order.index(factor) if factor in order else len(order)
