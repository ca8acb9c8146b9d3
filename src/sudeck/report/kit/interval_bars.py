"""Dot-and-interval bars small enough for a table cell, all on one axis, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from sudeck.core.estimate import Estimate, Scale
from sudeck.report.kit.palette import AFFECTED_COLOUR, HEALTHY_COLOUR, INK, MUTED, RULE

if TYPE_CHECKING:
    from markupsafe import Markup

_WIDTH, _HEIGHT = 240.0, 24.0
_MIDDLE = _HEIGHT / 2
_TICK_APART = 0.03  # of the width, between labels, and the width of a character of them: none touch
_CHARACTER = 0.028
_MARGIN = 0.06


@dataclass(frozen=True)
class IntervalAxis:
    """The axis that the bars of one table share.

    Attributes
    ----------
    low, high : float
        Ends of the axis.
    scale : {"linear", "log"}
    reference : float or None
        A value worth a thin line through every row, e.g. 1 for ratios.

    Examples
    --------
    >>> axis = IntervalAxis.around([Estimate("BPr", 1.3, 0.9, 1.9)], scale="log")
    >>> axis.ticks()
    (1.0, 1.2, 1.4, 1.6, 1.8)
    """

    low: float
    high: float
    scale: Scale = "linear"
    reference: float | None = None

    @classmethod
    def around(
        cls,
        estimates: Iterable[Estimate],
        *,
        marks: Iterable[float] = (),
        reference: float | None = None,
        scale: Scale = "linear",
    ) -> IntervalAxis:
        """Return an axis that holds all intervals, marks and the reference, with a margin."""
        places = [place for item in estimates for place in (item.low, item.value, item.high)]
        places += [*marks, *([] if reference is None else [reference])]
        shown = [place for place in places if math.isfinite(place) and (scale == "linear" or place > 0)]
        low, high = (min(shown), max(shown)) if shown else (0.5, 2.0)
        if scale == "log":
            margin = (high / low) ** _MARGIN if high > low else 1.1
            return cls(low / margin, high * margin, scale, reference)
        spread = _MARGIN * (high - low) if high > low else 0.1 * (abs(high) or 1.0)
        return cls(low - spread, high + spread, scale, reference)

    def place(self, value: float) -> float:
        """Return where a value lies on the axis, 0 at its left end and 1 at its right; clipped to it."""
        if self.scale == "log":
            if value <= 0:
                return 0.0
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(max(share, 0.0), 1.0)

    def ticks(self) -> tuple[float, ...]:
        """Return round numbers on the axis, as many as have room for their labels."""
        for candidates in _round_numbers(self.low, self.high):
            shares = [self.place(value) for value in candidates]
            gaps = (second - first for first, second in pairwise(shares))
            longest = max((len(f"{value:g}") for value in candidates), default=0)
            if all(gap >= _TICK_APART + _CHARACTER * longest for gap in gaps):
                return tuple(candidates)
        return ()

    def bar(
        self,
        estimate: Estimate,
        *,
        mark: float | None = None,
        behind: Iterable[tuple[str, float]] = (),
        band: Estimate | None = None,
    ) -> Markup:
        """Draw one estimate: dot at the value, line over the interval.

        Parameters
        ----------
        estimate : Estimate
        mark : float, optional
            Gets a dashed stroke.
        behind : iterable of (str, float)
            Single values, as pale dots that tell their name to a pointer.
        band : Estimate, optional
            What was expected: its interval as a pale band with a stroke at its value.
        """
        from markupsafe import Markup

        left, middle, right = (
            self.place(value) * _WIDTH for value in (estimate.low, estimate.value, estimate.high)
        )
        ends = "".join(f"M{x:.1f} {_MIDDLE - 4.5}v9" for x in (left, right))
        parts = [self._reference(), *self._behind(behind)]
        if band is not None:
            parts.append(self._band(band))
        parts.append(
            f'<path d="M{left:.1f} {_MIDDLE}H{right:.1f}{ends}" '
            f'stroke="{INK}" stroke-width="1.4" fill="none"/>'
            f'<circle cx="{middle:.1f}" cy="{_MIDDLE}" r="3" fill="{INK}"/>'
        )
        if mark is not None:
            x = self.place(mark) * _WIDTH
            parts.append(
                f'<path d="M{x:.1f} 1v{_HEIGHT - 2}" stroke="{AFFECTED_COLOUR}" stroke-width="1.8" '
                'stroke-dasharray="3.5 2"/>'
            )
        return Markup(self._svg("".join(parts), str(estimate)))

    def labels(self) -> Markup:
        """Draw the axis itself, for the last row of the table."""
        from markupsafe import Markup

        parts = [f'<path d="M0 3H{_WIDTH}" stroke="{MUTED}" stroke-width="0.8"/>']
        for tick in self.ticks():
            x = self.place(tick) * _WIDTH
            parts.append(
                f'<path d="M{x:.1f} 3v4" stroke="{MUTED}" stroke-width="0.8"/>'
                f'<text x="{x:.1f}" y="17" text-anchor="middle">{tick:g}</text>'
            )
        return Markup(self._svg("".join(parts), "axis"))

    def _behind(self, single: Iterable[tuple[str, float]]) -> Iterator[str]:
        from markupsafe import escape

        for name, value in single:
            x = self.place(value) * _WIDTH
            yield (
                f'<circle cx="{x:.1f}" cy="{_MIDDLE}" r="2.6" fill="{MUTED}" fill-opacity="0.28">'
                f"<title>{escape(name)}: {value:#.3g}</title></circle>"
            )

    def _band(self, band: Estimate) -> str:
        left, middle, right = (self.place(value) * _WIDTH for value in (band.low, band.value, band.high))
        return (
            f'<path d="M{left:.1f} 3H{right:.1f}V{_HEIGHT - 3}H{left:.1f}z" fill="{HEALTHY_COLOUR}" '
            f'fill-opacity="0.22"/><path d="M{middle:.1f} 3V{_HEIGHT - 3}" stroke="{HEALTHY_COLOUR}" '
            'stroke-width="1.2"/>'
        )

    def _reference(self) -> str:
        if self.reference is None:
            return ""
        x = self.place(self.reference) * _WIDTH
        return f'<path d="M{x:.1f} 0v{_HEIGHT}" stroke="{RULE}" stroke-width="0.8"/>'

    @staticmethod
    def _svg(content: str, description: str) -> str:
        from markupsafe import escape

        return (
            f'<svg class="interval" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" '
            f'aria-label="{escape(description)}">{content}</svg>'
        )


def share_bar(first: float, second: float) -> Markup:
    """Draw two parts of a whole as a bar: the first filled, the second open; readable without colour."""
    from markupsafe import Markup

    total = first + second
    width = 120.0 * (first / total if total > 0 else 0.0)
    return Markup(
        '<svg class="shares" viewBox="0 0 122 12" role="img" aria-label="shares of the variance">'
        f'<rect x="1" y="1" width="{width:.1f}" height="10" fill="{MUTED}"/>'
        f'<rect x="1" y="1" width="120" height="10" fill="none" stroke="{MUTED}"/></svg>'
    )


def _round_numbers(low: float, high: float) -> Iterator[list[float]]:
    """Yield sets of round numbers within the axis, from dense to sparse."""
    if low > 0 and high / low > 4:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for bases in ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
            values = (base * 10.0**power for power in powers for base in bases)
            yield [value for value in values if low <= value <= high]
    finest = math.floor(math.log10(high - low)) - 1
    for power in range(finest, finest + 3):
        for base in (1.0, 2.0, 5.0):
            step = base * 10.0**power
            first, last = math.ceil(low / step), math.floor(high / step)
            yield [round(index * step, 10) for index in range(first, last + 1)]
