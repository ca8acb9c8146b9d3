"""Do a printed r, P and n fit together? Arithmetic that works for any paper.

Rounding is part of the evidence, so numbers are given as printed: ``"0.32"`` stands for 0.315 to 0.325, and
``"<0.001"`` for anything below. The test is the usual two-sided one, t with n - 2 degrees of freedom.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.statistics.correlation import fisher_interval, p_value

_LARGEST_N = 1_000_000


@dataclass(frozen=True, slots=True)
class ReportedCorrelation(Record):
    """One printed correlation held against its own P value and number of patients.

    Attributes
    ----------
    r, p : str
        As printed.
    n : int or None
        Number of patients the paper gives.
    implied_p : tuple of float, or None
        Range of P that `r` (within its rounding) gives at `n`.
    compatible_n : tuple of int, or None
        Smallest and largest number of patients that give the printed P; ``None`` if none does.
    consistent : bool or None
        Whether `n` is among them; ``None`` without an `n`.
    lost_zero : bool
        Whether the printed P would fit `n` with one more zero after the point.
    low, high : float or None
        95 % Fisher interval of `r` at `n`.
    """

    r: str
    p: str
    n: int | None
    implied_p: tuple[float, float] | None
    compatible_n: tuple[int, int] | None
    consistent: bool | None
    lost_zero: bool
    low: float | None
    high: float | None

    def __str__(self) -> str:
        text = f"r = {self.r}, P {_with_sign(self.p)}"
        if self.implied_p is not None:
            text += f": at n = {self.n} P would be {self.implied_p[0]:.2g} to {self.implied_p[1]:.2g}"
        if self.compatible_n is None:
            return text + "; no number of patients gives the printed P"
        low, high = self.compatible_n
        text += (
            f"; the printed P needs {low} to {high} patients"
            if high < _LARGEST_N
            else f"; needs at least {low}"
        )
        return text + ("; one zero more after the point would fit" if self.lost_zero else "")


@dataclass(frozen=True, slots=True)
class ReportedSet(Record):
    """Several printed correlations that should rest on the same patients.

    Attributes
    ----------
    correlations : tuple of ReportedCorrelation
    common_n : tuple of int, or None
        Numbers of patients that fit all of them; ``None`` if no single number does.
    """

    correlations: tuple[ReportedCorrelation, ...]
    common_n: tuple[int, int] | None

    def __str__(self) -> str:
        lines = [str(correlation) for correlation in self.correlations]
        if self.common_n is None:
            lines.append("no single number of patients fits all of them")
        else:
            lines.append(f"all of them fit {self.common_n[0]} to {self.common_n[1]} patients")
        return "\n".join(lines)


def check_reported_correlation(r: str, p: str, n: int | None = None) -> ReportedCorrelation:
    """Hold a printed correlation against its printed P value and number of patients.

    Parameters
    ----------
    r, p : str
        As printed, e.g. ``"0.32"``, ``"-0.5"``; ``"0.009"``, ``"<0.001"``, ``"P > 0.05"``.
    n : int, optional

    Raises
    ------
    InputError
        If the text is no number, |r| >= 1, P is outside 0 to 1, or n < 3.

    Examples
    --------
    >>> print(check_reported_correlation("0.32", "0.009", 105))
    r = 0.32, P = 0.009: at n = 105 P would be 0.00072 to 0.0011; the printed P needs 63 to 68 patients; \
one zero more after the point would fit
    """
    r_low, r_high = _r_range(r)
    p_low, p_high = _p_range(p)
    if n is not None and n < 3:
        raise InputError(
            f"n = {n}", "a correlation of fewer than three patients has no P", "check the number"
        )
    fits = _compatible_n(r_low, r_high, p_low, p_high)
    implied = None if n is None else (p_value(r_high, n), p_value(r_low, n))
    consistent = None if n is None else _overlap(implied, (p_low, p_high))
    lost_zero = consistent is False and _overlap(implied, (p_low / 10, p_high / 10))
    middle = float(_number(r))
    interval = (None, None) if n is None else fisher_interval(middle, n)
    return ReportedCorrelation(r, p, n, implied, fits, consistent, lost_zero, *interval)


def check_reported_set(printed: Sequence[tuple[str, str]], n: int | None = None) -> ReportedSet:
    """Hold several printed pairs of r and P, said to rest on the same patients, against each other.

    Parameters
    ----------
    printed : sequence of (r, P) as printed
    n : int, optional
        Number of patients the paper gives for all.
    """
    checked = tuple(check_reported_correlation(r, p, n) for r, p in printed)
    ranges = [correlation.compatible_n for correlation in checked]
    known = [fits for fits in ranges if fits is not None]
    low, high = max((a for a, _ in known), default=1), min((b for _, b in known), default=0)
    return ReportedSet(checked, (low, high) if len(known) == len(ranges) and low <= high else None)


def _compatible_n(r_low: float, r_high: float, p_low: float, p_high: float) -> tuple[int, int] | None:
    """Return the range of n for which some |r| in its rounding gives some P in its rounding.

    P falls with n and with |r|, so the largest |r| needs the fewest patients to come below the upper end of
    P, and the smallest |r| stays above the lower end longest.
    """
    fewest = _first_n(lambda n: p_value(r_high, n) <= p_high)
    most = _first_n(lambda n: p_value(r_low, n) < p_low) - 1 if p_low > 0 else _LARGEST_N
    return (fewest, most) if 3 <= fewest <= most else None


def _first_n(condition: Any) -> int:
    """Return the first n from 3 on that meets a condition which, once met, stays met."""
    low, high = 2, 3
    while not condition(high):
        low, high = high, high * 2
        if high > _LARGEST_N:
            return _LARGEST_N
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if condition(middle) else (middle, high)
    return high


def _overlap(implied: tuple[float, float] | None, printed: tuple[float, float]) -> bool:
    return implied is not None and implied[0] <= printed[1] and implied[1] >= printed[0]


def _r_range(text: str) -> tuple[float, float]:
    """Return the smallest and the largest |r| that would be printed like this."""
    value, half = abs(float(_number(text))), _half_unit(text)
    if value >= 1:
        raise InputError(f"r = {text}", "a correlation below 1 is needed", "check the number")
    return max(value - half, 0.0), min(value + half, 1.0 - 1e-12)


def _p_range(text: str) -> tuple[float, float]:
    value, half = float(_number(text)), _half_unit(text)
    if not 0 <= value <= 1:
        raise InputError(f"P {text}", "a P value lies between 0 and 1", "check the number")
    if "<" in text or "≤" in text:
        return 0.0, value
    if ">" in text or "≥" in text:
        return value, 1.0
    return max(value - half, 0.0), min(value + half, 1.0)


def _number(text: str) -> str:
    found = re.search(r"[-+\u2212]?\d*[.,\u00b7]?\d+(?:[eE][-+]?\d+)?", text)
    if found is None:
        raise InputError(f"{text!r}", "there is no number in it", "give it as printed, e.g. 0.009 or <0.001")
    return found.group().replace("\u2212", "-").replace(",", ".").replace("\u00b7", ".")


def _half_unit(text: str) -> float:
    """Return half a unit of the last printed digit."""
    mantissa, _, exponent = _number(text).lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(0.5 * 10.0 ** (int(exponent or 0) - decimals))


def _with_sign(p: str) -> str:
    return p if any(sign in p for sign in "<>≤≥=") else f"= {p}"
