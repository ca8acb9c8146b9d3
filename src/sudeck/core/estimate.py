"""A number that never travels without its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from statistics import NormalDist
from typing import Any, Literal

from sudeck.core.quantile import normal_quantile

Scale = Literal["linear", "log"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its interval, and how both came about.

    Attributes
    ----------
    name : str
        What was estimated, e.g. ``"BPr"``.
    value, low, high : float
        The estimate and its interval, in `unit`. A bound may be infinite, never NaN.
    level : float
        Coverage the interval claims, e.g. 0.95.
    unit : str
        Unit of `value`; empty for a ratio.
    method : str
        One phrase: how value and interval were made.
    n : float or None
        How much data it rests on (counts, trials, patients).
    n_unit : str
        What `n` counts.
    scale : {"linear", "log"}
        Scale on which `se` is stated and on which errors add.
    se : float or None
        Standard error on `scale`.
    components : Mapping[str, float]
        Named parts of `se` on `scale`, e.g. ``{"counting": 0.01, "placement": 0.008}``.

    Examples
    --------
    >>> print(Estimate.from_log("BPr", math.log(1.3), 0.02))
    BPr 1.300 (95 % interval 1.250 to 1.352)
    """

    name: str
    value: float
    low: float
    high: float
    level: float = 0.95
    unit: str = ""
    method: str = ""
    n: float | None = None
    n_unit: str = ""
    scale: Scale = "linear"
    se: float | None = None
    components: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if math.isnan(self.value) or not self.low <= self.value <= self.high:
            raise ValueError(f"{self.name}: {self.low} <= {self.value} <= {self.high} does not hold")
        if not 0 < self.level < 1:
            raise ValueError(f"{self.name}: level {self.level} is not between 0 and 1")

    @classmethod
    def from_log(
        cls,
        name: str,
        log_value: float,
        log_se: float,
        *,
        level: float = 0.95,
        quantile: float | None = None,
        **rest: Any,
    ) -> Estimate:
        """Build a positive estimate from its logarithm and the standard error of that logarithm.

        Parameters
        ----------
        log_value, log_se : float
            Natural logarithm of the value and its standard error.
        level : float
            Coverage of the interval.
        quantile : float, optional
            Multiplier of `log_se`; the normal one for `level` unless given (a t quantile, say).
        **rest
            Further fields of `Estimate`.
        """
        z = normal_quantile(level) if quantile is None else quantile
        return cls(
            name,
            math.exp(log_value),
            math.exp(log_value - z * log_se),
            math.exp(log_value + z * log_se),
            level=level,
            scale="log",
            se=log_se,
            **rest,
        )

    @classmethod
    def from_normal(
        cls,
        name: str,
        value: float,
        se: float,
        *,
        level: float = 0.95,
        quantile: float | None = None,
        **rest: Any,
    ) -> Estimate:
        """Build an estimate with a symmetric interval from its standard error."""
        z = normal_quantile(level) if quantile is None else quantile
        return cls(name, value, value - z * se, value + z * se, level=level, scale="linear", se=se, **rest)

    def probability_above(self, limit: float) -> float:
        """Return the probability that the true value exceeds `limit`, given this estimate's error alone.

        A normal error on `scale` with a flat prior; the measurement error only, not the spread of patients.

        Raises
        ------
        ValueError
            If the estimate has no standard error, or `limit` is not positive on the log scale.
        """
        if self.se is None:
            raise ValueError(f"{self.name} has no standard error")
        if self.scale == "log" and limit <= 0:
            raise ValueError(f"limit {limit} is not positive")
        distance = math.log(self.value / limit) if self.scale == "log" else self.value - limit
        if self.se == 0:
            return float(distance > 0)
        return NormalDist().cdf(distance / self.se)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{self.name} {self.value:#.4g}{unit} "
            f"({100 * self.level:g} % interval {self.low:#.4g} to {self.high:#.4g})"
        )

    def _repr_html_(self) -> str:
        unit = f" {escape(self.unit)}" if self.unit else ""
        return (
            f"<b>{escape(self.name)}</b> {self.value:#.4g}{unit} "
            f"<span style='color:#666'>[{self.low:#.4g}, {self.high:#.4g}] {100 * self.level:g}&nbsp;%</span>"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain JSON-ready values; infinite bounds become ``None``."""
        return {
            "name": self.name,
            "value": self.value,
            "low": self.low if math.isfinite(self.low) else None,
            "high": self.high if math.isfinite(self.high) else None,
            "level": self.level,
            "unit": self.unit,
            "method": self.method,
            "n": self.n,
            "n_unit": self.n_unit,
            "scale": self.scale,
            "se": self.se,
            "components": dict(self.components),
        }
