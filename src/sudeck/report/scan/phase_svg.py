"""The image of one phase with both regions outlined, or of one that was not measured, written as SVG.

Every patient has three of them, and Matplotlib took most of the time of a page for what is always the same.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import Side, opposite
from sudeck.report.kit.palette import AFFECTED_COLOUR, HEALTHY_COLOUR
from sudeck.scan.limbs.poses import PhasePose
from sudeck.scan.phases.phase_series import PhaseSeries
from sudeck.scan.phases.spacing import PIXEL_UNITS
from sudeck.scan.ratios.regions import outline
from sudeck.scan.result import PhaseMeasurement

if TYPE_CHECKING:
    from markupsafe import Markup

# Sizes on paper, in mm: two panels stand side by side on A4.
_PANEL_WIDTH = 92.0
_IMAGE_TALLEST = 108.0
_NAMES_HEIGHT = 4.6
_FOOT_HEIGHT = 11.6
_BAR_LEFT, _BAR_TOP, _BAR_WIDTH, _BAR_HEIGHT = 26.0, 1.8, 32.0, 1.8  # of the grey scale, below the image
_MM_PER_PT = 25.4 / 72
_SMALL, _NORMAL = 7 * _MM_PER_PT, 8 * _MM_PER_PT
_MARGIN_PX = 5
_SHORTEST_OUTLINE_PX = 20
_SCALE_BAR_MM = 50.0
_MOST_TICKS = 4
# The scale ends at the brightest pixels of the limbs, but no higher than this many times their bright parts:
# an injection site then saturates, and the limbs stay visible.
_TOP_PERCENTILE = 99.7
_BRIGHT_PERCENTILE, _MOST_TIMES_BRIGHT = 95.0, 2.5
_BRIGHT_OF_ALL = 99.0  # the same of a whole image whose limbs are not known: they fill a fifth of it
_FONT: Final = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
_COLOUR: Final = {"affected": AFFECTED_COLOUR, "healthy": HEALTHY_COLOUR}
# Of lines 1.2 points wide; line styles differ too, for grey print.
_DASH: Final = {"affected": "", "healthy": ' stroke-dasharray="1.35 .6"'}
_Lines = Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]]


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


@dataclass(frozen=True)
class _Sheet:
    """Where the image stands on paper, in mm, and what of it is shown."""

    window: Window
    left: float
    width: float
    height: float

    @classmethod
    def of(cls, window: Window, spacing_mm: tuple[float, float]) -> _Sheet:
        rows, columns = window.shape
        height = _PANEL_WIDTH * (rows * spacing_mm[0]) / (columns * spacing_mm[1])
        shrink = min(1.0, _IMAGE_TALLEST / height)
        return cls(window, _PANEL_WIDTH * (1 - shrink) / 2, _PANEL_WIDTH * shrink, height * shrink)

    def path(self, lines: _Lines) -> str:
        """Return lines of rows and columns as the data of a path within the image."""
        shown_rows, shown_columns = self.window.shape
        parts = []
        for row, column in lines:
            x = (column - self.window.columns.start + 0.5) * self.width / shown_columns
            y = (row - self.window.rows.start + 0.5) * self.height / shown_rows
            parts.append("M" + " ".join(f"{a:.2f},{b:.2f}" for a, b in zip(x, y, strict=True)))
        return "".join(parts)


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
    from markupsafe import escape

    pose = phase.pose
    window = window_of(phase, others)
    sheet = _Sheet.of(window, pose.grid.spacing_mm)
    described = escape(
        f"{phase.phase} phase, counts in inverse grey from zero, with the affected ({affected}) and the "
        f"healthy ({opposite(affected)}) region outlined"
    )
    return _drawn(
        pose.image,
        sheet,
        top=_top_of_scale(pose),
        name=phase.phase,
        described=described,
        names=_side_names(pose.affected_label == 1, affected, sheet),
        lines=(*_regions(phase, sheet), *_other_limbs(pose, sheet)),
        column_mm=pose.grid.spacing_mm[1] if spacing_known else None,
    )


def refused_figure(series: PhaseSeries, *, affected: Side) -> Markup:
    """Draw all of the image of a phase that was not measured, so that a reader sees why.

    Parameters
    ----------
    series : PhaseSeries
    affected : {"left", "right"}
        Side of the body, for the labels on the image.
    """
    image = series.counts.sum(axis=0)
    sheet = _Sheet.of(
        Window(slice(0, image.shape[0]), slice(0, image.shape[1])), series.spacing_mm or PIXEL_UNITS
    )
    top, bright = np.percentile(image, [_TOP_PERCENTILE, _BRIGHT_OF_ALL])
    return _drawn(
        image,
        sheet,
        top=max(float(min(top, _MOST_TIMES_BRIGHT * bright)), 1.0),
        name=series.name,
        described=f"{series.name} phase, not measured, counts in inverse grey from zero",
        names=_side_names(series.image_left == affected, affected, sheet),
        lines=(),
        column_mm=series.spacing_mm[1] if series.spacing_mm else None,
    )


def _drawn(
    image: NDArray[np.float64],
    sheet: _Sheet,
    *,
    top: float,
    name: str,
    described: str,
    names: Iterable[str],
    lines: Iterable[str],
    column_mm: float | None,
) -> Markup:
    """Draw part of an image with lines over it, a scale bar where its pixels have a size, and its greys."""
    from markupsafe import Markup

    shown = image[sheet.window.rows, sheet.window.columns]
    parts = [
        f'<svg role="img" aria-label="{described}" '
        f'viewBox="0 0 {_PANEL_WIDTH:g} {sheet.height + _NAMES_HEIGHT + _FOOT_HEIGHT:.2f}" '
        f'font-family="{_FONT}" font-size="{_NORMAL:.3f}" fill="none">',
        *names,
        # What lies beyond the image is cut off.
        f'<svg x="{sheet.left:.2f}" y="{_NAMES_HEIGHT}" width="{sheet.width:.2f}" '
        f'height="{sheet.height:.2f}">',
        f'<image width="{sheet.width:.2f}" height="{sheet.height:.2f}" preserveAspectRatio="none" '
        f'image-rendering="pixelated" href="data:image/png;base64,{_grey_png(shown, top)}"/>',
        *lines,
        f'<rect width="{sheet.width:.2f}" height="{sheet.height:.2f}" stroke="#BBB" stroke-width=".35"/>',
        "</svg>",
    ]
    foot = sheet.height + _NAMES_HEIGHT
    if column_mm is not None:
        parts += _scale_bar(sheet, foot, column_mm)
    parts += _grey_scale(top, foot, name=name, open_end=float(shown.max()) > top)
    return Markup("".join([*parts, "</svg>"]))


def _top_of_scale(pose: PhasePose) -> float:
    """Return the counts per pixel that are drawn black, the same for both limbs."""
    limbs = pose.image[pose.limbs.labels > 0]
    top, bright = np.percentile(limbs, [_TOP_PERCENTILE, _BRIGHT_PERCENTILE])
    return max(float(min(top, _MOST_TIMES_BRIGHT * bright)), 1.0)


def _grey_png(shown: NDArray[np.float64], top: float) -> str:
    from PIL import Image

    png = BytesIO()
    grey = np.rint(255 * (1 - np.clip(shown / top, 0.0, 1.0))).astype(np.uint8)
    Image.fromarray(grey).save(png, "PNG", optimize=True)
    return base64.b64encode(png.getvalue()).decode()


def _side_names(affected_on_left: bool, affected: Side, sheet: _Sheet) -> Iterator[str]:
    """Write the patient's side and its role above each limb."""
    on_left = "affected" if affected_on_left else "healthy"
    on_right = "healthy" if on_left == "affected" else "affected"
    for role, x, anchor in ((on_left, sheet.left, "start"), (on_right, sheet.left + sheet.width, "end")):
        side = affected if role == "affected" else opposite(affected)
        yield (
            f'<text x="{x:.2f}" y="{_NAMES_HEIGHT - 1.9:g}" text-anchor="{anchor}" font-weight="bold" '
            f'fill="{_COLOUR[role]}">{side.capitalize()} · {role}</text>'
        )


