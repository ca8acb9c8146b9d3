"""The two hemispheres of the circuit, drawn: before, after, and what changed between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.circuit.parameters import Floats
from sudeck.mechanism.circuit_fit.factors import TONE
from sudeck.report.kit.figures import draw_svg
from sudeck.report.kit.palette import BRAIN_WASH, BRIDGE_WASH, INK, MUTED, PAIN_WASH, RIM
from sudeck.report.mechanism import wiring
from sudeck.report.mechanism.legend import paint_legend
from sudeck.report.mechanism.marks import paint_line, paint_population
from sudeck.report.mechanism.shades import Shade, shade_of
from sudeck.report.mechanism.wiring import HALF_WIDTH_MM, HEIGHT_MM
from sudeck.report.mechanism.words import factor_text

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sudeck.mechanism.circuit_fit.explanation import FactorEstimate

_WIDE_MM: Final = 186.0
_SMALL_MM, _LARGE_MM = 91.0, 112.0
_MARGIN_MM: Final = 12.0  # above and below the hemispheres
_KEY_MM: Final = 40.0  # of the key below two drawings
_TOP: Final = HEIGHT_MM + 7.0
SIDES: Final = (("pain", -1.0), ("other", 1.0))
OF_STATES, OF_CHANGE = "over health", "after over before"

Factors = Mapping[tuple[str, str], "FactorEstimate"]


def circuit_figure(
    panels: Sequence[tuple[str, Factors]], *, name: str, description: str, strength: str = ""
) -> Markup | None:
    """Draw the circuit once for each panel of which anything is known, and the key.

    Parameters
    ----------
    panels : sequence of (str, Mapping)
        Title, and the factors by hemisphere and name. One panel, or three: before, after, change.
    name, description : str
        As in `sudeck.report.kit.figures.draw_svg`.
    strength : str
        Over what strength is drawn; over health, and after over before in the change, unless given.

    Returns
    -------
    Markup or None
        None where nothing is known of any panel.
    """
    telling = [(title, factors) for title, factors in panels if _tells(factors)]
    if not telling:
        return None
    drives = any(one.identified for _, of in telling for (_, name), one in of.items() if name == TONE)
    strength = strength or (OF_STATES if len(panels) < 2 else f"{OF_STATES}; in the change, {OF_CHANGE}")
    # Two stand side by side over the key; of one or three the last is large, with the key beside it.
    pair = len(telling) == 2
    small, large = (telling, None) if pair else (telling[:-1], telling[-1])
    low_mm = _KEY_MM if pair else HEIGHT_MM * _LARGE_MM / (2 * HALF_WIDTH_MM) + _MARGIN_MM
    high_mm = HEIGHT_MM * _SMALL_MM / (2 * HALF_WIDTH_MM) + _MARGIN_MM if small else 0.0

    def paint(figure: Figure) -> None:
        for column, (title, factors) in enumerate(small):
            left = column * (_WIDE_MM - _SMALL_MM)
            axes = _axes(figure, left, low_mm, _SMALL_MM, high_mm)
            paint_circuit(axes, title, factors, _SMALL_MM, numbers=pair)
        key_left = 0.0
        if large is not None:
            key_left = _LARGE_MM + 5.0
            paint_circuit(_axes(figure, 0.0, 0.0, _LARGE_MM, low_mm), *large, _LARGE_MM, numbers=True)
        key = _plain_axes(figure, key_left, 0.0, _WIDE_MM - key_left, low_mm)
        paint_legend(key, strength=strength, drives=drives)

    return draw_svg(paint, size_mm=(_WIDE_MM, low_mm + high_mm), name=name, description=description)


def _tells(factors: Factors) -> bool:
    """Return whether a connection would be drawn as known."""
    return any(one.identified for (_, name), one in factors.items() if name in _DRAWN_FACTORS)


def paint_circuit(
    axes: Axes, title: str, factors: Factors, width_mm: float, *, numbers: bool = False
) -> None:
    """Draw both hemispheres on axes whose units are those of `mechanism_wiring`.

    With `numbers` the value of every identified factor stands beside one of its connections.
    """
    zoom = width_mm / (2 * HALF_WIDTH_MM)
    axes.text(
        -HALF_WIDTH_MM + 1, HEIGHT_MM + 4.4, title, fontsize=9, fontweight="bold", color=INK, va="center"
    )
    for side, sign in SIDES:
        _paint_outline(axes, sign, PAIN_WASH if side == "pain" else BRAIN_WASH)
        label = "pain-side hemisphere" if side == "pain" else "other hemisphere"
        axes.text(sign * 23, HEIGHT_MM + 0.9, label, fontsize=7, color=MUTED, ha="center", va="center")
    _paint_callosum(axes)
    for side, sign in SIDES:
        shades = {factor: shade_of(factors.get((side, factor))) for factor in _DRAWN_FACTORS}
        _paint_incoming(axes, sign, shades["callosum"])
        _paint_tone(axes, sign, shades[TONE])
        for connection in sorted(wiring.CONNECTIONS, key=lambda one: shades[one.factor].known):
            look = shades[connection.factor]
            if connection.source == connection.target:
                _paint_loop(axes, sign, look)
            else:
                start, corner, end = wiring.between(connection)
                corners = np.stack(
                    [start, start + (corner - start) * 2 / 3, end + (corner - end) * 2 / 3, end]
                )
                paint_line(axes, _mirrored(corners, sign), look, connection.kind)
        _paint_output(axes, sign)
        for population in wiring.POPULATIONS.values():
            paint_population(axes, population, sign, zoom)
        if numbers:
            _paint_numbers(axes, side, sign, factors)


_DRAWN_FACTORS: Final = ("nmda_pyramids", "nmda_interneurons", "gaba_a", "gaba_b", "callosum", TONE)


def _paint_numbers(axes: Axes, side: str, sign: float, factors: Factors) -> None:
    wash = PAIN_WASH if side == "pain" else BRAIN_WASH
    for name, (x, y) in wiring.LABELS.items():
        factor = factors.get((side, name))
        if factor is None or not factor.identified:
            continue
        axes.text(
            sign * x, y, factor_text(factor), fontsize=6.5, color=INK, ha="center", va="center", zorder=5,
            bbox={"facecolor": wash, "alpha": 0.8, "linewidth": 0, "boxstyle": "square,pad=0.12"},
        )  # fmt: skip


def _paint_outline(axes: Axes, sign: float, wash: str) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    vertices, codes = wiring.smooth_closed(wiring.OUTLINE)
    axes.add_artist(
        PathPatch(Path(_mirrored(vertices, sign), codes), facecolor=wash, edgecolor=RIM, linewidth=0.9)
    )
    for sulcus in wiring.SULCI:
        path = Path(_mirrored(np.array(sulcus), sign), [int(Path.MOVETO)] + [int(Path.CURVE4)] * 3)
        axes.add_artist(PathPatch(path, fill=False, edgecolor=RIM, linewidth=0.8, capstyle="round"))


def _paint_callosum(axes: Axes) -> None:
    """Join the hemispheres: over their rims, below every fibre."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    upper, lower = (np.array(edge) for edge in wiring.CALLOSUM)
    curve = [int(Path.CURVE4)] * 3
    both = Path(np.concatenate([upper, lower]), [int(Path.MOVETO), *curve, int(Path.LINETO), *curve])
    axes.add_artist(PathPatch(both, facecolor=BRIDGE_WASH, linewidth=0))
    for edge in (upper, lower):
        path = Path(edge, [int(Path.MOVETO), *curve])
        axes.add_artist(PathPatch(path, fill=False, edgecolor=RIM, linewidth=0.9))


