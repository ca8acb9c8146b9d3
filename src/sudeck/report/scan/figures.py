"""The curves of a dynamic phase, as a figure of a scan report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.quantile import normal_quantile
from sudeck.report.kit.figures import AFFECTED_LINE, HEALTHY_LINE, axes_mm, draw_svg
from sudeck.report.kit.palette import AFFECTED_COLOUR, HEALTHY_COLOUR
from sudeck.scan.result import PhaseMeasurement

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Sizes on paper, in mm.
_CURVES_MM = (110.0, 56.0)
_CURVES_AXES = (12.5, 9.0, 81.0, 45.5)
_NAME_APART = 0.075  # of the height of the curves
_STYLE: Final[dict[str, dict[str, Any]]] = {
    "affected": {"color": AFFECTED_COLOUR, "linestyle": AFFECTED_LINE},
    "healthy": {"color": HEALTHY_COLOUR, "linestyle": HEALTHY_LINE},
}


def curve_figure(phase: PhaseMeasurement) -> Markup:
    """Draw the time-activity curves of both regions: Poisson band, fitted broken line, arrival."""
    return draw_svg(
        lambda figure: _paint_curves(figure, phase),
        size_mm=_CURVES_MM,
        name=f"{phase.phase}-curves",
        description=f"time-activity curves of both regions in the {phase.phase} phase",
    )


def _paint_curves(figure: Figure, phase: PhaseMeasurement) -> None:
    axes = axes_mm(figure, *_CURVES_AXES)
    for curve in phase.curves:
        style = _STYLE[curve.side]
        level = curve.arrival.level if curve.arrival else 0.95
        reach = normal_quantile(level) * curve.rate_se
        axes.fill_between(
            curve.time_s,
            curve.rate - reach,
            curve.rate + reach,
            color=style["color"],
            alpha=0.18,
            linewidth=0,
        )
        axes.plot(curve.time_s, curve.rate, ".", color=style["color"], markersize=2.5)
        if curve.fitted.size:
            axes.plot(curve.time_s[: curve.fitted.size], curve.fitted, linewidth=1.4, **style)
    axes.set_ylim(bottom=0.0)
    _name_curves(axes, phase)
    _mark_arrivals(axes, phase)
    origin = "injection" if phase.clock == "injection" else "the start of the flow"
    axes.set(xlabel=f"time after {origin} (s)", ylabel="counts per pixel and second")
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def _name_curves(axes: Axes, phase: PhaseMeasurement) -> None:
    """Write its side at the end of each curve, the upper name moved up where two would touch."""
    last: dict[str, float] = {}
    for curve in phase.curves:
        last[curve.side] = float(curve.rate[-5:].mean())
    floor = -np.inf
    for side in sorted(last, key=last.__getitem__):
        height = max(last[side], floor)
        floor = height + _NAME_APART * axes.get_ylim()[1]
        axes.text(
            1.01,
            height,
            side,
            transform=axes.get_yaxis_transform(),
            va="center",
            color=_STYLE[side]["color"],
            fontweight="bold",
        )


def _mark_arrivals(axes: Axes, phase: PhaseMeasurement) -> None:
    """Show each arrival with its interval just above the time axis."""
    top = axes.get_ylim()[1]
    for row, curve in enumerate(phase.curves):
        if curve.arrival is None:
            continue
        colour = _STYLE[curve.side]["color"]
        y = top * (0.035 + 0.055 * row)
        axes.plot([curve.arrival.low, curve.arrival.high], [y, y], color=colour, linewidth=1.2)
        marker = "^" if curve.side == "affected" else "D"
        axes.plot([curve.arrival.value], [y], marker, color=colour, markersize=4)


def shift_mm(phase: PhaseMeasurement) -> NDArray[np.float64]:
    """Return how far the healthy limb's counterpart lies from its mirror image across the field, in mm."""
    mirror = phase.pose.mirror
    return np.asarray(mirror.transform(mirror.centre_mm) - mirror.centre_mm * np.array([-1.0, 1.0]))
