"""Plots written as SVG: axes, lines, bands and marks, placed in mm on paper.

Matplotlib takes longer to load and to draw than all that is measured of a recording. Data stand in whole
hundredths of a millimetre, finer than any print, which keeps a page small.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sudeck.report.kit.palette import BAND, GREY, INK, MUTED

if TYPE_CHECKING:
    from markupsafe import Markup

_FONT: Final = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
_MM_PER_PT: Final = 25.4 / 72
SMALL, NORMAL = 7 * _MM_PER_PT, 8 * _MM_PER_PT
_FRAME_MM, _TICK_MM = 0.21, 0.9
_UNITS: Final = 100.0  # of the inside of a plot, per mm
# Beyond its axes by so many times their length nothing is drawn: no number of a page is endless.
_FURTHEST: Final = 4.0
# A log axis of less than this has round numbers of a linear one: they read better.
_LEAST_LOG: Final = 8.0
# Two ticks are no closer than this share of what so many would have: they crowd at the end of a log axis.
_CLOSEST: Final = 0.5


@dataclass(frozen=True)
class Span:
    """One axis of a plot.

    Attributes
    ----------
    low, high : float
        Its ends; above 0 for a log axis.
    log : bool

    Examples
    --------
    >>> Span(0.0, 50.0).ticks(4)
    [0.0, 20.0, 40.0]
    >>> Span(0.004, 12.0, log=True).ticks(4)
    [0.01, 0.1, 1.0, 10.0]
    """

    low: float
    high: float
    log: bool = False

    def share(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return where values lie: 0 at the low end, 1 at the high one; NaN for what is nowhere."""
        given = np.asarray(values, dtype=np.float64)
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                found = np.log(given / self.low) / math.log(self.high / self.low)
        else:
            found = (given - self.low) / (self.high - self.low)
        return np.clip(found, -_FURTHEST, 1 + _FURTHEST)

    def ticks(self, most: int) -> list[float]:
        """Return no more than so many round numbers on the axis."""
        if self._by_decades():
            return self._log_ticks(most)
        # Of 1, 2, 5, 10 ... the smallest step that is enough.
        ten = 10.0 ** math.floor(math.log10((self.high - self.low) / most))
        for step in (ten, 2 * ten, 5 * ten, 10 * ten, 20 * ten, 50 * ten):
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            found = [round(index * step, 12) for index in range(first, last + 1)]
            if len(found) <= most and np.diff(self.share(found)).min(initial=1.0) > _CLOSEST / most:
                return found
        return []

    def named_ticks(self, most: int) -> list[tuple[float, str]]:
        """Return the ticks with their numbers: all with the same decimals, over decades as short as can be.

        Examples
        --------
        >>> Span(-0.7, 0.7).named_ticks(3), Span(0.04, 20.0, log=True).named_ticks(3)
        ([(-0.5, '−0.5'), (0.0, '0.0'), (0.5, '0.5')], [(0.1, '0.1'), (1.0, '1'), (10.0, '10')])
        """
        ticks, short = self.ticks(most), self._by_decades()
        decimals = max((len(f"{tick:.10f}".rstrip("0").partition(".")[2]) for tick in ticks), default=0)
        return [
            (tick, (f"{tick:g}" if short else f"{tick:.{decimals}f}").replace("-", "−")) for tick in ticks
        ]

    def _by_decades(self) -> bool:
        return self.log and self.high / self.low > _LEAST_LOG

    def _log_ticks(self, most: int) -> list[float]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for bases, every in (((1.0, 2.0, 5.0), 1), ((1.0, 3.0), 1), ((1.0,), 1), ((1.0,), 2), ((1.0,), 3)):
            found = [
                round(base * 10.0**power, 12) for power in powers if power % every == 0 for base in bases
            ]
            inside = [value for value in found if self.low <= value <= self.high]
            if len(inside) <= most:
                return inside
        return []