def _paint_incoming(axes: Axes, sign: float, look: Shade) -> None:
    """Draw the fibre from the other hemisphere: a trunk, then a branch onto A and one onto B."""
    trunk = np.array(wiring.TRUNK)
    # Two cubic pieces through the midline: the corner before the fork carries the direction on.
    pieces = np.stack([*trunk[:4], (trunk[3] * 2 + trunk[4]) / 3, (trunk[3] + trunk[4] * 2) / 3, trunk[4]])
    paint_line(axes, _mirrored(pieces, sign), look, None)
    for branch in (wiring.TO_A, wiring.TO_B):
        paint_line(axes, _mirrored(np.array(branch), sign), look, "excites")


def _paint_tone(axes: Axes, sign: float, look: Shade) -> None:
    """Draw the steady drive of B: a wave that becomes an arrow."""
    start, end = np.array(wiring.TONE_FROM), np.array(wiring.TONE_TO)
    along = (end - start) / np.hypot(*(end - start))
    across = np.array([-along[1], along[0]])
    step, height = 1.25, 1.15
    corners = [start]
    for half in range(4):
        side = across * height * (-1) ** half
        first = start + along * step * half
        corners += [
            first + along * step / 3 + side,
            first + along * step * 2 / 3 + side,
            first + along * step,
        ]
    last = corners[-1]
    corners += [last + (end - last) / 3, last + (end - last) * 2 / 3, end]
    paint_line(axes, _mirrored(np.array(corners), sign), look, "excites")


def _paint_loop(axes: Axes, sign: float, look: Shade) -> None:
    """Draw the connection of E onto itself."""
    x, y = wiring.POPULATIONS["E"].at
    corners = np.array([(x + 1.3, y + 3.0), (x + 3.2, y + 9.0), (x + 9.8, y + 5.4), (x + 4.4, y - 0.4)])
    paint_line(axes, _mirrored(corners, sign), look, "excites")


def _paint_output(axes: Axes, sign: float) -> None:
    """Draw the way of P to the hand."""
    population = wiring.POPULATIONS["P"]
    x, top = sign * population.at[0], population.at[1] - population.radius / 2 - 0.5
    plain = Shade(MUTED, 1.0, 1.0, True)
    corners = np.column_stack([np.full(4, x), np.linspace(top, -2.4, 4)])
    paint_line(axes, corners, plain, "excites")
    inwards = "right" if sign > 0 else "left"
    axes.text(x - sign * 1.6, -1.4, "to the hand: MEP", fontsize=6.5, color=MUTED, ha=inwards, va="center")


def _mirrored(points: Floats, sign: float) -> Floats:
    return np.asarray(points * np.array([sign, 1.0]))


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    axes = _plain_axes(figure, left, bottom, width, height)
    zoom = width / (2 * HALF_WIDTH_MM)
    axes.set_xlim(-HALF_WIDTH_MM, HALF_WIDTH_MM)
    axes.set_ylim(_TOP - height / zoom, _TOP)
    return axes


def _plain_axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    from sudeck.report.kit.figures import axes_mm

    axes = axes_mm(figure, left, bottom, width, height)
    axes.set_axis_off()
    return axes
