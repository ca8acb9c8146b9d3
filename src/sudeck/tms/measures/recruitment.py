"""Recruitment (input-output) curve: a sigmoid fitted to ln amplitude, robustly, with honest intervals.

MEP amplitudes scatter by a factor, not by an amount: on the raw scale a few large trials decide the fit and
weak intensities count for nothing. Here ln amplitude is fitted, with errors of heavier tails than normal,
under weak priors that keep a curve whose plateau was not reached from running away; it is then said so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.tms.measures.lognormal import checked_amplitudes
from sudeck.tms.measures.recruitment_posterior import SigmoidPosterior, sample_sigmoid

FloatArray = NDArray[np.float64]

# The plateau counts as reached where the strongest intensity has recruited this share of MEPmax by the
# median of the posterior, and the lower share with a probability of nine in ten. With less, trials that
# happen to be small at the strongest intensity pass for a plateau.
PLATEAU_SHARE = 0.85
PLATEAU_SHARE_LOW = 0.75
MIN_INTENSITIES = 4
FEW_TRIALS = 20


@dataclass(frozen=True, slots=True)
class RecruitmentCurve:
    """A fitted recruitment curve.

    Attributes
    ----------
    s50, mep_max, slope, area : Estimate
        Intensity of half of MEPmax (%MSO); MEPmax (mV); slope there (mV/%MSO); area under the curve over
        the tested range (mV %MSO). Where the plateau was not reached, MEPmax and S50 are lower bounds: the
        value is the one at the strongest intensity and the upper limit is open.
    plateau_reached : bool
        Whether the strongest intensity reached the plateau.
    intensity_mso, amplitude_mv, low_mv, high_mv : ndarray, shape (51,)
        The curve (posterior median) and its pointwise interval over the tested range, for drawing.
    log_sd : float
        Trial-to-trial scatter of ln amplitude about the curve.
    flags : sequence of Flag
    unit : str
        Unit of the intensities.
    """

    s50: Estimate
    mep_max: Estimate
    slope: Estimate
    area: Estimate
    plateau_reached: bool
    intensity_mso: FloatArray
    amplitude_mv: FloatArray
    low_mv: FloatArray
    high_mv: FloatArray
    log_sd: float
    flags: Sequence[Flag] = ()
    unit: str = "%MSO"

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The four estimates."""
        return self.s50, self.mep_max, self.slope, self.area

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.estimates, *self.flags)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "estimates": [estimate.to_dict() for estimate in self.estimates],
            "plateau_reached": self.plateau_reached,
            "intensity_mso": self.intensity_mso.tolist(),
            "amplitude_mv": self.amplitude_mv.tolist(),
            "low_mv": self.low_mv.tolist(),
            "high_mv": self.high_mv.tolist(),
            "log_sd": self.log_sd,
            "unit": self.unit,
            "flags": [flag.to_dict() for flag in self.flags],
        }


def recruitment_curve(
    intensity_mso: ArrayLike,
    amplitude_mv: ArrayLike,
    *,
    floor_mv: float = 0.0,
    level: float = 0.95,
    unit: str = "%MSO",
    rng: np.random.Generator | int = 1900,
) -> RecruitmentCurve:
    """Fit a sigmoid to ln amplitude over intensity.

    Parameters
    ----------
    intensity_mso : array-like, shape (n,)
        Intensity of each trial, in `unit`.
    amplitude_mv : array-like, shape (n,)
        Peak-to-peak amplitude of each trial, those without an MEP included.
    floor_mv : float
        Noise floor: smaller amplitudes are taken as the floor.
    level : float
        Probability of the intervals.
    unit : str
        Unit of the intensities: ``"%MSO"``, or ``"%RMT"`` where these alone are known.
    rng : numpy Generator or seed
        Of the posterior sample; the same data and seed give the same numbers.

    Returns
    -------
    RecruitmentCurve
        Posterior medians and equal-tailed intervals, with flags ``plateau-not-reached``, ``flat-curve``,
        ``few-trials``.

    Raises
    ------
    InputError
        If there are fewer than four intensities, or amplitudes that no logarithm can be taken of.

    Notes
    -----
    ln y = ln(b + M / (1 + exp((S50 - x) / k))) + σ e, with e of Student's t with 4 degrees of freedom: the
    Boltzmann curve of Devanne (1997, Exp Brain Res 114:329-338) on a baseline b, or the same with
    S50 ln(S50 / x) for S50 - x, a Hill curve; which one is part of what is not known. The slope is that at
    S50, M / (4 k). The posterior is sampled by importance from the fit's Laplace approximation.
    """
    amplitude = np.maximum(checked_amplitudes(amplitude_mv, floor_mv), floor_mv)
    intensity = np.atleast_1d(np.asarray(intensity_mso, dtype=np.float64))
    if intensity.shape != amplitude.shape or not np.isfinite(intensity).all():
        raise InputError(
            "recruitment curve",
            "an intensity is missing or not a number",
            "give one intensity for each trial",
        )
    tested = np.unique(intensity)
    if tested.size < MIN_INTENSITIES:
        raise InputError(
            "recruitment curve",
            f"{tested.size} intensities can not show a sigmoid",
            f"stimulate at {MIN_INTENSITIES} intensities or more",
        )
    posterior = sample_sigmoid(intensity, np.log(amplitude), np.random.default_rng(rng))
    return _summarised(posterior, intensity, level, unit)


