"""Cohorts of patients whose truth is known: uptake, stage, pain before and after ketamine.

What is built in, and where it comes from:

- Flow and pool fall before bone (Demangeat et al. 1988, J Nucl Med 29:26-32): the logarithms of VPr and TPr
  fall steeply with the logarithm of the duration of disease, that of BPr gently. So BPr/VPr rises with
  duration.
- The dominant hand takes up a few per cent more in the bone phase; feet do not differ.
- Relief depends on the true log BPr/TPr and log TPr/VPr and on duration. The two coefficients are solved so
  that the *measured* ratios correlate with relief, on average, as published; the third correlation follows,
  because on the log scale the third ratio is the sum of the other two. The phases by themselves hardly
  correlate.
- Logarithms are jointly normal, which makes every correlation known in closed form. For a normal relief and a
  log-normal ratio with standard deviation s of its logarithm, the correlation with the ratio itself is that
  with its logarithm times s / sqrt(exp(s²) - 1).

The truth is returned beside the tables and is in none of them.
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
_MEAN_LOG: Final = np.array([0.05, 0.02, 0.155])
_PER_STAGE: Final = np.array([-0.14, -0.11, -0.04])
_HAND_DOMINANCE_BONE: Final = 0.03
_MEDIAN_DURATION_MONTHS: Final = 9.0
_SD_LOG_DURATION: Final = 0.85
_LONGEST_MONTHS: Final = 240.0


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
class SyntheticCohort:
    """Tables of a study, and the truth beside them.

    Attributes
    ----------
    participants : DataFrame
        ``participant_id, age, sex, handedness, crps_type, limb, affected_side, duration_months``.
    scans : DataFrame
        ``participant_id, VPr, TPr, BPr, VPr_log_se, TPr_log_se, BPr_log_se`` as measured.
    pain : DataFrame
        ``participant_id, visit, day, nrs``: baseline, treatment days 1 to 5, weeks 4 and 12.
    table : DataFrame
        One row a patient for the prediction room: the above joined, with ``relief_points``,
        ``relief_percent`` and ``responder`` at the end of treatment.
    truth : CohortTruth
    """

    participants: pd.DataFrame
    scans: pd.DataFrame
    pain: pd.DataFrame
    table: pd.DataFrame
    truth: CohortTruth


@dataclass(frozen=True)
class _Population:
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
        return np.asarray(self.patient + np.outer(_PER_STAGE, _PER_STAGE))


_TO_RATIOS: Final = np.array([[0.0, -1.0, 1.0], [-1.0, 1.0, 0.0]])


def draw_cohort(
    settings: CohortSettings | None = None, *, rng: np.random.Generator, first_id: int = 1
) -> SyntheticCohort:
    """Draw a cohort of patients.

    Parameters
    ----------
    settings : CohortSettings, optional
        As published, 105 patients, unless given.
    rng : numpy.random.Generator
        The same state gives the same tables, bit for bit.
    first_id : int
        Number of the first patient.

    Raises
    ------
    InputError
        If the wanted correlations cannot hold together, or the measurement error exceeds the spread.
    """
    import pandas as pd

    chosen = settings or CohortSettings()
    population = _solve(chosen)
    n = chosen.n
    ids = [f"sub-{first_id + i:03d}" for i in range(n)]

    stage = rng.standard_normal(n)
    hand = rng.random(n) < 0.6
    right_handed = rng.random(n) < 0.9
    right_side = rng.random(n) < 0.5
    dominant_hand = hand & (right_handed == right_side)
    # Half the offset either way, so that handedness moves patients and not the cohort.
    dominance = np.where(hand, np.where(dominant_hand, 0.5, -0.5), 0.0) * _HAND_DOMINANCE_BONE
    root = np.linalg.cholesky(population.patient)
    logs = _MEAN_LOG + np.outer(stage, _PER_STAGE) + rng.standard_normal((n, 3)) @ root.T

    typical = np.sqrt(np.diag(population.error))
    # Standard errors differ between patients; their mean square stays what the settings say.
    factor = np.exp(chosen.measurement_spread * rng.standard_normal(n) - chosen.measurement_spread**2)
    log_se = typical * factor[:, None]
    ratios = logs @ _TO_RATIOS.T
    centred = ratios - _MEAN_LOG @ _TO_RATIOS.T
    # The bone of a dominant hand takes up more without any bearing on relief.
    logs = logs + np.outer(dominance, [0.0, 0.0, 1.0])
    measured = logs + log_se * rng.standard_normal((n, 3))

    expected = centred @ population.slopes[:2] + population.slopes[2] * stage
    standard = expected + population.residual_sd * rng.standard_normal(n)
    relief = chosen.mean_relief + chosen.sd_relief * standard
    duration = np.exp(math.log(_MEDIAN_DURATION_MONTHS) + _SD_LOG_DURATION * stage)

    participants = pd.DataFrame(
        {
            "participant_id": ids,
            "age": np.round(np.clip(rng.normal(47, 12, n), 18, 80), 0),
            "sex": np.where(rng.random(n) < 0.72, "F", "M"),
            "handedness": np.where(right_handed, "R", "L"),
            "crps_type": np.where(rng.random(n) < 0.9, "1", "2"),
            "limb": np.where(hand, "hand", "foot"),
            "affected_side": np.where(right_side, "right", "left"),
            "duration_months": np.round(np.clip(duration, 1.0, _LONGEST_MONTHS), 1),
        }
    )
    names = [PHASE_RATIOS[phase] for phase in SCAN_PHASES]
    scans = pd.DataFrame({"participant_id": ids})
    for j, name in enumerate(names):
        scans[name] = np.exp(measured[:, j])
    for j, name in enumerate(names):
        scans[f"{name}_log_se"] = log_se[:, j]
    pain = _pain_diary(ids, relief, rng)
    _lose(participants, scans, pain, chosen.missing, rng)

    patients = pd.DataFrame({"participant_id": ids})
    for j, name in enumerate(names):
        patients[name] = np.exp(logs[:, j])
    patients["expected_relief_percent"] = chosen.mean_relief + chosen.sd_relief * expected
    patients["relief_percent"] = relief
    patients["duration_months"] = duration
    truth = _truth(patients, population, chosen)
    table = participants.merge(scans, on="participant_id").merge(
        _relief_table(pain, chosen.responder_at), on="participant_id"
    )
    return SyntheticCohort(participants, scans, pain, table, truth)


def without_effect(settings: CohortSettings | None = None) -> CohortSettings:
    """Return settings in which nothing predicts relief: neither the ratios nor the duration."""
    base = settings or CohortSettings()
    return replace(base, correlations=dict.fromkeys(RATIOS_OF_RATIOS, 0.0), duration_effect=0.0)


def _solve(settings: CohortSettings) -> _Population:
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
    patient = back @ measured @ back.T - error - np.outer(_PER_STAGE, _PER_STAGE)
    if np.linalg.eigvalsh(patient).min() <= 1e-6:
        raise InputError(
            "the synthetic cohort", "the measurement error exceeds the spread of the ratios", "lower it"
        )
    true = _TO_RATIOS @ (patient + np.outer(_PER_STAGE, _PER_STAGE)) @ _TO_RATIOS.T
    with_stage = _TO_RATIOS @ _PER_STAGE
    duration = settings.duration_effect
    slopes = np.linalg.solve(true, np.array([first * s, second * s]) - duration * with_stage)
    joint = np.block([[true, with_stage[:, None]], [with_stage[None, :], np.ones((1, 1))]])
    beta = np.array([*slopes, duration])
    explained = float(beta @ joint @ beta)
    if explained >= 1.0:
        raise InputError(
            "the synthetic cohort", "the correlations explain more than all relief", "lower them"
        )
    return _Population(patient, error, beta, math.sqrt(1.0 - explained))


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


def _truth(patients: pd.DataFrame, population: _Population, settings: CohortSettings) -> CohortTruth:
    true_ratios = _TO_RATIOS @ population.true @ _TO_RATIOS.T
    noise = _TO_RATIOS @ population.error @ _TO_RATIOS.T
    with_stage = _TO_RATIOS @ _PER_STAGE
    corner = np.block([[true_ratios, with_stage[:, None]], [with_stage[None, :], np.ones((1, 1))]])
    observed = corner.copy()
    observed[:2, :2] += noise
    naive = np.linalg.solve(observed, corner @ population.slopes)
    # Covariance of relief with the phases, then with every measure made of them.
    with_phases = population.true @ _TO_RATIOS.T @ population.slopes[:2] + _PER_STAGE * population.slopes[2]
    spread = population.true + population.error
    correlations = {}
    for name in (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS):
        contrast = _contrast(name)
        sd = math.sqrt(float(contrast @ spread @ contrast))
        correlations[name] = float(contrast @ with_phases) / sd * _raw_factor(sd)
    scale = np.array([1.0, 1.0, 1 / _SD_LOG_DURATION]) * settings.sd_relief
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


def _contrast(name: str) -> FloatArray:
    index = {PHASE_RATIOS[phase]: j for j, phase in enumerate(SCAN_PHASES)}
    over, _, under = name.partition("/")
    contrast = np.zeros(3)
    contrast[index[over]] += 1.0
    if under:
        contrast[index[under]] -= 1.0
    return contrast


def _pain_diary(ids: list[str], relief: FloatArray, rng: np.random.Generator) -> pd.DataFrame:
    """Return pain scores by day: falling over five days of treatment, then partly coming back.

    Scores are means over the day, to one decimal; baseline is 4 to 9.5.
    """
    import pandas as pd

    n = len(ids)
    baseline = np.round(np.clip(rng.normal(6.8, 1.1, n), 4.0, 9.5), 1)
    days = {"baseline": 0, **{f"day {d}": d for d in range(1, 6)}, "week 4": 28, "week 12": 84}
    share = {"baseline": 0.0, "day 1": 0.35, "day 2": 0.6, "day 3": 0.8, "day 4": 0.95, "day 5": 1.0}
    rows = []
    for visit, day in days.items():
        if visit in share:
            part = np.full(n, share[visit])
        else:
            part = np.clip(rng.normal(0.7 if visit == "week 4" else 0.45, 0.2, n), 0.0, 1.0)
        wobble = 0.0 if visit in ("baseline", "day 5") else rng.normal(0.0, 0.4, n)
        score = np.round(np.clip(baseline * (1 - part * relief / 100) + wobble, 0.0, 10.0), 1)
        rows.append(pd.DataFrame({"participant_id": ids, "visit": visit, "day": day, "nrs": score}))
    diary = pd.concat(rows, ignore_index=True)
    return diary.sort_values(["participant_id", "day"], kind="stable").reset_index(drop=True)


def _lose(
    participants: pd.DataFrame,
    scans: pd.DataFrame,
    pain: pd.DataFrame,
    missing: Mapping[str, float],
    rng: np.random.Generator,
) -> None:
    """Take away what is missing, in place and at random."""
    n = len(participants)
    for column in ("duration_months", "age"):
        participants.loc[rng.random(n) < missing.get(column, 0.0), column] = np.nan
    scans.loc[rng.random(n) < missing.get("scan", 0.0), scans.columns[1:]] = np.nan
    for item, visit in (("end", "day 5"), ("week 4", "week 4"), ("week 12", "week 12")):
        lost = set(participants.participant_id[rng.random(n) < missing.get(item, 0.0)])
        pain.loc[(pain.visit == visit) & pain.participant_id.isin(lost), "nrs"] = np.nan


def _relief_table(pain: pd.DataFrame, responder_at: float) -> pd.DataFrame:
    wide = pain.pivot(index="participant_id", columns="visit", values="nrs")
    points = wide["baseline"] - wide["day 5"]
    percent = 100 * points / wide["baseline"]
    responder = (percent >= responder_at).astype(float).where(percent.notna())
    return wide[[]].assign(relief_points=points, relief_percent=percent, responder=responder).reset_index()
