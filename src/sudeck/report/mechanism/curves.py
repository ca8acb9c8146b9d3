"""What was observed of one patient against what the fitted circuit predicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.mechanism.measure_table import HEMISPHERES
from sudeck.report.kit.figures import axes_mm, draw_svg
from sudeck.report.kit.interval_bars import IntervalAxis
from sudeck.report.kit.palette import QUIET, VISIT_COLOURS
from sudeck.report.kit.text import decimals_of, interval_text, value_text
from sudeck.report.mechanism.words import SIDES, measure_text, place_of_measure

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sudeck.core.estimate import Estimate
    from sudeck.mechanism.circuit_fit.explanation import CurvePoint

# Measures that stand over an interval between pulses; those of one panel share an axis.
_PANELS: Final = (("SICI", "ICF"), ("LICI",), ("IHI",))
# Where a measure stands that is reported without its interval, in ms: in the middle of the usual ones.
_USUAL_MS: Final = {"SICI": 2.5, "ICF": 12.0, "LICI": 100.0, "IHI": 10.0}
_WIDTH_MM, _ROW_MM = 186.0, 47.0
_LEFT_MM, _CELL_MM, _AXES_MM = 12.0, 93.0, 77.0
_LOOKS: Final[tuple[dict[str, Any], ...]] = (
    {"color": VISIT_COLOURS[0], "marker": "o", "line": (0.0, (3.2, 1.4)), "filled": False},
    {"color": VISIT_COLOURS[1], "marker": "D", "line": "solid", "filled": True},
    {"color": VISIT_COLOURS[2], "marker": "s", "line": "solid", "filled": True},
    {"color": VISIT_COLOURS[3], "marker": "^", "line": "solid", "filled": True},
)
_FAR: Final = 1e3


@dataclass(frozen=True, slots=True)
class SinglePoint:
    """A measure without an interval between pulses: observed, and what was predicted."""

    name: str
    visit: str
    observed: str
    predicted: str
    bar: Markup
    axis: IntervalAxis
    first: bool


def curve_figure(curves: Sequence[CurvePoint], visits: Sequence[str], *, name: str) -> Markup | None:
    """Draw paired-pulse ratios over the interval, hemispheres beside each other; None without any.

    Points with intervals are observed; lines with bands are predicted.
    """
    panels = [names for names in _PANELS if any(_base(point.measure) in names for point in curves)]
    if not panels:
        return None

    def paint(figure: Figure) -> None:
        for row, names in enumerate(panels):
            own = [point for point in curves if _base(point.measure) in names]
            top = _top_of(own)
            for column, side in enumerate(HEMISPHERES):
                bottom = (len(panels) - 1 - row) * _ROW_MM + 10.0
                axes = axes_mm(figure, _LEFT_MM + column * _CELL_MM, bottom, _AXES_MM, _ROW_MM - 16.0)
                _paint(axes, [point for point in own if point.hemisphere == side], own, visits, top)
                axes.set_title(f"{' and '.join(names)}, {SIDES[side]}", loc="left", pad=3)
                if column == 0:
                    axes.set_ylabel("conditioned / test")
                if row == 0 and column == 1:
                    _paint_key(axes, visits)
        figure.axes[-1].set_xlabel("interval between the pulses (ms)")
        figure.axes[-2].set_xlabel("interval between the pulses (ms)")

    return draw_svg(
        paint,
        size_mm=(_WIDTH_MM, len(panels) * _ROW_MM + 2.0),
        name=name,
        description="observed and predicted paired-pulse ratios over the interval, both hemispheres",
    )


def single_points(curves: Sequence[CurvePoint]) -> tuple[SinglePoint, ...]:
    """Return thresholds, response sizes and silent periods as bars: observed over a band of the predicted."""
    own = [point for point in curves if not any(_base(point.measure) in names for names in _PANELS)]
    names = sorted(dict.fromkeys(point.measure for point in own), key=place_of_measure)
    rows = []
    for measure in names:
        of_measure = [point for point in own if point.measure == measure]
        axis = IntervalAxis.around(
            [estimate for point in of_measure for estimate in (point.observed, point.predicted)],
            scale="log"
            if all(point.observed.low > 0 < point.predicted.low for point in of_measure)
            else "linear",
        )
        places = min(decimals_of(point.observed) for point in of_measure)
        for side in HEMISPHERES:
            for index, point in enumerate(one for one in of_measure if one.hemisphere == side):
                rows.append(
                    SinglePoint(
                        f"{measure_text(measure)}, {SIDES[side]}" if index == 0 else "",
                        point.visit,
                        _interval_text(point.observed, places),
                        _interval_text(point.predicted, places),
                        axis.bar(point.observed, band=point.predicted),
                        axis,
                        index == 0,
                    )
                )
    return tuple(rows)


def _interval_text(estimate: Estimate, places: int) -> str:
    return f"{value_text(estimate, places)} ({interval_text(estimate, places)})"


def _base(measure: str) -> str:
    return measure.partition("_")[0]


def _at_ms(measure: str) -> float:
    base, _, rest = measure.partition("_")
    return float(rest) if rest else _USUAL_MS[base]


def _top_of(points: Sequence[CurvePoint]) -> float:
    """Return the top of an axis: all values, and intervals as far as they do not flatten the rest."""
    highest = max(max(point.observed.value, point.predicted.value) for point in points)
    ends = [
        min(end, 1.6 * highest) for point in points for end in (point.observed.high, point.predicted.high)
    ]
    return 1.06 * max(*ends, 1.1)


def _paint(
    axes: Axes,
    points: Sequence[CurvePoint],
    both: Sequence[CurvePoint],
    visits: Sequence[str],
    top: float,
) -> None:
    axes.axhline(1.0, color=QUIET, linewidth=0.5, zorder=0)
    for index, visit in enumerate(visits):
        look = _LOOKS[index % len(_LOOKS)]
        shift = 1.0 + 0.022 * (index - (len(visits) - 1) / 2)
        for base in dict.fromkeys(_base(point.measure) for point in points):
            own = [point for point in points if point.visit == visit and _base(point.measure) == base]
            own.sort(key=lambda point: _at_ms(point.measure))
            if own:
                _paint_curve(axes, own, look, shift)
    at = sorted({_at_ms(point.measure): point.measure for point in both}.items())
    _interval_axis(axes, at)
    axes.set_ylim(0.0, top)


def _paint_curve(axes: Axes, own: Sequence[CurvePoint], look: dict[str, Any], shift: float) -> None:
    at = np.array([_at_ms(point.measure) for point in own])
    predicted = _bounds([point.predicted for point in own])
    colour = look["color"]
    if len(own) == 1:
        # A single interval: the band as a short bar.
        at = np.array([at[0] / 1.07, at[0] * 1.07])
        predicted = np.repeat(predicted, 2, axis=1)
    axes.fill_between(at, predicted[0], predicted[2], color=colour, alpha=0.16, linewidth=0)
    axes.plot(at, predicted[1], color=colour, linestyle=look["line"], linewidth=1.1)
    x = np.array([_at_ms(point.measure) for point in own]) * shift
    observed = _bounds([point.observed for point in own])
    axes.vlines(x, observed[0], observed[2], color=colour, linewidth=0.8)
    axes.plot(
        x, observed[1], linestyle="none", marker=look["marker"], markersize=3.4, markeredgewidth=0.9,
        markeredgecolor=colour, markerfacecolor=colour if look["filled"] else "white", zorder=4,
    )  # fmt: skip


def _bounds(estimates: Sequence[Estimate]) -> np.ndarray:
    """Return low, value and high, shape (3, estimates); an open bound ends far beyond the axis."""
    bounds = np.array([[one.low, one.value, one.high] for one in estimates]).T
    return np.asarray(np.clip(bounds, -_FAR, _FAR))


def _interval_axis(axes: Axes, at: Sequence[tuple[float, str]]) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axes.set_xscale("log")
    low, high = at[0][0] / 1.3, at[-1][0] * 1.3
    if high / low < 3:
        low, high = low / 1.4, high * 1.4
    axes.set_xlim(low, high)
    ticks: list[float] = []
    labels: list[str] = []
    for ms, measure in at:
        place = math.log(ms / low) / math.log(high / low) * _AXES_MM
        if ticks and place - math.log(ticks[-1] / low) / math.log(high / low) * _AXES_MM < 3.4:
            continue
        ticks.append(ms)
        labels.append(f"{ms:g}" if "_" in measure else measure)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter(labels))
    axes.xaxis.set_minor_locator(NullLocator())


def _paint_key(axes: Axes, visits: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = []
    for index, visit in enumerate(visits):
        look = _LOOKS[index % len(_LOOKS)]
        handles.append(
            Line2D(
                [], [], color=look["color"], linestyle=look["line"], linewidth=1.1, marker=look["marker"],
                markersize=3.4, markerfacecolor=look["color"] if look["filled"] else "white", label=visit,
            )
        )  # fmt: skip
    axes.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(visits), borderaxespad=0.1,
        handlelength=2.6, columnspacing=1.4,
    )  # fmt: skip
