"""Figures of a scan report: each phase with both regions outlined, and the curves of a dynamic phase."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.quantile import normal_quantile
from sudeck.core.vocabulary import Side, opposite
from sudeck.report.kit.figures import AFFECTED_LINE, HEALTHY_LINE, axes_mm, draw_svg
from sudeck.report.kit.palette import AFFECTED_COLOUR, HEALTHY_COLOUR
from sudeck.scan.limbs.geometry import Points
from sudeck.scan.limbs.poses import PhasePose
from sudeck.scan.ratios.regions import outline
from sudeck.scan.result import PhaseMeasurement

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Sizes on paper, in mm: two panels stand side by side on A4.
_PANEL_WIDTH = 92.0
_IMAGE_TALLEST = 108.0
_NAMES_HEIGHT = 4.6
_FOOT_HEIGHT = 11.6
_COLOUR_BAR = (26.0, 8.0, 32.0, 1.8)  # left, bottom, width, height
_CURVES_MM = (110.0, 56.0)
_CURVES_AXES = (12.5, 9.0, 81.0, 45.5)
_NAME_APART = 0.075  # of the height of the curves
_MARGIN_PX = 5
_SHORTEST_OUTLINE_PX = 20
_SCALE_BAR_MM = 50.0
# The scale ends at the brightest pixels of the limbs, but no higher than this many times their bright parts:
# an injection site then saturates, and the limbs stay visible.
_TOP_PERCENTILE = 99.7
_BRIGHT_PERCENTILE, _MOST_TIMES_BRIGHT = 95.0, 2.5
_STYLE: Final[dict[str, dict[str, Any]]] = {
    "affected": {"color": AFFECTED_COLOUR, "linestyle": AFFECTED_LINE},
    "healthy": {"color": HEALTHY_COLOUR, "linestyle": HEALTHY_LINE},
}


@dataclass(frozen=True)
class Window:
    """The rows and columns of an image that are shown."""

    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns shown."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start


def window_of(phase: PhaseMeasurement, others: Iterable[PhaseMeasurement] = ()) -> Window:
    """Return the window that holds both limbs and both regions, with a margin.

    Parameters
    ----------
    phase : PhaseMeasurement
    others : iterable of PhaseMeasurement
        Phases to show the same part of the field as; those on another grid of pixels do not count.
    """
    alike = [phase, *(other for other in others if other.pose.grid == phase.pose.grid)]
    wanted = np.any([(item.pose.limbs.labels > 0) | (item.region_weights() > 0) for item in alike], axis=0)
    spans = []
    for axis, size in ((1, wanted.shape[0]), (0, wanted.shape[1])):
        filled = np.flatnonzero(wanted.any(axis=axis))
        spans.append(slice(max(int(filled[0]) - _MARGIN_PX, 0), min(int(filled[-1]) + _MARGIN_PX + 1, size)))
    return Window(spans[0], spans[1])


def phase_figure(
    phase: PhaseMeasurement, *, affected: Side, spacing_known: bool, others: Iterable[PhaseMeasurement] = ()
) -> Markup:
    """Draw one phase in inverse grey, linear from zero, with both regions outlined.

    Parameters
    ----------
    phase : PhaseMeasurement
    affected : {"left", "right"}
        Side of the body, for the labels on the image.
    spacing_known : bool
        Whether lengths in mm hold; without, no scale bar is drawn.
    others : iterable of PhaseMeasurement
        The other phases, to show the same part of the field.
    """
    window = window_of(phase, others)
    rows, columns = window.shape
    row_mm, column_mm = phase.pose.grid.spacing_mm
    height = _PANEL_WIDTH * (rows * row_mm) / (columns * column_mm)
    shrink = min(1.0, _IMAGE_TALLEST / height)
    image_mm = (_PANEL_WIDTH * shrink, height * shrink)
    return draw_svg(
        lambda figure: _paint_phase(figure, phase, window, image_mm, affected, spacing_known),
        size_mm=(_PANEL_WIDTH, image_mm[1] + _NAMES_HEIGHT + _FOOT_HEIGHT),
        name=f"{phase.phase}-image",
        description=(
            f"{phase.phase} phase, counts in inverse grey from zero, with the affected ({affected}) and the "
            f"healthy ({opposite(affected)}) region outlined"
        ),
    )


def curve_figure(phase: PhaseMeasurement) -> Markup:
    """Draw the time-activity curves of both regions: Poisson band, fitted broken line, arrival."""
    return draw_svg(
        lambda figure: _paint_curves(figure, phase),
        size_mm=_CURVES_MM,
        name=f"{phase.phase}-curves",
        description=f"time-activity curves of both regions in the {phase.phase} phase",
    )


def _paint_phase(
    figure: Figure,
    phase: PhaseMeasurement,
    window: Window,
    image_mm: tuple[float, float],
    affected: Side,
    spacing_known: bool,
) -> None:
    from matplotlib.ticker import MaxNLocator

    pose = phase.pose
    shown = pose.image[window.rows, window.columns]
    top = _top_of_scale(pose)
    left = (_PANEL_WIDTH - image_mm[0]) / 2
    axes = axes_mm(figure, left, _FOOT_HEIGHT, *image_mm)
    rows, columns = window.rows, window.columns
    extent = (columns.start - 0.5, columns.stop - 0.5, rows.stop - 0.5, rows.start - 0.5)
    image = axes.imshow(shown, vmin=0.0, vmax=top, aspect="auto", extent=extent)
    for side, points in (("affected", phase.affected_points), ("healthy", phase.healthy_points)):
        _outline_region(axes, points, pose, side)
    _outline_other(axes, pose)
    axes.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color="#BBBBBB", linewidth=0.5)
    _name_sides(axes, pose, affected)
    if spacing_known:
        _scale_bar(figure, left, image_mm[0] / (window.shape[1] * pose.grid.spacing_mm[1]))
    bar = figure.colorbar(
        image,
        cax=axes_mm(figure, *_COLOUR_BAR),
        orientation="horizontal",
        extend="max" if float(shown.max()) > top else "neither",
        ticks=MaxNLocator(nbins=4, steps=[1, 2, 5, 10]),
    )
    bar.set_label("counts per pixel", fontsize=7, labelpad=1)


def _top_of_scale(pose: PhasePose) -> float:
    """Return the counts per pixel that are drawn black, the same for both limbs."""
    limbs = pose.image[pose.limbs.labels > 0]
    top, bright = np.percentile(limbs, [_TOP_PERCENTILE, _BRIGHT_PERCENTILE])
    return max(float(min(top, _MOST_TIMES_BRIGHT * bright)), 1.0)


def _outline_region(axes: Axes, points: Points, pose: PhasePose, side: str) -> None:
    for line in outline(points, pose.grid):
        row, column = pose.grid.pixel_of(line)
        axes.plot(column, row, color="white", linewidth=2.4, alpha=0.75)
        axes.plot(column, row, linewidth=1.2, **_STYLE[side])


def _outline_other(axes: Axes, pose: PhasePose) -> None:
    """Lay the outline of each limb over the other, dotted: where they are not alike it shows."""
    from skimage.measure import find_contours

    across = pose.mirror.transform
    for label, carry, side in (
        (pose.affected_label, across, "affected"),
        (pose.healthy_label, across.inverse(), "healthy"),
    ):
        for line in find_contours(np.pad(pose.limbs.mask(label).astype(float), 1), 0.5):
            if len(line) > _SHORTEST_OUTLINE_PX:
                row, column = pose.grid.pixel_of(carry(pose.grid.points_of(line[:, 0] - 1, line[:, 1] - 1)))
                axes.plot(column, row, linewidth=0.8, linestyle=(0, (1, 2)), color=_STYLE[side]["color"])


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


def _scale_bar(figure: Figure, left: float, paper_per_mm: float) -> None:
    """Draw 50 mm below the image, where it hides nothing."""
    axes = axes_mm(figure, left, 0.0, _SCALE_BAR_MM * paper_per_mm, _FOOT_HEIGHT)
    axes.set(xlim=(0.0, 1.0), ylim=(0.0, _FOOT_HEIGHT))
    axes.set_axis_off()
    axes.plot([0.0, 1.0], [8.9, 8.9], color="black", linewidth=1.6, solid_capstyle="butt", clip_on=False)
    axes.text(0.5, 8.0, f"{_SCALE_BAR_MM:.0f} mm", ha="center", va="top", fontsize=7)


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
