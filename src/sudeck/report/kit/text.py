"""Numbers and names as text, the same in every report and on the console."""

from __future__ import annotations

import math
import unicodedata

from sudeck.core.estimate import Estimate

# Controls, format characters (direction marks among them), lone surrogates, private and unassigned.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn"}
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_MOST_DECIMALS = 6


def printable(text: str) -> str:
    r"""Return `text` with every character replaced that could deceive a reader or break a terminal.

    Examples
    --------
    >>> printable("pool\x1b[2J.dcm")
    'pool�[2J.dcm'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if letter in "\t\n\r" else _REPLACEMENT if unicodedata.category(letter) in _UNSAFE else letter
        for letter in text
    )


def group_thousands(value: float) -> str:
    """Return a count with its thousands apart, by a comma: ``12,345``."""
    return f"{value:,.0f}"


def decimals_of(estimate: Estimate) -> int:
    """Return the decimals that show two digits of the estimate's half interval.

    Examples
    --------
    >>> decimals_of(Estimate("slope", 0.1234, 0.1112, 0.1356))
    3
    """
    half = (estimate.high - estimate.low) / 2
    if not math.isfinite(half) or half <= 0:
        half = abs(estimate.value) / 100 or 0.01
    return min(max(1 - math.floor(math.log10(half)), 0), _MOST_DECIMALS)


def number(value: float, decimals: int) -> str:
    """Return a number with fixed decimals, a real minus sign (never before zero), and ∞ for an open bound."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:z.{decimals}f}".replace("-", "−")


def value_text(estimate: Estimate, decimals: int | None = None) -> str:
    """Return the value alone, with its unit."""
    text = number(estimate.value, decimals_of(estimate) if decimals is None else decimals)
    return f"{text} {estimate.unit}".strip()


def interval_text(estimate: Estimate, decimals: int | None = None) -> str:
    """Return the interval alone: ``1.250 to 1.352``."""
    places = decimals_of(estimate) if decimals is None else decimals
    return f"{number(estimate.low, places)} to {number(estimate.high, places)}"


def percent(share: float) -> str:
    """Return a probability or share in per cent, never rounded to certainty.

    Examples
    --------
    >>> percent(0.734), percent(0.9999), percent(0.0001)
    ('73 %', '> 99 %', '< 1 %')
    """
    if share > 0.99:
        return "> 99 %"
    return "< 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def clock_text(seconds: float) -> str:
    """Return a time since injection in the unit a person would use.

    Examples
    --------
    >>> clock_text(5.0), clock_text(300.0), clock_text(10800.0)
    ('5 s', '5 min', '3 h')
    """
    size = abs(seconds)
    length, unit = (1.0, "s") if size < 120 else (60.0, "min") if size < 7200 else (3600.0, "h")
    return f"{round(seconds / length, 1):g} {unit}".replace("-", "−")


def p_text(value: float) -> str:
    """Return a P value as papers print it: two digits, ``< 0.001`` below.

    Examples
    --------
    >>> p_text(0.0312), p_text(0.00002), p_text(0.4567)
    ('0.031', '< 0.001', '0.46')
    """
    if math.isnan(value):
        return ""
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
