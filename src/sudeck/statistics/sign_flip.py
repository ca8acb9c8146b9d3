"""Exact sign-flip test of paired changes with step-down max-T over a family of measures.

If treatment does nothing, a patient's changes are as likely with the opposite sign. Flipping all changes of a
patient together keeps whatever correlation the measures have, so the largest |t| over the family has an exact
null distribution (Westfall & Young, Resampling-based multiple testing, 1993).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sudeck.core.errors import InputError
from sudeck.statistics.mixed.mixed_likelihood import Floats

# 2^22 patterns of a few measures take seconds; beyond that the patterns are drawn at random.
EXACT_UP_TO = 22
LOW_PATIENTS = 10
# Statistics closer than this, relatively or (near zero) absolutely, are ties that rounding broke.
TIE, TIE_NEAR_ZERO = 1e-9, 1e-13


@dataclass(frozen=True)
class SignFlipTest:
    """Result of a sign-flip test of several measures; all sequences are in the order of `names`.

    Attributes
    ----------
    names : tuple of str
    t : tuple of float
        One-sample t statistic of each measure.
    p : tuple of float
        Two-sided P of each measure alone.
    p_family : tuple of float
        Step-down max-T P: the chance, without any effect, of a claim this strong anywhere in the family.
    p_single_step : tuple of float
        Single-step max-T P, for simultaneous statements.
    n : tuple of int
        Patients with a change in each measure.
    patterns : int
        Sign patterns behind the P values.
    exact : bool
        Whether these were all patterns.
    """

    names: tuple[str, ...]
    t: tuple[float, ...]
    p: tuple[float, ...]
    p_family: tuple[float, ...]
    p_single_step: tuple[float, ...]
    n: tuple[int, ...]
    patterns: int
    exact: bool

    def __str__(self) -> str:
        kind = "all" if self.exact else "a random draw of"
        lines = [f"Sign-flip test over {kind} {self.patterns} patterns"]
        lines += [
            f"  {name:<24} t {t: .3f}  P {p:.4g}  P in the family {q:.4g}  (n = {n})"
            for name, t, p, q, n in zip(self.names, self.t, self.p, self.p_family, self.n, strict=True)
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values; an infinite t becomes None."""
        return {
            "names": list(self.names),
            "t": [t if np.isfinite(t) else None for t in self.t],
            "p": list(self.p),
            "p_family": list(self.p_family),
            "p_single_step": list(self.p_single_step),
            "n": list(self.n),
            "patterns": self.patterns,
            "exact": self.exact,
        }


def flip_signs(
    changes: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    exact_up_to: int = EXACT_UP_TO,
    draws: int = 100_000,
    rng: np.random.Generator | int | None = None,
) -> SignFlipTest:
    """Test whether paired changes are symmetric around zero, measure by measure and as a family.

    Parameters
    ----------
    changes : array (patients, measures)
        Change of each patient in each measure (log ratios, say); NaN where a visit is missing.
    names : sequence of str, optional
        Names of the measures.
    exact_up_to : int
        Up to this many patients all sign patterns are visited; beyond it `draws` random ones.
    draws : int
        Random patterns when there are too many; the P then counts the observed pattern among them.
    rng : numpy Generator or seed
        For the random patterns only.

    Raises
    ------
    InputError
        If there are no measures or fewer than two patients.

    Notes
    -----
    Signs leave the sum of squares of a measure as it is, so t rises with the signed sum alone. The family is
    compared on the signed sum over the root of the sum of squares: the same as max-T when every patient
    has every measure, and when some have not, a measure of few patients does not drown the others. The
    signed sums are those of two small tables, the first patients and the rest; t and −t are equally likely,
    so half of the patterns suffice.

    Examples
    --------
    >>> print(flip_signs([[0.3, 0.1], [0.2, -0.2], [0.4, 0.3], [0.1, 0.0]], names=["ICF", "RMT"]))
    Sign-flip test over all 16 patterns
      ICF                      t  3.873  P 0.125  P in the family 0.125  (n = 4)
      RMT                      t  0.480  P 0.75  P in the family 0.75  (n = 4)
    """
    x = np.asarray(changes, dtype=float)
    if x.ndim != 2 or x.shape[1] == 0:
        raise InputError("changes", "there is no measure to test", "give one column per measure")
    labels = tuple(names) if names is not None else tuple(f"measure {j + 1}" for j in range(x.shape[1]))
    counts = np.isfinite(x).sum(axis=0)
    present = np.isfinite(x).any(axis=1)
    x = np.where(np.isfinite(x), x, 0.0)[present]
    if len(x) < 2:
        raise InputError("changes", f"{len(x)} patient(s) with a change", "a test needs two or more")
    # One unit for every measure: comparisons of ties then share one tolerance.
    scale = np.sqrt((x**2).sum(axis=0))
    x = x / np.where(scale > 0, scale, 1.0)

    sums = x.sum(axis=0)
    observed = sums**2
    order = np.argsort(-observed, kind="stable")
    exact = len(x) <= exact_up_to
    blocks = _all_signed_sums(x) if exact else _random_signed_sums(x, draws, np.random.default_rng(rng))
    limit = observed * (1 - TIE) - TIE_NEAR_ZERO
    raw, stepdown, single = (np.zeros(x.shape[1]) for _ in range(3))
    total = 0
    for block in blocks:
        squares = block**2
        total += len(block)
        raw += (squares >= limit).sum(axis=0)
        # From the weakest measure up: the largest statistic among a measure and all weaker ones.
        running = np.maximum.accumulate(squares[:, order[::-1]], axis=1)[:, ::-1]
        stepdown[order] += (running >= limit[order]).sum(axis=0)
        single += (running[:, :1] >= limit).sum(axis=0)
    extra = 0 if exact else 1
    p, q, s = ((count + extra) / (total + extra) for count in (raw, stepdown, single))
    q[order] = np.maximum.accumulate(q[order])
    return SignFlipTest(
        labels,
        tuple(_t_statistics(sums, counts).tolist()),
        tuple(p.tolist()),
        tuple(q.tolist()),
        tuple(s.tolist()),
        tuple(int(c) for c in counts),
        2 * total if exact else total,
        exact,
    )


def _t_statistics(sums: Floats, counts: NDArray[np.int64]) -> Floats:
    """One-sample t from the sums of changes whose squares sum to one; infinite when all changes are equal."""
    left = counts - sums**2
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(left > 1e-10 * counts, sums * np.sqrt((counts - 1) / left), np.sign(sums) * np.inf)
    out: Floats = np.where(sums == 0, 0.0, t)
    return out


def _sign_table(x: Floats) -> Floats:
    """Return the signed sums of all 2^k patterns of the k rows of `x`, (2^k, measures)."""
    sums = np.zeros((1, x.shape[1]))
    for row in x:
        sums = np.concatenate([sums + row, sums - row])
    return sums


def _all_signed_sums(x: Floats) -> Iterator[Floats]:
    """Yield blocks of the signed sums of half of all patterns (the first patient keeps the sign)."""
    low = x[0] + _sign_table(x[1 : 1 + LOW_PATIENTS])
    for high in _sign_table(x[1 + LOW_PATIENTS :]):
        yield low + high


def _random_signed_sums(x: Floats, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    for start in range(0, draws, 4096):
        signs = rng.integers(0, 2, size=(min(4096, draws - start), len(x))) * 2.0 - 1.0
        yield signs @ x
