"""The noise in a table of amplitudes, which has no baseline: what the weakest pulses give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

# As few pulses below threshold say how large the noise is.
_FEWEST = 3
# As few of the weakest pulses show by their scatter whether they are noise alone: extremes of noise scatter
# by .1 to .25 (SD of the logarithm), responses near threshold by more than .5. Judged below the median, where
# a stray response among the pulses does not count.
_FEWEST_OF_PLATEAU = 5
_PLATEAU_LOG_SD = 0.35
# The next intensity gives noise too while its median amplitude is larger by no more than this.
_PLATEAU_STEP = 1.35
# Noise beyond this many criteria is no recording of a muscle at rest: such amplitudes are responses.
_LARGEST_IN_CRITERIA = 2.0
# Amplitudes of noise alone scatter by less (SD of the logarithm); where they scatter more, responses are
# among them, and noise is what the smaller ones hold.
_NOISE_LOG_SD = 0.4
# Noise beyond this share of the criterion would hide every threshold.
_MOST_OF_CRITERION = 0.8
# Where every intensity gave some response: as large a share of the pulses is taken for the quietest.
_QUIETEST = 0.2
# Of pulses below threshold, in terms of what is typical; what is larger holds a response.
LARGEST_NOISE = 1.6
# Amplitudes freed of noise that are smaller than this say only that there was no larger response.
FLOOR_OVER_NOISE = 1.3


@dataclass(frozen=True, slots=True)
class TableNoise:
    """What amplitudes of a table are without a response.

    Attributes
    ----------
    noise_mv : float
        Typical peak-to-peak amplitude of noise alone.
    quiet : ndarray of bool, shape (n,)
        Pulses that hold noise alone.
    below_threshold : bool
        Whether there are intensities at which no pulse gave a response.
    """

    noise_mv: float
    quiet: NDArray[np.bool_]
    below_threshold: bool


def table_noise(
    intensity_mso: NDArray[np.float64], amplitude_mv: NDArray[np.float64], *, criterion_mv: float
) -> TableNoise | None:
    """Estimate the noise of a table from the pulses that are too weak for a response.

    These are the pulses at the lowest intensities that scatter as little as noise does and grow no larger
    from one intensity to the next, even above the criterion. Where the weakest scatter more, they are those
    up to the first that gave an amplitude above the criterion; where there are none, the smallest fifth of
    all, if below the criterion. Small responses among them make the noise seem larger than it is, by what
    hardly counts beside the criterion.

    Parameters
    ----------
    intensity_mso, amplitude_mv : ndarray, shape (n,)
        Single pulses in one state of the muscle.
    criterion_mv : float

    Returns
    -------
    TableNoise or None
        ``None`` where fewer than three pulses say it, or the table writes zeros for what was not seen.
    """
    if (amplitude_mv <= 0).any():
        return None
    plateau = _plateau(intensity_mso, amplitude_mv)
    if plateau.any():
        noise_mv = float(np.median(amplitude_mv[plateau]))
        if noise_mv <= _LARGEST_IN_CRITERIA * criterion_mv:
            return TableNoise(noise_mv, plateau & (amplitude_mv <= LARGEST_NOISE * noise_mv), True)
    above = amplitude_mv >= criterion_mv
    lowest = float(intensity_mso[above].min()) if above.any() else np.inf
    weak = intensity_mso < lowest
    below_threshold = int(weak.sum()) >= _FEWEST
    if not below_threshold:
        weak = ~above & (amplitude_mv <= np.quantile(amplitude_mv, _QUIETEST))
    if weak.sum() < _FEWEST:
        return None
    seen = amplitude_mv[weak]
    scattered = float(np.log(seen).std(ddof=1)) > _NOISE_LOG_SD
    noise_mv = min(float(np.quantile(seen, 0.25 if scattered else 0.5)), _MOST_OF_CRITERION * criterion_mv)
    return TableNoise(noise_mv, weak & (amplitude_mv <= LARGEST_NOISE * noise_mv), below_threshold)


def _plateau(intensity_mso: NDArray[np.float64], amplitude_mv: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Find the weakest pulses whose amplitudes scatter and grow as little as noise, if there are such."""
    none = np.zeros(amplitude_mv.size, dtype=bool)
    plateau = none
    for intensity in np.unique(intensity_mso):
        own = intensity_mso == intensity
        joined = plateau | own
        if joined.sum() < _FEWEST_OF_PLATEAU:
            plateau = joined
            continue
        scattered = _log_sd_below_median(amplitude_mv[joined]) > _PLATEAU_LOG_SD
        if plateau.sum() < _FEWEST_OF_PLATEAU:
            if scattered:
                return none
        elif scattered or np.median(amplitude_mv[own]) > _PLATEAU_STEP * np.median(amplitude_mv[plateau]):
            return plateau
        plateau = joined
    # Every intensity is alike: there is no response that noise could be told from.
    return none


def _log_sd_below_median(amplitude_mv: NDArray[np.float64]) -> float:
    """Return the SD of ln amplitude that the distance from the smallest to the median speaks of."""
    # Blom 1958 (Statistical Estimates and Transformed Beta-Variables): the smallest of n normal values.
    smallest = -float(ndtri(0.625 / (amplitude_mv.size + 0.25)))
    return float(np.log(np.median(amplitude_mv) / amplitude_mv.min())) / smallest
