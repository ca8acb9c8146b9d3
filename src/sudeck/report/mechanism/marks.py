"""The marks of the drawn circuit: lines with their heads, and populations of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sudeck.circuit.parameters import Floats
from sudeck.report.kit.palette import INK
from sudeck.report.mechanism.shades import Shade
from sudeck.report.mechanism.wiring import DrawnPopulation, Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ARROW_MM, _BALL_MM = 2.1, 0.95


def paint_line(axes: Axes, corners: Floats, look: Shade, kind: Kind | None) -> None:
    """Draw a curve of cubic pieces with an arrow (excites), a ball (inhibits) or nothing at its end.

    Parameters
    ----------
    corners : array, shape (1 + 3 pieces, 2)
    """
    from matplotlib.patches import Circle, PathPatch, Polygon
    from matplotlib.path import Path

    corners = np.array(corners, dtype=float)
    tip, heading = corners[-1].copy(), corners[-1] - corners[-2]
    heading /= np.hypot(*heading)
    size = 0.7 + 0.3 * look.width_pt / 1.7
    length = {"excites": _ARROW_MM * size, "inhibits": 2 * _BALL_MM * size, None: 0.0}[kind]
    # The line ends where its head begins: faded parts must not lie over each other.
    corners[-1] -= heading * length * 0.96
    corners[-2] -= heading * length * 0.6
    codes = [int(Path.MOVETO)] + [int(Path.CURVE4)] * (len(corners) - 1)
    stroke: dict[str, Any] = {"capstyle": "butt", "joinstyle": "round", "fill": False}
    if look.known:
        axes.add_artist(
            PathPatch(
                Path(corners, codes), edgecolor="white", alpha=0.75, linewidth=look.width_pt + 1.5, **stroke
            )
        )
    axes.add_artist(
        PathPatch(
            Path(corners, codes),
            edgecolor=look.colour,
            alpha=look.opacity,
            linewidth=look.width_pt,
            linestyle="solid" if look.known else (0.0, (2.4, 2.0)),
            **stroke,
        )
    )
    style: dict[str, Any] = {"facecolor": look.colour, "alpha": look.opacity, "linewidth": 0}
    if kind == "excites":
        across = np.array([-heading[1], heading[0]]) * length * 0.42
        base = tip - heading * length
        axes.add_artist(Polygon(np.stack([tip, base + across, base - across]), **style))
    elif kind == "inhibits":
        axes.add_artist(Circle(tuple(tip - heading * length / 2), length / 2, **style))


def paint_population(axes: Axes, population: DrawnPopulation, sign: float, zoom: float) -> None:
    """Draw a population: a triangle for pyramidal cells, a circle for interneurons, with its label."""
    from matplotlib.patches import Circle, Polygon

    x, y = sign * population.at[0], population.at[1]
    style: dict[str, Any] = {"facecolor": "white", "edgecolor": INK, "linewidth": 0.9, "joinstyle": "round"}
    if population.pyramidal:
        angles = np.radians([90.0, 210.0, 330.0])
        corners = np.column_stack(
            [x + population.radius * np.cos(angles), y + population.radius * np.sin(angles)]
        )
        axes.add_artist(Polygon(corners, zorder=3, **style))
        y -= 0.35
    else:
        axes.add_artist(
            Circle((x, y), population.radius, zorder=3, facecolor="white", edgecolor=INK, linewidth=0.9)
        )
    # Two short lines fill a circle as one letter would.
    size = (7.5 if population.pyramidal else 4.6) * min(zoom, 1.1)
    axes.text(
        x, y, population.label, fontsize=size, fontweight="bold", color=INK, linespacing=1.0,
        ha="center", va="center_baseline" if population.pyramidal else "center", zorder=4,
    )  # fmt: skip
