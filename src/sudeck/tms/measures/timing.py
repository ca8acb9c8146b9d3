"""Times over trials: mean latency, and duration of the silent period with pauses that had not ended."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import normal_quantile, t_quantile


def mean_time(times_ms: ArrayLike, name: str, *, level: float = 0.95) -> Estimate:
    """Estimate the mean of a time over trials, with a t interval.

    Raises
    ------
    InputError
        If there are fewer than two trials.

    Examples
    --------
    >>> print(mean_time([21.8, 22.4, 22.0, 22.2], "MEP latency"))
    MEP latency 22.10 ms (95 % interval 21.69 to 22.51)
    """
    times = np.atleast_1d(np.asarray(times_ms, dtype=np.float64))
    if times.size < 2:
        raise InputError(name, "one trial gives no interval", "measure two trials or more")
    error = float(times.std(ddof=1)) / math.sqrt(times.size)
    return Estimate.from_normal(
        name,
        float(times.mean()),
        error,
        level=level,
        quantile=t_quantile(level, times.size - 1),
        unit="ms",
        method="mean over trials, t interval",
        n=float(times.size),
        n_unit="trials",
    )


def typical_duration(
    durations_ms: ArrayLike, censored: ArrayLike, name: str = "CSP", *, level: float = 0.95
) -> Estimate:
    """Estimate a typical duration where some had not ended: mean without such, else median.

    Parameters
    ----------
    durations_ms : array-like, shape (n,)
        Durations; where `censored`, the least they can be.
    censored : array-like of bool, shape (n,)
        Which had not ended.
    name : str
        Name of the estimate.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        Without censored trials the mean and its t interval. With some, the median and the order
        statistics around it (the interval of the sign test, in its normal approximation): a median does
        not ask how long the longest were. A censored bound is infinite.

    Raises
    ------
    InputError
        If there are fewer than two trials, or half or more of them are censored below the median.

    Examples
    --------
    >>> times, open_ended = [110, 120, 130, 140, 150, 160, 170], [False] * 6 + [True]
    >>> print(typical_duration(times, open_ended))
    CSP 140.0 ms (95 % interval 110.0 to inf)
    """
    times = np.atleast_1d(np.asarray(durations_ms, dtype=np.float64))
    unfinished = np.atleast_1d(np.asarray(censored, dtype=bool))
    if not unfinished.any():
        return mean_time(times, name, level=level)
    if times.size < 2:
        raise InputError(name, "one trial gives no interval", "measure two trials or more")
    # Any censored trial may have been the longest of all.
    ranked = np.sort(np.where(unfinished, np.inf, times))
    middle = ranked[(times.size - 1) // 2 : times.size // 2 + 1].mean()
    if not math.isfinite(middle):
        raise InputError(
            name,
            f"in {int(unfinished.sum())} of {times.size} trials the EMG had not returned by the end",
            "cut longer sweeps",
        )
    reach = normal_quantile(level) * math.sqrt(times.size) / 2
    below = max(0, math.floor(times.size / 2 - reach))
    above = min(times.size - 1, math.ceil(times.size / 2 + reach) - 1)
    return Estimate(
        name,
        float(middle),
        float(ranked[below]),
        float(ranked[above]),
        level=level,
        unit="ms",
        method=f"median over trials, sign-test interval; in {int(unfinished.sum())} the EMG had not returned",
        n=float(times.size),
        n_unit="trials",
    )
