"""The two classical threshold rules, beside the Bayesian one: 5 out of 10, and ML-PEST.

Each comes twice: as a procedure (which intensity next, given the pulses so far) and as an estimate from
pulses already given.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import normal_quantile
from sudeck.tms.thresholds.motor_threshold import checked_pulses, without_dead_blocks
from sudeck.tms.thresholds.posterior import RESTING_CRITERION_MV

FloatArray = NDArray[np.float64]

# Awiszus (2003): spread of the probit fixed at 7 % of the threshold.
ML_PEST_RELATIVE_SPREAD = 0.07


def five_of_ten_threshold(
    intensity_mso: ArrayLike,
    amplitude_mv: ArrayLike,
    *,
    name: str = "RMT",
    criterion_mv: float = RESTING_CRITERION_MV,
    share: float = 0.5,
) -> Estimate:
    """Return the lowest intensity at which, and above which, half of the pulses give a response.

    The rule of Rossini (1994) and the IFCN: the lowest intensity with at least 5 responses of 10. Applied to
    logged pulses it walks down from the highest intensity and stops before the first that falls short.

    Parameters
    ----------
    intensity_mso, amplitude_mv : array-like, shape (n,)
        Intensity and peak-to-peak amplitude (or response, as booleans) of each pulse.
    criterion_mv : float
        Peak-to-peak amplitude that counts as a response.
    share : float
        Share of responses asked for.

    Returns
    -------
    Estimate
        The interval runs from the highest intensity known to fall short (0 where none was tested) to the
        threshold: it is the resolution of the rule, not its sampling error, and is named so.

    Raises
    ------
    InputError
        If even the highest intensity falls short.

    Examples
    --------
    >>> responses = [True] * 4 + [False] * 6 + [True] * 5 + [False] * 5
    >>> five_of_ten_threshold([40] * 10 + [41] * 10, responses).value
    41.0
    """
    intensity, amplitude = checked_pulses(intensity_mso, amplitude_mv)
    intensity, amplitude, _ = without_dead_blocks(intensity, amplitude)
    responded = amplitude if amplitude.dtype == np.bool_ else amplitude >= criterion_mv
    threshold, short = None, 0.0
    for tested in np.unique(intensity)[::-1]:
        if responded[intensity == tested].mean() < share:
            short = float(tested)
            break
        threshold = float(tested)
    if threshold is None:
        raise InputError(
            name,
            f"fewer than {100 * share:g} % of the pulses gave a response even at the highest intensity",
            "stimulate at higher intensities",
        )
    return Estimate(
        name,
        threshold,
        short,
        threshold,
        level=0.95,
        unit="%MSO",
        method=f"lowest intensity with {100 * share:g} % responses at {criterion_mv:g} mV, and its step",
        n=float(intensity.size),
        n_unit="pulses",
    )


def ml_pest_threshold(
    intensity_mso: ArrayLike,
    amplitude_mv: ArrayLike,
    *,
    name: str = "RMT",
    criterion_mv: float = RESTING_CRITERION_MV,
    relative_spread: float = ML_PEST_RELATIVE_SPREAD,
    level: float = 0.95,
) -> Estimate:
    """Return the maximum-likelihood threshold with the spread of the probit fixed, as ML-PEST does.

    Parameters
    ----------
    intensity_mso, amplitude_mv : array-like, shape (n,)
        Intensity and peak-to-peak amplitude (or response, as booleans) of each pulse.
    criterion_mv : float
        Peak-to-peak amplitude that counts as a response.
    relative_spread : float
        Spread of the probit as a fraction of the threshold.
    level : float
        Coverage of the profile-likelihood interval.

    Notes
    -----
    Awiszus F (2003), Suppl Clin Neurophysiol 56:13-23. As there, two pulses are thought of beside the real
    ones: no response at 0 %MSO and a response just above the highest threshold considered (130 %MSO).

    Examples
    --------
    >>> round(ml_pest_threshold([40, 44, 42, 43], [False, True, False, True]).value, 1)
    42.2
    """
    intensity, amplitude = checked_pulses(intensity_mso, amplitude_mv)
    intensity, amplitude, _ = without_dead_blocks(intensity, amplitude)
    responded = amplitude if amplitude.dtype == np.bool_ else amplitude >= criterion_mv
    grid, log_likelihood = _ml_pest_likelihood(intensity, responded, relative_spread)
    best = float(grid[log_likelihood >= log_likelihood.max() - 1e-9].mean())
    # A chi-squared quantile with one degree of freedom is the square of a normal one.
    drop = normal_quantile(level) ** 2 / 2
    inside = grid[log_likelihood >= log_likelihood.max() - drop]
    return Estimate(
        name,
        best,
        float(inside[0]),
        float(inside[-1]),
        level=level,
        unit="%MSO",
        method=f"ML-PEST, spread fixed at {relative_spread:g} of the threshold, profile-likelihood interval",
        n=float(intensity.size),
        n_unit="pulses",
    )


def next_by_ml_pest(
    intensity_mso: ArrayLike,
    amplitude_mv: ArrayLike,
    *,
    criterion_mv: float = RESTING_CRITERION_MV,
    step_mso: float = 1.0,
    limit_mso: float = 100.0,
) -> float:
    """Return the next intensity by ML-PEST: the present estimate, on the stimulator's scale."""
    value = ml_pest_threshold(intensity_mso, amplitude_mv, criterion_mv=criterion_mv).value
    return float(min(limit_mso, max(step_mso, step_mso * round(value / step_mso))))


def next_by_five_of_ten(
    intensity_mso: ArrayLike,
    amplitude_mv: ArrayLike,
    *,
    criterion_mv: float = RESTING_CRITERION_MV,
    step_mso: float = 1.0,
    pulses: int = 10,
) -> float | None:
    """Return the next intensity by the 5-out-of-10 rule, descending; ``None`` once the rule has its answer.

    Stay at an intensity until half of `pulses` gave a response (then go one step down) or more than half
    gave none (then stop: the threshold is the intensity one step above).

    Examples
    --------
    >>> next_by_five_of_ten([50] * 5, [True] * 5)
    49.0
    """
    intensity, amplitude = checked_pulses(intensity_mso, amplitude_mv)
    responded = amplitude if amplitude.dtype == np.bool_ else amplitude >= criterion_mv
    blocks = [list(block) for _, block in groupby(range(intensity.size), key=lambda index: intensity[index])]
    present = float(intensity[blocks[-1][0]])
    hits = int(responded[blocks[-1]].sum())
    misses = len(blocks[-1]) - hits
    if hits >= pulses / 2:
        return max(step_mso, present - step_mso)
    return None if misses > pulses / 2 else present


def _ml_pest_likelihood(
    intensity_mso: FloatArray, responded: NDArray[np.bool_], relative_spread: float
) -> tuple[FloatArray, FloatArray]:
    grid = np.arange(0.2, 130.1, 0.2)
    x = np.concatenate([[0.0, 130.2], intensity_mso])
    sign = np.where(np.concatenate([[False, True], responded]), 1.0, -1.0)
    pairs, count = np.unique(np.column_stack([x, sign]), axis=0, return_counts=True)
    z = pairs[:, 1:] * (pairs[:, :1] - grid) / (relative_spread * grid)
    total: FloatArray = count @ log_ndtr(z)
    return grid, total