@dataclass(frozen=True)
class Stroke:
    """How a line is drawn; width and dashes in mm."""

    colour: str
    width: float = 0.42
    dash: tuple[float, ...] = ()
    opacity: float = 1.0

    def attributes(self, per_mm: float = 1.0) -> str:
        """Return it as attributes of a path whose units are so many per mm."""
        text = f'fill="none" stroke="{self.colour}" stroke-width="{self.width * per_mm:.3g}"'
        if self.dash:
            text += f' stroke-dasharray="{" ".join(f"{length * per_mm:.3g}" for length in self.dash)}"'
        return text if self.opacity == 1.0 else f'{text} stroke-opacity="{self.opacity:g}"'


# Of half width 1: what is filled, and what is a stroke only.
_SHAPES: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "s": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "D": ((0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)),
    "^": ((0.0, -1.1), (1.1, 0.9), (-1.1, 0.9)),
    "v": ((0.0, 1.1), (1.1, -0.9), (-1.1, -0.9)),
    "p": ((0.0, -1.1), (1.05, -0.34), (0.65, 0.9), (-0.65, 0.9), (-1.05, -0.34)),
    "P": ((-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4), (0.4, 1.1),
          (-0.4, 1.1), (-0.4, 0.4), (-1.1, 0.4), (-1.1, -0.4), (-0.4, -0.4)),
    "X": ((-1.1, -0.55), (-0.55, -1.1), (0.0, -0.55), (0.55, -1.1), (1.1, -0.55), (0.55, 0.0), (1.1, 0.55),
          (0.55, 1.1), (0.0, 0.55), (-0.55, 1.1), (-1.1, 0.55), (-0.55, 0.0)),
}  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """What stands for one value.

    Attributes
    ----------
    shape : str
        ``o``, ``s``, ``D``, ``^``, ``v``, ``p``, ``P``, ``X``; of strokes ``x`` and ``|``.
    colour : str
    size : float
        Half width in mm.
    fill : str, optional
        Of the inside of an outlined mark: a colour, or ``"none"``; without, the mark is filled throughout.
    opacity : float
    """

    shape: str
    colour: str = INK
    size: float = 0.5
    fill: str = ""
    opacity: float = 1.0

    def path(self, places: Iterable[tuple[float, float]], per_mm: float = 1.0) -> str:
        """Return one path that holds the mark at every place."""
        digits = 0 if per_mm > 1 else 2
        drawn = self._outline(self.size * per_mm, digits)
        data = "".join(f"M{x:.{digits}f} {y:.{digits}f}{drawn}" for x, y in places)
        if not data:
            return ""
        opacity = "" if self.opacity == 1.0 else f' opacity="{self.opacity:g}"'
        if self.shape in "x|":
            return f'<path d="{data}" {Stroke(self.colour, 0.25).attributes(per_mm)}{opacity}/>'
        if self.fill:
            stroke = f'stroke="{self.colour}" stroke-width="{0.3 * per_mm:.3g}"'
            return f'<path d="{data}" fill="{self.fill}" {stroke}{opacity}/>'
        return f'<path d="{data}" fill="{self.colour}"{opacity}/>'

    def _outline(self, size: float, digits: int) -> str:
        def moved(points: Sequence[tuple[float, float]]) -> str:
            return " ".join(f"{size * x:.{digits}f} {size * y:.{digits}f}" for x, y in points)

        if self.shape == "|":
            return f"m{moved([(0.0, -1.0)])}v{2 * size:.{digits}f}"
        if self.shape == "x":
            falls, rises = moved([(2.0, 2.0)]), moved([(2.0, -2.0)])
            return f"m{moved([(-1.0, -1.0)])}l{falls}m{moved([(-2.0, 0.0)])}l{rises}"
        if self.shape == "o":
            radius = f"{size:.{digits}f} {size:.{digits}f} 0 1 0"
            return f"m{moved([(-1.0, 0.0)])}a{radius} {moved([(2.0, 0.0)])}a{radius} {moved([(-2.0, 0.0)])}"
        points = _SHAPES[self.shape]
        steps = [(x - a, y - b) for (a, b), (x, y) in pairwise(points)]
        return f"m{moved(points[:1])}l{moved(steps)}z"


