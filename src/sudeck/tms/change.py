"""What changed: post against pre, one hemisphere against the other, and whether the two changed alike.

Differences are taken on the scale on which the measure's errors add: the logarithm for amplitudes and ratios,
%MSO for thresholds. A change in one person is called real only beyond the smallest detectable change, which
needs the error between sessions; the trials of one session know only a part of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate, Scale
from sudeck.core.flags import Flag
from sudeck.core.quantile import normal_quantile

Verdict = Literal["real", "within measurement error", "beyond trial error only"]


@dataclass(frozen=True, slots=True)
class MeasurementError:
    """Standard error of measurement (SEM) of one session's value, from people measured twice.

    Attributes
    ----------
    sd : float
        SD of one measurement about the person's own mean, on `scale`.
    low, high : float
        Its interval at `level`.
    scale : {"linear", "log"}
        Scale of `sd`: natural logarithm, or the measure's unit.
    n : int
        People measured twice.
    source : str
        Where it comes from.
    """

    sd: float
    low: float
    high: float
    scale: Scale
    n: int
    level: float = 0.95
    source: str = ""


@dataclass(frozen=True, slots=True)
class LogChange:
    """A contrast of estimates, and whether it exceeds the error of measurement.

    Attributes
    ----------
    estimate : Estimate
        Ratio (log scale) or difference (linear scale); its interval is that of the trials.
    smallest_detectable : float
        On the same footing as the estimate: a factor above 1, or an amount in the unit.
    verdict : {"real", "within measurement error", "beyond trial error only"}
        The last where the error between sessions is unknown: the trials exclude no change, which is not
        enough to call a change in one person real.
    flags : sequence of Flag
    """

    estimate: Estimate
    smallest_detectable: float
    verdict: Verdict
    flags: Sequence[Flag] = ()

    @property
    def real(self) -> bool:
        """Whether it exceeds a smallest detectable change that knows the error between sessions."""
        return self.verdict == "real"

    def __str__(self) -> str:
        if self.estimate.scale == "log":
            limit = f"×{self.smallest_detectable:.3g} or ÷{self.smallest_detectable:.3g}"
        else:
            limit = f"±{self.smallest_detectable:.3g} {self.estimate.unit}"
        return f"{self.estimate}; smallest detectable {limit}: {self.verdict}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "estimate": self.estimate.to_dict(),
            "smallest_detectable": (
                self.smallest_detectable if math.isfinite(self.smallest_detectable) else None
            ),
            "verdict": self.verdict,
            "real": self.real,
            "flags": [flag.to_dict() for flag in self.flags],
        }


def measurement_error(
    first: ArrayLike, second: ArrayLike, *, scale: Scale = "log", level: float = 0.95, source: str = ""
) -> MeasurementError:
    """Estimate the standard error of measurement from people measured twice without treatment between.

    Parameters
    ----------
    first, second : array-like, shape (n,)
        The measure in the two sessions, one entry a person.
    scale : {"linear", "log"}
        Scale on which the error is taken to be the same for all.

    Notes
    -----
    SEM = SD of the differences / √2, a shift common to all removed; interval from chi-squared with n - 1
    degrees of freedom. Weir JP (2005), J Strength Cond Res 19:231-240.

    Examples
    --------
    >>> round(measurement_error([1.0, 2.0, 0.5, 1.5], [1.2, 1.8, 0.7, 1.4]).sd, 3)
    0.149
    """
    values = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if values[0].shape != values[1].shape or values[0].ndim != 1 or values[0].size < 3:
        raise InputError(
            "measurement error",
            "fewer than three people were measured twice, or the two lists differ in length",
            "give both sessions of three people or more",
        )
    positive = scale == "linear" or (values[0].min() > 0 and values[1].min() > 0)
    if not (np.isfinite(values).all() and positive):
        raise InputError(
            "measurement error",
            "a value is missing, or not positive on the log scale",
            "leave that person out",
        )
    before, after = map(np.log, values) if scale == "log" else values
    from scipy.stats import chi2

    n = before.size
    sd = float((after - before).std(ddof=1)) / math.sqrt(2)
    low, high = (sd * math.sqrt((n - 1) / chi2.ppf(p, n - 1)) for p in (0.5 + level / 2, 0.5 - level / 2))
    return MeasurementError(sd, float(low), float(high), scale, n, level, source)


def change_between(
    pre: Estimate,
    post: Estimate,
    *,
    error: MeasurementError | None = None,
    scale: Scale | None = None,
    detect_level: float = 0.95,
) -> LogChange:
    """Compare the same measure after and before.

    Parameters
    ----------
    pre, post : Estimate
        The measure in the two sessions.
    error : MeasurementError, optional
        Error of one session's value from people measured twice; without it no change is called real.
    scale : {"linear", "log"}, optional
        Scale of the difference; that of `pre` unless given.
    detect_level : float
        Level of the smallest detectable change, z √2 SEM.

    Raises
    ------
    InputError
        If units differ, or a value is not positive on the log scale.

    Examples
    --------
    >>> pre = Estimate.from_log("SICI", math.log(0.9), 0.15)
    >>> post = Estimate.from_log("SICI", math.log(0.5), 0.15)
    >>> change = change_between(pre, post, error=MeasurementError(0.2, 0.15, 0.3, "log", 20))
    >>> print(change.estimate)
    SICI post/pre 0.5556 (95 % interval 0.3666 to 0.8420)
    >>> round(change.smallest_detectable, 2), change.verdict
    (1.74, 'real')
    """
    return _contrast("post/pre", "post - pre", (post,), (pre,), error, scale, detect_level)


def hemisphere_difference(
    one: Estimate,
    other: Estimate,
    *,
    error: MeasurementError | None = None,
    scale: Scale | None = None,
    detect_level: float = 0.95,
) -> LogChange:
    """Compare the same measure of two hemispheres, e.g. the pain-side one against the other."""
    return _contrast(
        "between hemispheres", "between hemispheres", (one,), (other,), error, scale, detect_level
    )


def hemisphere_by_time(
    pre_one: Estimate,
    post_one: Estimate,
    pre_other: Estimate,
    post_other: Estimate,
    *,
    error: MeasurementError | None = None,
    scale: Scale | None = None,
    detect_level: float = 0.95,
) -> LogChange:
    """Ask whether one hemisphere changed more than the other: the interaction of hemisphere and time.

    On the log scale (post/pre of one) / (post/pre of the other): 1 means that both changed alike.
    """
    name = "hemisphere × time"
    gain, loss = (post_one, pre_other), (pre_one, post_other)
    return _contrast(name, name, gain, loss, error, scale, detect_level)


def _contrast(
    ratio_name: str,
    difference_name: str,
    plus: Sequence[Estimate],
    minus: Sequence[Estimate],
    error: MeasurementError | None,
    scale: Scale | None,
    detect_level: float,
) -> LogChange:
    """Sum of `plus` less sum of `minus` with an interval recovered from the intervals of each.

    Zou & Donner (2008), Stat Med 27:1693-1702: each side of the interval takes the distances of the terms'
    own limits in quadrature, so that skewed, censored and open intervals keep their shape.
    """
    terms = (*plus, *minus)
    scale = scale or plus[0].scale
    _check_alike(terms, scale, error)
    forward = _log if scale == "log" else float
    middle = sum(forward(e.value) for e in plus) - sum(forward(e.value) for e in minus)
    below = [forward(e.value) - forward(e.low) for e in plus] + [
        forward(e.high) - forward(e.value) for e in minus
    ]
    above = [forward(e.high) - forward(e.value) for e in plus] + [
        forward(e.value) - forward(e.low) for e in minus
    ]
    low, high = middle - math.hypot(*below), middle + math.hypot(*above)
    level = plus[0].level
    z = normal_quantile(level)
    trial_se = (math.hypot(*below) + math.hypot(*above)) / 2 / z
    detect_z = normal_quantile(detect_level)
    session_se = error.sd * math.sqrt(len(terms)) if error else 0.0
    # The error between sessions contains the trial error of its own protocol; ours may be larger.
    detectable = detect_z * max(trial_se, session_se)
    beyond = abs(middle) > detectable
    verdict: Verdict = "within measurement error"
    if beyond:
        verdict = "real" if error else "beyond trial error only"
    back = math.exp if scale == "log" else float
    name = f"{plus[0].name} {ratio_name if scale == 'log' else difference_name}"
    estimate = Estimate(
        name,
        back(middle),
        back(low) if math.isfinite(low) or scale == "linear" else 0.0,
        back(high) if math.isfinite(high) else math.inf,
        level=level,
        unit="" if scale == "log" else plus[0].unit,
        method=f"contrast on the {scale} scale, interval recovered from those of its {len(terms)} terms",
        n=sum(e.n for e in terms if e.n is not None) or None,
        n_unit=plus[0].n_unit,
        scale=scale,
        se=trial_se if math.isfinite(trial_se) else None,
    )
    shown = back(detectable) if math.isfinite(detectable) else math.inf
    return LogChange(estimate, shown, verdict, () if error else (_unknown_session_error(name),))


def _check_alike(terms: Sequence[Estimate], scale: Scale, error: MeasurementError | None) -> None:
    if len({(e.unit, e.level) for e in terms}) > 1:
        raise InputError(
            terms[0].name, "the estimates differ in unit or level", "compare estimates of the same measure"
        )
    if scale == "log" and any(e.value <= 0 or e.low < 0 for e in terms):
        raise InputError(terms[0].name, "a value is not positive", "compare on the linear scale")
    if error is not None and error.scale != scale:
        raise InputError(
            terms[0].name,
            f"the measurement error is {error.scale} but the comparison {scale}",
            "give both on the same scale",
        )


def _unknown_session_error(name: str) -> Flag:
    text = (
        f"{name}: the error between sessions is unknown, so that the smallest detectable change holds the "
        "trial error alone and is a lower limit; no change is called real."
    )
    return Flag("session-error-unknown", text, "caution", name)


def _log(value: float) -> float:
    if value == 0:
        return -math.inf
    return math.log(value) if math.isfinite(value) else math.inf
