"""Ratios of affected over healthy uptake, and ratios of those ratios, with both of their errors.

On the log scale a ratio is a difference, its counting error follows from the binomial law and its placement
error from jitter. Both are added as distances from the estimate to its bounds (MOVER, Zou and Donner, Stat
Med 2008;27:1693-1702), which keeps the skew of low counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sudeck.core.estimate import Estimate
from sudeck.core.quantile import normal_quantile
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS, ScanPhase
from sudeck.scan.ratios.placement import Placement
from sudeck.scan.ratios.uptake import Background, RegionUptake


@dataclass(frozen=True)
class LogRatio:
    """The logarithm of affected over healthy uptake in one phase.

    Attributes
    ----------
    value : float
        Natural logarithm of the ratio.
    counting_low, counting_high : float
        Bounds of `value` by counting alone, at `level`.
    counting_se : float
        Standard error by counting alone.
    placement : Placement
    counts : float
        Counts in both regions together.
    level : float
    """

    value: float
    counting_low: float
    counting_high: float
    counting_se: float
    placement: Placement
    counts: float
    level: float


def log_ratio(
    affected: RegionUptake,
    healthy: RegionUptake,
    background: Background,
    placement: Placement,
    *,
    level: float = 0.95,
) -> LogRatio:
    """Return the log ratio of two uptakes with its counting and placement errors.

    Without background the affected counts, given the sum of both, are binomial; the bounds are those of
    the posterior under Jeffreys' prior (Brown, Cai and DasGupta, Stat Sci 2001;16:101-133), whose coverage
    stays near nominal down to a few counts. With a background, its error is shared by both regions and is
    carried through the derivatives of the log ratio.

    Raises
    ------
    ValueError
        If either uptake is not positive.
    """
    if affected.net_per_pixel <= 0 or healthy.net_per_pixel <= 0:
        raise ValueError("uptake is not positive on both sides")
    value = math.log(affected.net_per_pixel / healthy.net_per_pixel)
    if background.variance > 0:
        variance = sum(
            region.counts**2 / region.effective_counts / (region.area_px * region.net_per_pixel) ** 2
            for region in (affected, healthy)
        )
        shared = 1.0 / healthy.net_per_pixel - 1.0 / affected.net_per_pixel
        se = math.sqrt(variance + shared**2 * background.variance)
        reach = normal_quantile(level) * se
        low, high = value - reach, value + reach
    else:
        low, high, se = _binomial_bounds(affected.effective_counts, healthy.effective_counts, level)
        centre = math.log(affected.effective_counts / healthy.effective_counts)
        low, high = value + low - centre, value + high - centre
    return LogRatio(value, low, high, se, placement, affected.counts + healthy.counts, level)


def average_of(ratios: Sequence[LogRatio]) -> LogRatio:
    """Average the log ratios of opposed detectors: the ratio of geometric means.

    The geometric mean of opposed views hardly depends on the depth of the source; the counts of the two
    detectors are independent, their regions are the same.
    """
    if len(ratios) == 1:
        return ratios[0]
    count = len(ratios)
    value = sum(ratio.value for ratio in ratios) / count
    below = math.sqrt(sum((ratio.value - ratio.counting_low) ** 2 for ratio in ratios)) / count
    above = math.sqrt(sum((ratio.counting_high - ratio.value) ** 2 for ratio in ratios)) / count
    return LogRatio(
        value,
        value - below,
        value + above,
        math.sqrt(sum(ratio.counting_se**2 for ratio in ratios)) / count,
        ratios[0].placement,
        sum(ratio.counts for ratio in ratios),
        ratios[0].level,
    )


def corrected(ratio: LogRatio, by: float, *, cause: str, se: float) -> LogRatio:
    """Return a log ratio moved by a known amount, with the error of a further cause of its own."""
    placement = replace(ratio.placement, shared={**ratio.placement.shared, cause: se})
    return replace(
        ratio,
        value=ratio.value + by,
        counting_low=ratio.counting_low + by,
        counting_high=ratio.counting_high + by,
        placement=placement,
    )


def phase_ratio(name: str, ratio: LogRatio) -> Estimate:
    """Return VPr, TPr or BPr as an estimate whose interval holds both errors."""
    z = normal_quantile(ratio.level)
    return _estimate(
        name,
        ratio.value,
        math.hypot(ratio.value - ratio.counting_low, z * ratio.placement.total),
        math.hypot(ratio.counting_high - ratio.value, z * ratio.placement.total),
        ratio.counting_se,
        ratio.placement.total,
        ratio.level,
        ratio.counts,
    )


def ratio_of_ratios(name: str, over: LogRatio, under: LogRatio) -> Estimate:
    """Return the ratio of two phase ratios; placement errors common to both phases cancel as they should."""
    z = normal_quantile(over.level)
    placement = over.placement.against(under.placement)
    below = math.hypot(over.value - over.counting_low, under.counting_high - under.value)
    above = math.hypot(over.counting_high - over.value, under.value - under.counting_low)
    return _estimate(
        name,
        over.value - under.value,
        math.hypot(below, z * placement),
        math.hypot(above, z * placement),
        math.hypot(over.counting_se, under.counting_se),
        placement,
        over.level,
        over.counts + under.counts,
    )


def all_estimates(ratios: Mapping[ScanPhase, LogRatio], refused: dict[str, str]) -> dict[str, Estimate]:
    """Return the ratios of phases and what they give with each other; say under `refused` what is missing."""
    estimates = {PHASE_RATIOS[name]: phase_ratio(PHASE_RATIOS[name], ratio) for name, ratio in ratios.items()}
    for name, (over, under) in RATIOS_OF_RATIOS.items():
        if over in ratios and under in ratios:
            estimates[name] = ratio_of_ratios(name, ratios[over], ratios[under])
        else:
            missing = [PHASE_RATIOS[phase] for phase in (over, under) if phase not in ratios]
            refused[name] = f"{name} needs {' and '.join(missing)}, not measured here."
    return estimates


def _estimate(
    name: str,
    value: float,
    below: float,
    above: float,
    counting: float,
    placement: float,
    level: float,
    counts: float,
) -> Estimate:
    return Estimate(
        name,
        math.exp(value),
        math.exp(value - below),
        math.exp(value + above),
        level=level,
        method="mean counts per pixel, affected over healthy; counting and placement error",
        n=round(counts),
        n_unit="counts",
        scale="log",
        se=math.hypot(counting, placement),
        components={"counting": counting, "placement": placement},
    )


def _binomial_bounds(first: float, second: float, level: float) -> tuple[float, float, float]:
    """Bounds of the log odds and their standard error under Jeffreys' prior."""
    from scipy import special

    a, b = first + 0.5, second + 0.5
    tail = (1.0 - level) / 2.0
    bounds = [float(special.betaincinv(a, b, q)) for q in (tail, 1.0 - tail)]
    low, high = (math.log(p) - math.log1p(-p) for p in bounds)
    return low, high, math.sqrt(float(special.polygamma(1, a) + special.polygamma(1, b)))
