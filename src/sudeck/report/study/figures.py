"""Figures of a study's report: ratios against relief, calibration, decision curve, instability."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.published import PUBLISHED_RATIOS
from sudeck.prediction.cohort import RELIEF, RESPONDER
from sudeck.report.kit.figures import axes_mm, draw_svg
from sudeck.report.kit.palette import AFFECTED_COLOUR, HEALTHY_COLOUR, INK, QUIET
from sudeck.report.kit.text import interval_text, number

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sudeck.study.answers.study_prediction import StudyPrediction

_SCATTER_MM = (186.0, 108.0)
_SQUARE_MM = (84.0, 70.0)
_SQUARE_AXES = (12.0, 10.0, 69.0, 57.0)
_UPPER_AXES, _LOWER_AXES = (14.0, 31.0, 67.0, 36.0), (14.0, 10.0, 67.0, 18.0)
_RESPONDER: Final[dict[str, Any]] = {"marker": "o", "facecolor": AFFECTED_COLOUR, "edgecolor": "white"}
_OTHER: Final[dict[str, Any]] = {"marker": "o", "facecolor": "white", "edgecolor": HEALTHY_COLOUR}


def relief_figure(predicted: StudyPrediction) -> Markup:
    """Draw relief against each of the six ratios, on a log axis, with the published cut-offs."""
    return draw_svg(
        lambda figure: _paint_relief(figure, predicted),
        size_mm=_SCATTER_MM,
        name="relief",
        description="relief in per cent against each of the six ratios, one dot a patient",
    )


def calibration_figure(predicted: StudyPrediction) -> Markup:
    """Draw the calibration curve, corrected for optimism, with its band and the spread of predictions."""
    return draw_svg(
        lambda figure: _paint_calibration(figure, predicted),
        size_mm=_SQUARE_MM,
        name="calibration",
        description="observed share of responders against predicted probability, with band",
    )


def decision_figure(predicted: StudyPrediction) -> Markup:
    """Draw net benefit against threshold: the model, treating all, none; and its gain over the better."""
    return draw_svg(
        lambda figure: _paint_decision(figure, predicted),
        size_mm=_SQUARE_MM,
        name="decision",
        description="net benefit against threshold probability: model with band, all treated, none treated",
    )


def instability_figure(predicted: StudyPrediction) -> Markup:
    """Draw the probability of every patient with the range that bootstrap models give the same patient."""
    return draw_svg(
        lambda figure: _paint_instability(figure, predicted),
        size_mm=_SQUARE_MM,
        name="instability",
        description="probability of each patient with the range over bootstrap models",
    )


def _paint_relief(figure: Figure, predicted: StudyPrediction) -> None:
    from sudeck.prediction.ratios import MEASURES

    patients = predicted.cohort.patients
    relief, responder = patients.outcome(RELIEF), patients.outcome(RESPONDER)
    shown_relief = relief[np.isfinite(relief)]
    low, high = (shown_relief.min(), shown_relief.max()) if shown_relief.size else (0.0, 100.0)
    for index, name in enumerate(MEASURES):
        row, column = divmod(index, 3)
        axes = axes_mm(figure, 13 + 59.5 * column, 61.0 - 52.0 * row, 52.0, 40.0)
        values = patients.ratios.values(name)
        known = np.isfinite(values) & np.isfinite(relief)
        for style, chosen in ((_OTHER, responder != 1), (_RESPONDER, responder == 1)):
            shown = known & chosen
            axes.scatter(values[shown], relief[shown], s=11, linewidth=0.6, **style)
        if name in PUBLISHED_RATIOS:
            axes.axvline(PUBLISHED_RATIOS[name].cutoff, color=INK, linewidth=0.8, linestyle=(0, (4, 2)))
        _log_ratio_axis(axes, values[known])
        title = name
        if predicted.analysis is not None:
            r = predicted.analysis.measures[name].pearson
            title = f"{name}: r = {number(r.r.value, 2)} ({interval_text(r.r, 2)})"
        axes.set_title(title, loc="left", pad=3)
        axes.set_ylim(low - 5.0, high + 5.0)
        if column == 0:
            axes.set_ylabel("relief (% of baseline pain)")


def _log_ratio_axis(axes: Axes, values: np.ndarray) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    low, high = (float(values.min()), float(values.max())) if values.size else (0.5, 2.0)
    candidates = (0.25, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 2.0, 2.8, 4.0)
    ticks = [tick for tick in candidates if low / 1.05 <= tick <= high * 1.05]
    if high / low > 3:
        ticks = [tick for tick in ticks if tick in (0.25, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _paint_calibration(figure: Figure, predicted: StudyPrediction) -> None:
    checked = predicted.validation
    assert checked is not None
    axes = axes_mm(figure, *_SQUARE_AXES)
    curve = checked.calibration
    assert curve is not None
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.fill_between(curve.x, curve.low, curve.high, color=HEALTHY_COLOUR, alpha=0.18, linewidth=0)
    axes.plot(curve.x, curve.y, color=HEALTHY_COLOUR, linewidth=1.5)
    probability = checked.instability.probability
    outcome = checked.resamples.outcome
    for side, base, direction in ((1, 1.0, -1), (0, 0.0, 1)):
        ticks = probability[outcome == side]
        axes.vlines(ticks, base, base + 0.03 * direction, color=INK, linewidth=0.5)
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="predicted probability of response",
        ylabel="observed share of responders",
    )


def _paint_decision(figure: Figure, predicted: StudyPrediction) -> None:
    decision = predicted.decision
    assert decision is not None
    axes = axes_mm(figure, *_UPPER_AXES)
    model, gain = decision.model, decision.difference
    axes.fill_between(model.x, model.low, model.high, color=HEALTHY_COLOUR, alpha=0.18, linewidth=0)
    axes.plot(model.x, model.y, color=HEALTHY_COLOUR, linewidth=1.5)
    axes.plot(model.x, decision.treat_all, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.axhline(0.0, color=QUIET, linewidth=1.0)
    top = float(max(model.high.max(), decision.treat_all.max())) + 0.05
    axes.set(xlim=(0, 1), ylim=(-0.15, top), ylabel="net benefit")
    axes.tick_params(labelbottom=False)
    names = (
        ("model", 0.96, HEALTHY_COLOUR),
        ("treat all (dashed)", 0.84, INK),
        ("treat none", 0.72, QUIET),
    )
    for text, height, colour in names:
        axes.text(
            0.98, height, text, transform=axes.transAxes, ha="right", va="top", color=colour, fontsize=7
        )
    below = axes_mm(figure, *_LOWER_AXES)
    below.fill_between(gain.x, gain.low, gain.high, color=HEALTHY_COLOUR, alpha=0.18, linewidth=0)
    below.plot(gain.x, gain.y, color=HEALTHY_COLOUR, linewidth=1.5)
    below.axhline(0.0, color=QUIET, linewidth=1.0)
    reach = max(float(np.abs([gain.low.min(), gain.high.max()]).max()), 0.05)
    below.set(
        xlim=(0, 1),
        ylim=(-1.1 * reach, 1.1 * reach),
        xlabel="threshold: treat from this probability on",
        ylabel="gain",
    )
    for one in (axes, below):  # labels of both in one line, whatever the length of the numbers
        one.yaxis.set_label_coords(-0.16, 0.5)


def _paint_instability(figure: Figure, predicted: StudyPrediction) -> None:
    checked = predicted.validation
    assert checked is not None
    axes = axes_mm(figure, *_SQUARE_AXES)
    moved = checked.instability
    order = np.argsort(moved.probability, kind="stable")
    place = np.arange(1, len(order) + 1)
    axes.vlines(place, moved.low[order], moved.high[order], color=HEALTHY_COLOUR, alpha=0.45, linewidth=1.0)
    axes.plot(place, moved.probability[order], ".", color=INK, markersize=2.5)
    axes.set(
        xlim=(0, math.ceil(1.02 * len(order)) + 1),
        ylim=(0, 1),
        xlabel="patients, ordered by probability",
        ylabel="probability of response",
    )