@dataclass(frozen=True)
class Plot:
    """A rectangle of paper with two axes.

    Attributes
    ----------
    left, top, width, height : float
        In mm from the upper left corner of the sheet.
    x, y : Span
    """

    left: float
    top: float
    width: float
    height: float
    x: Span
    y: Span

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a value on the sheet, in mm."""
        across, up = float(self.x.share(x)), float(self.y.share(y))
        return self.left + across * self.width, self.top + (1 - up) * self.height

    def line(self, x: ArrayLike, y: ArrayLike, stroke: Stroke) -> str:
        """Draw a line, broken where a value is not finite; rows of `y` are lines of one `x`."""
        across = self._across(x)
        data = []
        for row in np.atleast_2d(self._down(y)):
            known = np.isfinite(across) & np.isfinite(row)
            for run in np.split(np.flatnonzero(known), _breaks(known)):
                if run.size > 1:
                    data.append(_path(np.rint(np.column_stack([across[run], row[run]])).astype(int)))
        return f'<path d="{"".join(data)}" {stroke.attributes(_UNITS)}/>' if data else ""

    def band(self, x: ArrayLike, low: ArrayLike, high: ArrayLike, colour: str, opacity: float = 1.0) -> str:
        """Fill what lies between two lines."""
        across, under, over = self._across(x), self._down(low), self._down(high)
        edge = np.column_stack([np.r_[across, across[::-1]], np.r_[over, under[::-1]]])
        edge = edge[np.isfinite(edge).all(axis=1)]
        if len(edge) < 3:
            return ""
        path = _path(np.rint(edge).astype(int))
        return f'<path d="{path}z" fill="{colour}" fill-opacity="{opacity:g}"/>'

    def across_all(self, x: float, stroke: Stroke) -> str:
        """Draw an upright line at a value."""
        return self.line([x, x], self._ends(self.y), stroke)

    def along_all(self, y: float, stroke: Stroke) -> str:
        """Draw a level line at a value."""
        return self.line(self._ends(self.x), [y, y], stroke)

    def marks(self, x: ArrayLike, y: ArrayLike, mark: Mark) -> str:
        """Draw a mark at every value that is finite."""
        places = np.column_stack([self._across(np.atleast_1d(x)), self._down(np.atleast_1d(y))])
        return mark.path(map(tuple, places[np.isfinite(places).all(axis=1)].tolist()), _UNITS)

    def grid(self, ticks: Iterable[tuple[float, str]]) -> str:
        """Draw level lines that lie behind."""
        return "".join(self.along_all(tick, Stroke(BAND, 0.18)) for tick, _ in ticks)

    def inside(self, parts: Iterable[str], *, cut: bool = True) -> str:
        """Return what was drawn on the axes, at its place on the sheet; cut off at the axes or not."""
        size = f'width="{self.width:g}" height="{self.height:g}"'
        box = f'viewBox="0 0 {self.width * _UNITS:.0f} {self.height * _UNITS:.0f}"'
        shown = "" if cut else ' overflow="visible"'
        return f'<svg x="{self.left:g}" y="{self.top:g}" {size} {box}{shown}>{"".join(parts)}</svg>'

    def x_axis(self, ticks: Sequence[tuple[float, str]], label: str = "", *, named: bool = True) -> str:
        """Draw the axis below, its ticks with their names, and what it is."""
        foot = self.top + self.height
        places = [self.at(value, self.y.low)[0] for value, _ in ticks]
        strokes = "".join(f"M{x:.2f} {foot:.2f}v{_TICK_MM}" for x in places)
        parts = [_axis_line(f"M{self.left:g} {foot:.2f}h{self.width:g}{strokes}")]
        if named:
            names = zip(places, ticks, strict=True)
            parts += [text(x, foot + 3.5, name, size=SMALL, anchor="middle") for x, (_, name) in names]
        if label:
            parts.append(text(self.left + self.width / 2, foot + 7.3, label, anchor="middle"))
        return "".join(parts)

    def y_axis(self, ticks: Sequence[tuple[float, str]], label: str = "", *, label_mm: float = 2.8) -> str:
        """Draw the axis at the left; its label stands upright, so far from the edge of the sheet."""
        places = [self.at(self.x.low, value)[1] for value, _ in ticks]
        strokes = "".join(f"M{self.left:g} {y:.2f}h{-_TICK_MM}" for y in places)
        parts = [_axis_line(f"M{self.left:g} {self.top:g}v{self.height:g}{strokes}")]
        names = zip(places, ticks, strict=True)
        parts += [text(self.left - 1.6, y + 0.9, name, size=SMALL, anchor="end") for y, (_, name) in names]
        if label:
            parts.append(upright(label_mm, self.top + self.height / 2, label))
        return "".join(parts)

    def _across(self, x: ArrayLike) -> NDArray[np.float64]:
        return self.x.share(x) * (self.width * _UNITS)

    def _down(self, y: ArrayLike) -> NDArray[np.float64]:
        return (1 - self.y.share(y)) * (self.height * _UNITS)

    @staticmethod
    def _ends(span: Span) -> list[float]:
        return [span.low, span.high]


def text(
    x: float, y: float, words: str, *, size: float = NORMAL, anchor: str = "start", colour: str = INK,
    bold: bool = False,
) -> str:  # fmt: skip
    """Write words at a place on the sheet, escaped."""
    from markupsafe import escape

    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:.2f}" text-anchor="{anchor}" '
        f'fill="{colour}"{weight}>{escape(words)}</text>'
    )


def upright(x: float, y: float, words: str) -> str:
    """Write words from below to above, their middle at a place."""
    from markupsafe import escape

    return (
        f'<text transform="translate({x:.2f} {y:.2f}) rotate(-90)" font-size="{NORMAL:.2f}" '
        f'text-anchor="middle" fill="{INK}">{escape(words)}</text>'
    )


def legend(items: Sequence[tuple[Mark, str]], left: float, top: float, width: float) -> tuple[str, float]:
    """Return the names of marks in lines no longer than `width`, and the height of these, in mm."""
    parts, x, y = [], left, top + 2.4
    for mark, name in items:
        length = 2.6 + text_width(name) + 2.6
        if x > left and x + length - 2.6 > left + width:
            x, y = left, y + 3.6
        parts.append(mark.path([(x + 0.8, y - 0.85)]))
        parts.append(text(x + 2.6, y, name, size=SMALL, colour=MUTED))
        x += length
    return "".join(parts), y - top + 1.2 if items else 0.0


def text_width(words: str, size: float = SMALL) -> float:
    """Return about how wide words are, in mm."""
    return 0.53 * size * len(words)


def sheet(width: float, height: float, parts: Iterable[str], description: str) -> Markup:
    """Return what was drawn as SVG to stand inside a page, as wide as its place there.

    Parameters
    ----------
    width, height : float
        On paper, in mm.
    parts : iterable of str
        Drawn one over the other.
    description : str
        What the figure shows, for those who can not see it.
    """
    from markupsafe import Markup, escape

    return Markup(
        f'<svg role="img" aria-label="{escape(description)}" viewBox="0 0 {width:g} {height:.4g}" '
        f'font-family="{_FONT}">{"".join(parts)}</svg>'
    )


def _axis_line(path: str) -> str:
    return f'<path d="{path}" {Stroke(GREY, _FRAME_MM).attributes()}/>'


def _breaks(known: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Return where the indices of known values leave some out."""
    kept = np.flatnonzero(known)
    return np.flatnonzero(np.diff(kept) > 1) + 1


def _path(places: NDArray[np.int_]) -> str:
    """Return a path by its steps; places are rounded before, so that no error adds up."""
    (x, y), steps = places[0].tolist(), np.diff(places, axis=0)
    return f"M{x} {y}l{' '.join(map(str, steps.ravel().tolist()))}"
