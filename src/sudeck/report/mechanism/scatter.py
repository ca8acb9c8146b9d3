"""Change of each measure against relief, one dot a patient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.report.kit.figures import axes_mm, draw_svg
from sudeck.report.kit.interval_bars import IntervalAxis
from sudeck.report.kit.palette import AFFECTED_COLOUR, HEALTHY_COLOUR, INK, QUIET
from sudeck.report.kit.text import interval_text, number
from sudeck.report.mechanism.words import SIDES, measure_text

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sudeck.mechanism.change_correlation import Association

# Patient, log change, its error, relief.
Dots = Sequence[tuple[str, float, float, float]]

_WIDTH_MM, _COLUMNS = 186.0, 4
_CELL_MM, _ROW_MM, _LEFT_MM = 44.4, 46.0, 10.0
_COLOURS: Final = {"pain": AFFECTED_COLOUR, "other": HEALTHY_COLOUR}


def association_figure(
    associations: Sequence[Association], dots: Mapping[tuple[str, str], Dots], outcome: str
) -> Markup:
    """Draw a panel for each association: dots with the error of their change, the line of least squares.

    Parameters
    ----------
    associations : sequence of Association
    dots : Mapping of (measure, hemisphere) to sequence of (patient, log change, error, relief)
    outcome : str
        What the vertical axis is called.
    """
    rows = math.ceil(len(associations) / _COLUMNS)
    return draw_svg(
        lambda figure: _paint(figure, associations, dots, outcome, rows),
        size_mm=(_WIDTH_MM, rows * _ROW_MM + 4.0),
        name="associations",
        description="change of each measure against relief, one dot a patient",
    )


def _paint(
    figure: Figure,
    associations: Sequence[Association],
    dots: Mapping[tuple[str, str], Dots],
    outcome: str,
    rows: int,
) -> None:
    relief = [dot[3] for of_one in dots.values() for dot in of_one]
    margin = 0.06 * (max(relief) - min(relief)) if relief else 0.0
    for index, one in enumerate(associations):
        row, column = divmod(index, _COLUMNS)
        bottom = (rows - 1 - row) * _ROW_MM + 11.0
        axes = axes_mm(figure, _LEFT_MM + column * _CELL_MM, bottom, _CELL_MM - 8.5, _ROW_MM - 17.5)
        _paint_one(axes, one, dots.get((one.measure, one.hemisphere), ()))
        if relief and margin > 0:
            axes.set_ylim(min(relief) - margin, max(relief) + margin)
        if column == 0:
            axes.set_ylabel(outcome)
        if row == rows - 1 or index + _COLUMNS >= len(associations):
            axes.set_xlabel(f"{one.visit} over {one.baseline}")


def _paint_one(axes: Axes, one: Association, dots: Dots) -> None:
    colour = _COLOURS[one.hemisphere]
    change = np.array([dot[1] for dot in dots])
    error = np.array([dot[2] for dot in dots])
    relief = np.array([dot[3] for dot in dots])
    held = bool(one.p_family < 1 - one.pearson.level) and not one.pearson.low <= 0 <= one.pearson.high
    known = np.isfinite(error)
    axes.hlines(
        relief[known],
        np.exp(change - error)[known],
        np.exp(change + error)[known],
        color=colour,
        alpha=0.35,
        linewidth=0.7,
    )
    style: dict[str, Any] = {"facecolor": colour if held else "white", "edgecolor": colour}
    axes.scatter(np.exp(change), relief, s=10, linewidth=0.8, zorder=3, **style)
    if len(dots) > 1 and not one.covariates:
        ends = np.array([change.min(), change.max()])
        line = relief.mean() + one.slope.value * (ends - change.mean())
        axes.plot(np.exp(ends), line, color=INK, linewidth=0.9, linestyle="solid" if held else (0.0, (3, 2)))
    axes.axvline(1.0, color=QUIET, linewidth=0.5, zorder=0)
    _log_axis(axes, np.exp(np.concatenate([change - error * known, change + np.where(known, error, 0.0)])))
    axes.set_title(
        f"{measure_text(one.measure)}, {SIDES[one.hemisphere]}\nr = {number(one.pearson.value, 2)} "
        f"({interval_text(one.pearson, 2)})",
        loc="left",
        pad=3,
        fontsize=7.5,
    )


def _log_axis(axes: Axes, values: np.ndarray) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    known = values[np.isfinite(values)]
    span = IntervalAxis.around([], marks=[*known, 1.0], scale="log")
    axes.set_xscale("log")
    axes.set_xlim(span.low, span.high)
    ticks = [tick for tick in span.ticks() if 0.02 < span.place(tick) < 0.98]
    sparse = ticks[:: max(1, math.ceil(len(ticks) / 4))]
    axes.xaxis.set_major_locator(FixedLocator(sparse))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
