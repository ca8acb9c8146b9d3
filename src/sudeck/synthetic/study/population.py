"""The distribution a synthetic cohort is drawn from, solved so that it correlates as published.

Logarithms of the uptake ratios, stage and relief are jointly normal, which makes every correlation, slope and
reliability known in closed form. For a normal relief and a log-normal ratio with standard deviation s of its
logarithm, the correlation with the ratio itself is that with its logarithm times s / sqrt(exp(s²) - 1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.published import COHORT_SIZE, PUBLISHED_RATIOS
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS, SCAN_PHASES

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

# (V, T, B): logarithm of the uptake ratio at the median duration, and its change per standard deviation of
# log duration. Chosen so that the published cut-offs lie near the middle of the cohort.
MEAN_LOG: Final = np.array([0.05, 0.02, 0.155])
PER_STAGE: Final = np.array([-0.14, -0.11, -0.04])
SD_LOG_DURATION: Final = 0.85
# (v, t, b) to (b - t, t - v)
TO_RATIOS: Final = np.array([[0.0, -1.0, 1.0], [-1.0, 1.0, 0.0]])


@dataclass(frozen=True)
class CohortSettings:
    """What a synthetic cohort is made of.

    Attributes
    ----------
    n : int
    correlations : Mapping of str to float
        Wanted between relief and the measured BPr/TPr, TPr/VPr and BPr/VPr; all zero for a cohort without
        effect.
    sd_log_ratio : float
        Standard deviation of the measured log BPr/TPr; log TPr/VPr has the same.
    sd_log_tissue : float
        Standard deviation of the measured log TPr over patients.
    measurement_sd : Mapping of str to float
        Standard error of the logarithms of VPr, TPr and BPr in a typical patient.
    measurement_spread : float
        How much that standard error differs between patients: standard deviation of its logarithm.
    duration_effect : float
        Relief per standard deviation of log duration, in standard deviations of relief.
    mean_relief, sd_relief : float
        Per cent of baseline pain, at the end of treatment.
    responder_at : float
        Relief in per cent from which a patient is a responder.
    missing : Mapping of str to float
        Probability that an item is missing: ``"scan"``, ``"end"`` (pain at the end of treatment), ``"week
        4"``, ``"week 12"``, ``"duration_months"``, ``"age"``.
    away : Mapping of str to float
        Who is missing at the end of treatment, beyond chance: change of the log odds of that a standard
        deviation of ``"relief"`` and of ``"stage"``. Empty where it is chance alone.
    centres : Centres or None
        Where patients come from; one place unless given.
    score_sd : float
        Standard deviation of what is wrong with a pain score at baseline and at the end, in points.
    skewed_relief : bool
        Relief grows along a bent curve: little in most, all pain gone in a few.
    """

    n: int = COHORT_SIZE
    correlations: Mapping[str, float] = field(
        default_factory=lambda: {name: float(ratio.r) for name, ratio in PUBLISHED_RATIOS.items()}
    )
    sd_log_ratio: float = 0.20
    sd_log_tissue: float = 0.36
    measurement_sd: Mapping[str, float] = field(
        default_factory=lambda: {"VPr": 0.06, "TPr": 0.04, "BPr": 0.04}
    )
    measurement_spread: float = 0.2
    duration_effect: float = -0.10
    mean_relief: float = 38.0
    sd_relief: float = 26.0
    responder_at: float = 30.0
    missing: Mapping[str, float] = field(
        default_factory=lambda: {
            "scan": 0.02,
            "end": 0.03,
            "week 4": 0.12,
            "week 12": 0.22,
            "duration_months": 0.03,
            "age": 0.01,
        }
    )
    away: Mapping[str, float] = field(default_factory=dict)
    centres: Centres | None = None
    score_sd: float = 0.0
    skewed_relief: bool = False


@dataclass(frozen=True)
class Centres:
    """Several centres in one study, each with a camera and with patients of its own.

    Attributes
    ----------
    n : int
        How many; patients come to each alike.
    camera_sd : float
        Standard deviation, over centres, of the logarithm by which a camera reads each phase ratio wrong.
    relief_sd : float
        The same of the mean relief, in standard deviations of relief within a centre.
    """

    n: int
    camera_sd: float
    relief_sd: float


def without_effect(settings: CohortSettings | None = None) -> CohortSettings:
    """Return settings in which nothing predicts relief: neither the ratios nor the duration."""
    base = settings or CohortSettings()
    return replace(base, correlations=dict.fromkeys(RATIOS_OF_RATIOS, 0.0), duration_effect=0.0)


@dataclass(frozen=True)
class CohortTruth:
    """What the analysis must find and never sees.

    Attributes
    ----------
    patients : DataFrame
        Per patient: true VPr, TPr, BPr, expected relief, relief before clipping and rounding, true duration.
    slopes : Mapping of str to float
        Relief (per cent) per unit of true log BPr/TPr, log TPr/VPr and log duration.
    naive_slopes : Mapping of str to float
        What a regression on the measured ratios tends to instead.
    residual_sd : float
        Of relief given the truth.
    correlations : Mapping of str to float
        Population correlation of relief with each of the six measured ratios.
    reliability : Mapping of str to float
        Of the two measured log ratios.
    settings : CohortSettings
    """

    patients: pd.DataFrame
    slopes: Mapping[str, float]
    naive_slopes: Mapping[str, float]
    residual_sd: float
    correlations: Mapping[str, float]
    reliability: Mapping[str, float]
    settings: CohortSettings


@dataclass(frozen=True)
class Population:
    """The joint normal distribution of (stage, v, t, b) and relief, solved from the settings."""

    patient: FloatArray  # covariance of what is left of (v, t, b) once stage is known
    error: FloatArray  # covariance of the measurement error of (v, t, b)
    slopes: (
        FloatArray  # relief in standard deviations per unit of true u = b - t and w = t - v, and per stage
    )
    residual_sd: float  # of relief, in standard deviations

    @property
    def true(self) -> FloatArray:
        """Covariance of the true (v, t, b)."""
        return np.asarray(self.patient + np.outer(PER_STAGE, PER_STAGE))


def solve_population(settings: CohortSettings) -> Population:
    """Find the distribution whose measured ratios correlate with relief as wanted."""
    s = settings.sd_log_ratio
    wanted = settings.correlations
    error = np.diag([settings.measurement_sd[PHASE_RATIOS[phase]] ** 2 for phase in SCAN_PHASES])
    first = wanted["BPr/TPr"] / _raw_factor(s)
    second = wanted["TPr/VPr"] / _raw_factor(s)
    total_sd = _third_sd(first, second, wanted["BPr/VPr"], s)
    rho = total_sd**2 / (2 * s * s) - 1.0
    if not -0.95 < rho < 0.95:
        raise InputError(
            "the synthetic cohort", "the three correlations cannot hold together", "change one of them"
        )
    # Covariance of the measured (u, w, t) with u = b - t and w = t - v; t leans neither way, so that the
    # phases by themselves tell as little as can be.
    tissue = settings.sd_log_tissue
    lean = (s * s - s * s * rho) / 2
    measured = np.array(
        [
            [s * s, rho * s * s, -lean],
            [rho * s * s, s * s, lean],
            [-lean, lean, tissue**2],
        ]
    )
    back = np.array([[0.0, -1.0, 1.0], [0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])  # (u, w, t) to (v, t, b)
    patient = back @ measured @ back.T - error - np.outer(PER_STAGE, PER_STAGE)
    if np.linalg.eigvalsh(patient).min() <= 1e-6:
        raise InputError(
            "the synthetic cohort", "the measurement error exceeds the spread of the ratios", "lower it"
        )
    true = TO_RATIOS @ (patient + np.outer(PER_STAGE, PER_STAGE)) @ TO_RATIOS.T
    with_stage = TO_RATIOS @ PER_STAGE
    duration = settings.duration_effect
    slopes = np.linalg.solve(true, np.array([first * s, second * s]) - duration * with_stage)
    joint = np.block([[true, with_stage[:, None]], [with_stage[None, :], np.ones((1, 1))]])
    beta = np.array([*slopes, duration])
    explained = float(beta @ joint @ beta)
    if explained >= 1.0:
        raise InputError(
            "the synthetic cohort", "the correlations explain more than all relief", "lower them"
        )
    return Population(patient, error, beta, math.sqrt(1.0 - explained))


def state_truth(patients: pd.DataFrame, population: Population, settings: CohortSettings) -> CohortTruth:
    """Return what follows from the distribution in closed form, beside the patients drawn from it."""
    true_ratios = TO_RATIOS @ population.true @ TO_RATIOS.T
    noise = TO_RATIOS @ population.error @ TO_RATIOS.T
    with_stage = TO_RATIOS @ PER_STAGE
    corner = np.block([[true_ratios, with_stage[:, None]], [with_stage[None, :], np.ones((1, 1))]])
    observed = corner.copy()
    observed[:2, :2] += noise
    naive = np.linalg.solve(observed, corner @ population.slopes)
    # Covariance of relief with the phases, then with every measure made of them.
    with_phases = population.true @ TO_RATIOS.T @ population.slopes[:2] + PER_STAGE * population.slopes[2]
    spread = population.true + population.error
    correlations = {}
    for name in (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS):
        contrast = _contrast(name)
        sd = math.sqrt(float(contrast @ spread @ contrast))
        correlations[name] = float(contrast @ with_phases) / sd * _raw_factor(sd)
    scale = np.array([1.0, 1.0, 1 / SD_LOG_DURATION]) * settings.sd_relief
    names = ("log BPr/TPr", "log TPr/VPr", "log duration_months")
    return CohortTruth(
        patients,
        dict(zip(names, (population.slopes * scale).tolist(), strict=True)),
        dict(zip(names, (naive * scale).tolist(), strict=True)),
        population.residual_sd * settings.sd_relief,
        correlations,
        dict(zip(names[:2], (np.diag(true_ratios) / np.diag(observed)[:2]).tolist(), strict=True)),
        settings,
    )


def _third_sd(first: float, second: float, third: float, s: float) -> float:
    """Return the standard deviation of the sum of the two log ratios that gives the third correlation.

    Without any correlation the third is free; then the ratios get the same moderate correlation as published.
    """
    if abs(third) < 1e-12:
        return s * math.sqrt(2 * 1.3)
    total = (first + second) * s / third
    for _ in range(50):
        total = (first + second) * s / (third / _raw_factor(total))
    return total


def _raw_factor(sd_log: float) -> float:
    """Return the correlation of a normal variable with exp(x) relative to that with x."""
    return sd_log / math.sqrt(math.expm1(sd_log**2))


def _contrast(name: str) -> FloatArray:
    index = {PHASE_RATIOS[phase]: j for j, phase in enumerate(SCAN_PHASES)}
    over, _, under = name.partition("/")
    contrast = np.zeros(3)
    contrast[index[over]] += 1.0
    if under:
        contrast[index[under]] -= 1.0
    return contrast