def _regions(phase: PhaseMeasurement, sheet: _Sheet) -> Iterator[str]:
    grid = phase.pose.grid
    for side, points in (("affected", phase.affected_points), ("healthy", phase.healthy_points)):
        path = sheet.path(grid.pixel_of(line) for line in outline(points, grid))
        yield f'<path d="{path}" stroke="#fff" stroke-width=".85" stroke-opacity=".75"/>'
        yield f'<path d="{path}" stroke="{_COLOUR[side]}" stroke-width=".42"{_DASH[side]}/>'


def _other_limbs(pose: PhasePose, sheet: _Sheet) -> Iterator[str]:
    """Lay the outline of each limb over the other, dotted: where they are not alike it shows."""
    from skimage.measure import find_contours

    across = pose.mirror.transform
    for label, carry, side in (
        (pose.affected_label, across, "affected"),
        (pose.healthy_label, across.inverse(), "healthy"),
    ):
        found = find_contours(np.pad(pose.limbs.mask(label).astype(float), 1), 0.5)
        path = sheet.path(
            pose.grid.pixel_of(carry(pose.grid.points_of(line[:, 0] - 1, line[:, 1] - 1)))
            for line in found
            if len(line) > _SHORTEST_OUTLINE_PX
        )
        yield f'<path d="{path}" stroke="{_COLOUR[side]}" stroke-width=".28" stroke-dasharray=".28 .56"/>'