def _summarised(
    posterior: SigmoidPosterior, intensity: FloatArray, level: float, unit: str
) -> RecruitmentCurve:
    top = float(intensity.max())
    tails = (0.5, 0.5 - level / 2, 0.5 + level / 2)
    grid = np.linspace(float(intensity.min()), top, 51)
    curves = posterior.curve(grid)
    middle, low, high = np.quantile(curves, tails, axis=0)
    share, low_share = map(float, np.quantile(posterior.share(top), (0.5, 0.1)))
    reached = share >= PLATEAU_SHARE and low_share >= PLATEAU_SHARE_LOW
    method = "sigmoid of intensity or its logarithm on ln amplitude, Student-t errors, posterior median"
    common: dict[str, Any] = {"level": level, "n": float(intensity.size), "n_unit": "trials"}

    def estimate(name: str, draws: FloatArray, measured_in: str) -> Estimate:
        value, below, above = map(float, np.quantile(draws, tails))
        return Estimate(name, value, below, above, unit=measured_in, method=method, **common)

    s50 = estimate("S50", posterior.s50, unit)
    mep_max = estimate("MEPmax", posterior.mep_max, "mV")
    if not reached:
        open_end = method + "; plateau not reached: a lower bound"
        at_top = float(middle[-1])
        mep_max = Estimate("MEPmax", at_top, float(low[-1]), math.inf, unit="mV", method=open_end, **common)
        bound = min(s50.value, top)
        s50 = Estimate("S50", bound, min(bound, s50.low), math.inf, unit=unit, method=open_end, **common)
    return RecruitmentCurve(
        s50,
        mep_max,
        estimate("slope", posterior.mep_max / (4 * posterior.width), f"mV/{unit}"),
        estimate("area", np.asarray(np.trapezoid(curves, grid, axis=1)), f"mV·{unit}"),
        reached,
        grid,
        middle,
        low,
        high,
        float(np.median(posterior.log_sd)),
        tuple(_doubts(intensity.size, middle, reached, share, top, unit)),
        unit,
    )


def _doubts(n: int, curve: FloatArray, reached: bool, share: float, top: float, unit: str) -> list[Flag]:
    flags = []
    if not reached:
        text = (
            f"At {top:.4g} {unit} the curve is at about {100 * share:.0f} % of its plateau or the plateau is "
            "uncertain: MEPmax and S50 are lower bounds."
        )
        flags.append(Flag("plateau-not-reached", text, "caution", "recruitment", share, PLATEAU_SHARE))
    if curve[-1] < 2 * curve[0]:
        rise = float(curve[-1] / curve[0])
        text = f"From the weakest to the strongest intensity the curve rises only {rise:.1f}-fold."
        flags.append(Flag("flat-curve", text, "caution", "recruitment", rise, 2.0))
    if n < FEW_TRIALS:
        text = f"The recruitment curve rests on {n} trials, fewer than {FEW_TRIALS}."
        flags.append(
            Flag("few-trials", text, "caution", "recruitment", float(n), float(FEW_TRIALS), "trials")
        )
    return flags
