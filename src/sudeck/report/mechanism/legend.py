"""The key of the drawn circuit: what shapes, heads, colours and fading stand for."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.report.kit.palette import INK, MUTED
from sudeck.report.kit.text import number
from sudeck.report.mechanism.marks import paint_line, paint_population
from sudeck.report.mechanism.shades import (
    FULL_LOG,
    UNKNOWN_SHADE,
    Shade,
    colour_map,
    shade,
    tone_mv,
)
from sudeck.report.mechanism.wiring import POPULATIONS, Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELLS: Final = (
    ("E", "pyramidal cells of layer 2/3"),
    ("P", "corticospinal cells of layer 5"),
    ("A", "interneurons that act on GABA-A receptors"),
    ("B", "interneurons that act on GABA-B receptors"),
)
_BAR_MM, _STEPS = 62.0, 40
_SECOND_MM: Final = 95.0  # where colours begin beside the cells
_RATIOS: Final = (0.5, 0.7, 1.0, 1.4, 2.0)


def paint_legend(axes: Axes, *, strength: str, drives: bool) -> None:
    """Draw the key on empty axes: cells above and colours below, or side by side where they are wide.

    Parameters
    ----------
    strength : str
        Over what strength is drawn, e.g. ``"over health"``.
    drives : bool
        Whether a steady drive is drawn in colour, so that its scale belongs here.
    """
    width, height = axes.bbox.width / axes.figure.dpi * 25.4, axes.bbox.height / axes.figure.dpi * 25.4
    wide = width > height + _SECOND_MM
    axes.set(xlim=(0, width), ylim=(0, height))
    top = height - (4.0 if wide else 12.0)
    for index, (letter, text) in enumerate(_CELLS):
        y = top - 7.2 * index
        radius = 3.2 if POPULATIONS[letter].pyramidal else 2.9
        paint_population(axes, replace(POPULATIONS[letter], at=(4.0, y), radius=radius), 1.0, 0.9)
        axes.text(10.0, y - 0.2, text, fontsize=7.5, color=INK, va="center")
    y = top - 29.5
    plain = Shade(INK, 1.0, 1.2, True)
    heads: tuple[tuple[float, Kind], ...] = ((0.5, "excites"), (29.0, "inhibits"))
    for x, kind in heads:
        paint_line(axes, _straight(x, x + 9.0, y), plain, kind)
        axes.text(x + 10.5, y - 0.1, kind, fontsize=7.5, color=INK, va="center")
    left, y = (_SECOND_MM, top + 8.5) if wide else (0.0, y)
    _paint_colours(axes, left, y - 8.5, strength, drives)
    _paint_fading(axes, left, y - (33.0 if drives else 27.0))


def _paint_colours(axes: Axes, left: float, y: float, strength: str, drives: bool) -> None:
    from matplotlib.patches import Rectangle

    axes.text(left + 0.5, y, f"Strength, {strength}", fontsize=7.5, color=INK, va="center")
    colours = colour_map()
    share = (np.arange(_STEPS) + 0.5) / _STEPS
    widths = [shade((2 * s - 1) * FULL_LOG, 0.0).width_pt for s in share]
    step = _BAR_MM / _STEPS
    for index, (s, width) in enumerate(zip(share, widths, strict=True)):
        half = 0.35 * width
        axes.add_artist(
            Rectangle(
                (left + 0.5 + index * step, y - 4.6 - half),
                step * 1.03,
                2 * half,
                facecolor=colours(s),
                linewidth=0,
            )
        )
    for ratio in _RATIOS:
        x = left + 0.5 + _BAR_MM * (math.log(ratio) / FULL_LOG + 1) / 2
        anchor = "left" if ratio == _RATIOS[0] else "right" if ratio == _RATIOS[-1] else "center"
        axes.text(x, y - 8.6, f"×{ratio:g}", fontsize=7, color=INK, ha=anchor, va="center")
        if drives:
            mv = tone_mv(math.log(ratio))
            text = f"{number(mv, 1)} mV" if ratio in (_RATIOS[0], _RATIOS[-1]) else number(mv, 1)
            axes.text(x, y - 12.0, text, fontsize=6.5, color=MUTED, ha=anchor, va="center")
    if drives:
        text = "below: the steady drive of GABA-B cells, a wave"
        axes.text(left + 0.5, y - 15.4, text, fontsize=6.5, color=MUTED, va="center")


def _paint_fading(axes: Axes, left: float, y: float) -> None:
    """Draw lines from surely known to not known."""
    title = "Fading: how little the measurements say"
    axes.text(left + 0.5, y + 4.2, title, fontsize=7.5, color=INK, va="center")
    for index, (narrowing, text) in enumerate(((0.15, "well known"), (0.45, ""), (0.65, "hardly"))):
        x = left + 0.5 + 13.0 * index
        paint_line(axes, _straight(x, x + 11.5, y), shade(math.log(1.5), narrowing), "excites")
        axes.text(x, y - 3.2, text, fontsize=6.5, color=MUTED, va="center")
    paint_line(axes, _straight(left + 41.5, left + 53.0, y), UNKNOWN_SHADE, "excites")
    axes.text(left + 41.5, y - 3.2, "not known", fontsize=6.5, color=MUTED, va="center")


def _straight(left: float, right: float, y: float) -> np.ndarray:
    return np.column_stack([np.linspace(left, right, 4), np.full(4, y)])
