"""Figures of a scan report: each phase with both regions outlined, and the curves of a dynamic phase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import Side, opposite
from sudeck.report.figures import (
    AFFECTED_COLOUR,
    AFFECTED_LINE,
    HEALTHY_COLOUR,
    HEALTHY_LINE,
    draw_svg,
)
from sudeck.scan.geometry import Points
from sudeck.scan.poses import PhasePose
from sudeck.scan.regions import outline
from sudeck.scan.result import PhaseMeasurement

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_MM = (60.0, 68.0)
_CURVES_MM = (120.0, 58.0)
_MARGIN_PX = 8
_SCALE_BAR_MM = 50.0
# The scale ends at the brightest pixels of the limbs, so that a hot spot elsewhere does not darken them.
_TOP_PERCENTILE = 99.7
_STYLE: Final[dict[str, dict[str, Any]]] = {
    "affected": {"color": AFFECTED_COLOUR, "linestyle": AFFECTED_LINE},
    "healthy": {"color": HEALTHY_COLOUR, "linestyle": HEALTHY_LINE},
}


def phase_figure(phase: PhaseMeasurement, *, affected: Side, spacing_known: bool) -> Markup:
    """Draw one phase in inverse grey, linear from zero, with both regions outlined.

    Parameters
    ----------
    phase : PhaseMeasurement
    affected : {"left", "right"}
        Side of the body, for the labels on the image.
    spacing_known : bool
        Whether lengths in mm hold; without, no scale bar is drawn.
    """
    description = (
        f"{phase.phase} phase, counts in inverse grey from zero, with the affected ({affected}) and the healthy "
        f"({opposite(affected)}) region outlined"
    )
    return draw_svg(
        lambda figure: _paint_phase(figure, phase, affected, spacing_known),
        size_mm=_PANEL_MM,
        name=f"{phase.phase}-image",
        description=description,
    )


def curve_figure(phase: PhaseMeasurement) -> Markup:
    """Draw the time-activity curves of both regions: Poisson band, fitted broken line, arrival."""
    return draw_svg(
        lambda figure: _paint_curves(figure, phase),
        size_mm=_CURVES_MM,
        name=f"{phase.phase}-curves",
        description=f"time-activity curves of both regions in the {phase.phase} phase",
    )


def _paint_phase(figure: Figure, phase: PhaseMeasurement, affected: Side, spacing_known: bool) -> None:
    pose = phase.pose
    rows, columns = _window(phase)
    shown = pose.image[rows, columns]
    limbs = pose.image[pose.limbs.labels > 0]
    top = max(float(np.percentile(limbs, _TOP_PERCENTILE)) if limbs.size else float(shown.max()), 1.0)
    axes = figure.subplots()
    aspect = pose.grid.spacing_mm[0] / pose.grid.spacing_mm[1]
    extent = (columns.start - 0.5, columns.stop - 0.5, rows.stop - 0.5, rows.start - 0.5)
    image = axes.imshow(shown, vmin=0.0, vmax=top, aspect=aspect, extent=extent)
    for side, points in (("affected", phase.affected_points), ("healthy", phase.healthy_points)):
        _outline_region(axes, points, pose, side)
    axes.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color="#BBBBBB", linewidth=0.5)
    _name_sides(axes, pose, affected)
    if spacing_known:
        _scale_bar(axes, pose.grid.spacing_mm[1])
    bar = figure.colorbar(
        image,
        ax=axes,
        orientation="horizontal",
        fraction=0.045,
        pad=0.02,
        extend="max" if float(shown.max()) > top else "neither",
    )
    bar.set_label("counts per pixel")
    bar.outline.set_linewidth(0.5)  # type: ignore[operator]
    bar.locator = _few_ticks()
    bar.update_ticks()


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=4, steps=[1, 2, 5, 10])


def _window(phase: PhaseMeasurement) -> tuple[slice, slice]:
    """Return the rows and columns that hold both limbs and both regions, with a margin."""
    pose = phase.pose
    wanted = (pose.limbs.labels > 0) | (phase.region_weights() > 0)
    slices = []
    for axis, size in ((1, wanted.shape[0]), (0, wanted.shape[1])):
        filled = np.flatnonzero(wanted.any(axis=axis))
        first, last = (int(filled[0]), int(filled[-1])) if filled.size else (0, size - 1)
        slices.append(slice(max(first - _MARGIN_PX, 0), min(last + _MARGIN_PX + 1, size)))
    return slices[0], slices[1]


def _outline_region(axes: Axes, points: Points, pose: PhasePose, side: str) -> None:
    for line in outline(points, pose.grid):
        row, column = pose.grid.pixel_of(line)
        axes.plot(column, row, color="white", linewidth=2.4, alpha=0.75)
        axes.plot(column, row, linewidth=1.2, **_STYLE[side])


def _name_sides(axes: Axes, pose: PhasePose, affected: Side) -> None:
    """Write the patient's side and its role above each limb."""
    on_left = "affected" if pose.affected_label == 1 else "healthy"
    on_right = "healthy" if on_left == "affected" else "affected"
    for role, x, align in ((on_left, 0.0, "left"), (on_right, 1.0, "right")):
        side = affected if role == "affected" else opposite(affected)
        axes.text(
            x,
            1.015,
            f"{side.capitalize()} · {role}",
            transform=axes.transAxes,
            ha=align,
            va="bottom",
            color=_STYLE[role]["color"],
            fontweight="bold",
        )


def _scale_bar(axes: Axes, pixel_mm: float) -> None:
    """Draw 50 mm in the lower left corner."""
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    x, y = left + 0.04 * (right - left), bottom - 0.04 * (bottom - top)
    length = _SCALE_BAR_MM / pixel_mm
    axes.plot([x, x + length], [y, y], color="black", linewidth=1.6, solid_capstyle="butt")
    axes.text(x + length / 2, y - 0.015 * (bottom - top), "50 mm", ha="center", va="bottom", fontsize=7)


def _paint_curves(figure: Figure, phase: PhaseMeasurement) -> None:
    from statistics import NormalDist

    axes = figure.subplots()
    for curve in phase.curves:
        style = _STYLE[curve.side]
        level = curve.arrival.level if curve.arrival else 0.95
        reach = NormalDist().inv_cdf(0.5 + level / 2) * curve.rate_se
        axes.fill_between(
            curve.time_s, curve.rate - reach, curve.rate + reach, color=style["color"], alpha=0.18, linewidth=0
        )
        axes.plot(curve.time_s, curve.rate, ".", color=style["color"], markersize=2.5)
        if curve.fitted.size:
            axes.plot(curve.time_s, curve.fitted, linewidth=1.4, **style)
            _name_curve(axes, curve.time_s[-1], float(curve.fitted[-1]), curve.side)
        else:
            _name_curve(axes, curve.time_s[-1], float(curve.rate[-5:].mean()), curve.side)
    axes.set_ylim(bottom=0.0)
    _mark_arrivals(axes, phase)
    origin = "injection" if phase.clock == "injection" else "the start of the flow"
    axes.set(xlabel=f"time after {origin} (s)", ylabel="counts per pixel and second")
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def _name_curve(axes: Axes, x: float, y: float, side: str) -> None:
    axes.annotate(
        side,
        (x, y),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        color=_STYLE[side]["color"],
        fontweight="bold",
        annotation_clip=False,
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
    """Return how far the healthy limb's counterpart lies from a mirror image across the image midline, in mm."""
    mirror = phase.pose.mirror
    return np.asarray(mirror.transform(mirror.centre_mm) - mirror.centre_mm * np.array([-1.0, 1.0]))
