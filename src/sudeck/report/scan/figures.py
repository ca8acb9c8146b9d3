"""The curves of a dynamic phase, as a figure of a scan report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.quantile import normal_quantile
from sudeck.report.kit.palette import AFFECTED_COLOUR, HEALTHY_COLOUR
from sudeck.report.kit.plot import NORMAL, Mark, Plot, Span, Stroke, sheet, text
from sudeck.scan.result import PhaseMeasurement

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.scan.ratios.curves import TimeActivityCurve

# On paper, in mm: the sheet, and the axes from its upper left corner.
_SHEET_MM = (110.0, 56.0)
_AXES_MM = (12.5, 1.5, 81.0, 45.0)
_MOST_TICKS: Final = 6
_BEYOND: Final = 1.04  # times what is drawn, an axis goes
# Line styles differ too, for grey print.
_STROKES: Final = {
    "affected": Stroke(AFFECTED_COLOUR, 0.5),
    "healthy": Stroke(HEALTHY_COLOUR, 0.5, dash=(1.6, 0.7)),
}
_ARRIVALS: Final = {"affected": Mark("^", AFFECTED_COLOUR, 0.95), "healthy": Mark("D", HEALTHY_COLOUR, 0.75)}


def curve_figure(phase: PhaseMeasurement) -> Markup:
    """Draw the time-activity curves of both regions: Poisson band, fitted broken line, arrival."""
    reaches = [_reach(curve) for curve in phase.curves]
    top = max(float(np.max(curve.rate + reach)) for curve, reach in zip(phase.curves, reaches, strict=True))
    last = max(float(curve.time_s[-1]) for curve in phase.curves)
    plot = Plot(*_AXES_MM, Span(0.0, _BEYOND * last), Span(0.0, _BEYOND * max(top, 1e-9)))
    ticks = plot.y.named_ticks(_MOST_TICKS)
    drawn = [plot.grid(ticks)]
    for row, (curve, reach) in enumerate(zip(phase.curves, reaches, strict=True)):
        stroke = _STROKES[curve.side]
        low, high = np.maximum(curve.rate - reach, 0.0), curve.rate + reach
        drawn += [
            plot.band(curve.time_s, low, high, stroke.colour, 0.18),
            plot.marks(curve.time_s, curve.rate, Mark("o", stroke.colour, 0.4)),
            plot.line(curve.time_s[: curve.fitted.size], curve.fitted, stroke),
            _arrival(plot, curve, row),
        ]
    origin = "injection" if phase.clock == "injection" else "the start of the flow"
    parts = [
        plot.inside(drawn, cut=False),
        *_names(plot, phase),
        plot.y_axis(ticks, "counts per pixel and second"),
        plot.x_axis(plot.x.named_ticks(_MOST_TICKS), f"time after {origin} (s)"),
    ]
    return sheet(*_SHEET_MM, parts, f"time-activity curves of both regions in the {phase.phase} phase")


def _reach(curve: TimeActivityCurve) -> NDArray[np.float64]:
    level = curve.arrival.level if curve.arrival else 0.95
    return np.asarray(normal_quantile(level) * curve.rate_se)


def _names(plot: Plot, phase: PhaseMeasurement) -> list[str]:
    """Write its side at the end of each curve, the upper name moved up where two would touch."""
    last = {curve.side: plot.at(plot.x.high, float(curve.rate[-5:].mean()))[1] for curve in phase.curves}
    names, lowest = [], np.inf
    for side in sorted(last, key=last.__getitem__, reverse=True):
        height = min(last[side], lowest)
        lowest = height - 1.2 * NORMAL
        colour = _STROKES[side].colour
        names.append(
            text(plot.left + plot.width + 1.0, height + 0.35 * NORMAL, side, colour=colour, bold=True)
        )
    return names


def _arrival(plot: Plot, curve: TimeActivityCurve, row: int) -> str:
    """Show when the tracer arrived, with its interval, just above the time axis."""
    if curve.arrival is None:
        return ""
    y = plot.y.high * (0.035 + 0.055 * row)
    ends = [curve.arrival.low, curve.arrival.high]
    bar = Stroke(_STROKES[curve.side].colour, 0.42)
    return plot.line(ends, [y, y], bar) + plot.marks(curve.arrival.value, y, _ARRIVALS[curve.side])


def shift_mm(phase: PhaseMeasurement) -> NDArray[np.float64]:
    """Return how far the healthy limb's counterpart lies from its mirror image across the field, in mm."""
    mirror = phase.pose.mirror
    return np.asarray(mirror.transform(mirror.centre_mm) - mirror.centre_mm * np.array([-1.0, 1.0]))
