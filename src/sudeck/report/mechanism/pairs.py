"""Every patient's measures from visit to visit as lines, so that a change opens down to patients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.mechanism.measure_table import HEMISPHERES, MeasureTable
from sudeck.report.kit.interval_bars import IntervalAxis
from sudeck.report.kit.palette import AFFECTED_COLOUR, HEALTHY_COLOUR, INK, MUTED
from sudeck.report.mechanism.words import SIDES, measure_text, place_of_measure

if TYPE_CHECKING:
    from markupsafe import Markup

_WIDTH, _HEIGHT = 240.0, 190.0
_LEFT, _TOP, _BOTTOM = 34.0, 22.0, 34.0
_COLOURS: Final = {"pain": AFFECTED_COLOUR, "other": HEALTHY_COLOUR}


def pair_figures(measures: MeasureTable, pages: Mapping[str, str]) -> list[tuple[str, Markup]]:
    """Draw one panel a measure: lines of patients, thick the geometric mean of those seen at every visit.

    Parameters
    ----------
    measures : MeasureTable
    pages : Mapping of str to str
        Where the page of a patient is; the lines of a patient without one lead nowhere.

    Returns
    -------
    list of (str, Markup)
        Measure and panel; a pointer on a line tells the patient and the values.
    """
    ordered = sorted(measures.measures, key=place_of_measure)
    return [(measure_text(one), _panel(measures, one, pages)) for one in ordered]


def _panel(measures: MeasureTable, measure: str, pages: Mapping[str, str]) -> Markup:
    from markupsafe import Markup, escape

    values: dict[str, dict[str, dict[str, float]]] = {side: {} for side in HEMISPHERES}
    for one in measures.of(measure, measures.visits):
        values[one.hemisphere].setdefault(str(one.patient), {})[one.visit] = math.exp(one.log_value)
    shown = [value for own in values.values() for seen in own.values() for value in seen.values()]
    axis = IntervalAxis.around([], marks=shown, scale="log")
    parts = [_scale(axis)]
    span = (_WIDTH - _LEFT) / 2
    for column, side in enumerate(HEMISPHERES):
        left = _LEFT + column * span + 0.18 * span
        step = 0.64 * span / max(len(measures.visits) - 1, 1)
        places = {visit: left + index * step for index, visit in enumerate(measures.visits)}
        colour = _COLOURS[side]
        parts.append(
            f'<text x="{left + 0.32 * span:.1f}" y="12" text-anchor="middle" fill="{colour}" '
            f'font-weight="600">{SIDES[side]}</text>'
        )
        for visit, x in places.items():
            parts.append(
                f'<text x="{x:.1f}" y="{_HEIGHT - 18:.0f}" text-anchor="middle">{escape(visit)}</text>'
            )
        for patient, seen in values[side].items():
            parts.append(_line(axis, places, seen, colour, patient, pages.get(patient)))
        parts.append(_mean(axis, places, list(values[side].values())))
    description = f"{measure}: every patient from visit to visit, both hemispheres"
    return Markup(
        f'<svg class="pairs" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="group" '
        f'aria-label="{escape(description)}">{"".join(parts)}</svg>'
    )


def _y(axis: IntervalAxis, value: float) -> float:
    return _HEIGHT - _BOTTOM - axis.place(value) * (_HEIGHT - _BOTTOM - _TOP)


def _scale(axis: IntervalAxis) -> str:
    parts = [f'<path d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="{MUTED}" stroke-width="0.8"/>']
    for tick in axis.ticks():
        y = _y(axis, tick)
        parts.append(
            f'<path d="M{_LEFT - 4} {y:.1f}h4" stroke="{MUTED}" stroke-width="0.8"/>'
            f'<text x="{_LEFT - 7}" y="{y + 3.6:.1f}" text-anchor="end">{tick:g}</text>'
        )
    return "".join(parts)


def _line(
    axis: IntervalAxis,
    places: Mapping[str, float],
    seen: Mapping[str, float],
    colour: str,
    patient: str,
    page: str | None,
) -> str:
    from markupsafe import escape

    points = [(places[visit], _y(axis, seen[visit])) for visit in places if visit in seen]
    listed = ", ".join(f"{visit} {seen[visit]:#.3g}" for visit in places if visit in seen)
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.1"/>' for x, y in points)
    drawn = (
        f'<g stroke="{colour}" fill="{colour}" stroke-opacity="0.42" fill-opacity="0.55">'
        f"<title>{escape(patient)}: {escape(listed)}</title>"
        f'<path d="{path}" fill="none" stroke-width="1.1"/><g stroke="none">{dots}</g></g>'
    )
    return drawn if page is None else f'<a href="{escape(page)}" tabindex="-1">{drawn}</a>'


def _mean(axis: IntervalAxis, places: Mapping[str, float], everybody: list[dict[str, float]]) -> str:
    complete = [seen for seen in everybody if all(visit in seen for visit in places)]
    if len(complete) < 2:
        return ""
    points = []
    for visit, x in places.items():
        mean = math.exp(float(np.mean([math.log(seen[visit]) for seen in complete])))
        points.append((x, _y(axis, mean)))
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{INK}"/>' for x, y in points)
    return f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="2.2"/>{dots}'