def _scale_bar(sheet: _Sheet, foot: float, column_mm: float) -> list[str]:
    """Draw 50 mm below the image, where it hides nothing."""
    length = _SCALE_BAR_MM * sheet.width / (sheet.window.shape[1] * column_mm)
    return [
        f'<path d="M{sheet.left:.2f},{foot + 2.7:.2f}h{length:.2f}" stroke="#000" stroke-width=".56"/>',
        f'<text x="{sheet.left + length / 2:.2f}" y="{foot + 5.9:.2f}" text-anchor="middle" '
        f'font-size="{_SMALL:.3f}" fill="#000">{_SCALE_BAR_MM:.0f} mm</text>',
    ]


def _grey_scale(top: float, foot: float, *, name: str, open_end: bool) -> list[str]:
    """Draw what greys stand for; an arrow at the end where the image goes beyond it."""
    y, right = foot + _BAR_TOP, _BAR_LEFT + _BAR_WIDTH
    parts = [
        f'<linearGradient id="{name}-greys"><stop stop-color="#fff"/>'
        '<stop offset="1" stop-color="#000"/></linearGradient>',
        f'<rect x="{_BAR_LEFT}" y="{y:.2f}" width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}" '
        f'fill="url(#{name}-greys)" stroke="#666" stroke-width=".21"/>',
    ]
    if open_end:
        parts.append(
            f'<path d="M{right},{y:.2f}l1.6,{_BAR_HEIGHT / 2}l-1.6,{_BAR_HEIGHT / 2}z" fill="#000"/>'
        )
    small = f'text-anchor="middle" font-size="{_SMALL:.3f}" fill="#333"'
    step = _step(top)
    for count in range(int(top / step) + 1):
        x = _BAR_LEFT + _BAR_WIDTH * count * step / top
        parts.append(f'<path d="M{x:.2f},{y + _BAR_HEIGHT:.2f}v.88" stroke="#333" stroke-width=".21"/>')
        parts.append(f'<text x="{x:.2f}" y="{y + 5.1:.2f}" {small}>{count * step:g}</text>')
    parts.append(f'<text x="{_BAR_LEFT + _BAR_WIDTH / 2}" y="{y + 8.3:.2f}" {small}>counts per pixel</text>')
    return parts


def _step(top: float) -> float:
    """Return the smallest of 1, 2, 5, 10 ... that needs no more than four steps.

    Examples
    --------
    >>> [_step(top) for top in (3.9, 83.0, 1200.0)]
    [1.0, 50.0, 500.0]
    """
    ten = 10.0 ** math.floor(math.log10(top / _MOST_TICKS))
    return next(ten * one for one in (1.0, 2.0, 5.0, 10.0) if top <= _MOST_TICKS * one * ten)
