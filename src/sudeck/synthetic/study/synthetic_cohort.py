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

The distribution, and what follows from it in closed form, is in `population`. The truth is
returned beside the tables and is in none of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import PHASE_RATIOS, SCAN_PHASES
from sudeck.synthetic.study.population import (
    MEAN_LOG,
    PER_STAGE,
    SD_LOG_DURATION,
    TO_RATIOS,
    Centres,
    CohortSettings,
    CohortTruth,
    FloatArray,
    solve_population,
    state_truth,
    without_effect,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CohortSettings", "CohortTruth", "SyntheticCohort", "draw_cohort", "without_effect"]

_HAND_DOMINANCE_BONE: Final = 0.03
_MEDIAN_DURATION_MONTHS: Final = 9.0
_LONGEST_MONTHS: Final = 240.0
_BEND: Final = 0.8  # of skewed relief: its skewness is then 3.7


@dataclass(frozen=True)
class SyntheticCohort:
    """Tables of a study, and the truth beside them.

    Attributes
    ----------
    participants : DataFrame
        ``participant_id, age, sex, handedness, crps_type, limb, affected_side, duration_months``, and
        ``centre`` where there are several.
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


def draw_cohort(
    settings: CohortSettings | None = None,
    *,
    rng: np.random.Generator,
    first_id: int = 1,
    residuals: FloatArray | None = None,
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
    residuals : array of float, (scans, 3)
        Errors over stated errors of log VPr, TPr and BPr, of which each patient gets a row; normal ones
        unless given.

    Raises
    ------
    InputError
        If the wanted correlations cannot hold together, or the measurement error exceeds the spread.
    """
    import pandas as pd

    chosen = settings or CohortSettings()
    population = solve_population(chosen)
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
    logs = MEAN_LOG + np.outer(stage, PER_STAGE) + rng.standard_normal((n, 3)) @ root.T

    typical = np.sqrt(np.diag(population.error))
    # Standard errors differ between patients; their mean square stays what the settings say.
    factor = np.exp(chosen.measurement_spread * rng.standard_normal(n) - chosen.measurement_spread**2)
    log_se = typical * factor[:, None]
    ratios = logs @ TO_RATIOS.T
    centred = ratios - MEAN_LOG @ TO_RATIOS.T
    # The bone of a dominant hand takes up more without any bearing on relief.
    logs = logs + np.outer(dominance, [0.0, 0.0, 1.0])
    errors = rng.standard_normal((n, 3)) if residuals is None else rng.choice(residuals, n)
    measured = logs + log_se * errors

    expected = centred @ population.slopes[:2] + population.slopes[2] * stage
    standard = expected + population.residual_sd * rng.standard_normal(n)
    centre = np.full(n, np.nan, dtype=object)
    if chosen.centres is not None:
        centre, camera, level = _centres(chosen.centres, n, rng)
        measured, standard = measured + camera, standard + level
    if chosen.skewed_relief:
        standard = _bent(standard)
    relief = chosen.mean_relief + chosen.sd_relief * standard
    duration = np.exp(math.log(_MEDIAN_DURATION_MONTHS) + SD_LOG_DURATION * stage)

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
    if chosen.centres is not None:
        participants["centre"] = centre
    names = [PHASE_RATIOS[phase] for phase in SCAN_PHASES]
    scans = pd.DataFrame({"participant_id": ids})
    for j, name in enumerate(names):
        scans[name] = np.exp(measured[:, j])
    for j, name in enumerate(names):
        scans[f"{name}_log_se"] = log_se[:, j]
    pain = _pain_diary(ids, relief, rng, chosen.score_sd)
    _lose(participants, scans, pain, _chances(chosen, standard, stage), rng)

    patients = pd.DataFrame({"participant_id": ids})
    for j, name in enumerate(names):
        patients[name] = np.exp(logs[:, j])
    patients["expected_relief_percent"] = chosen.mean_relief + chosen.sd_relief * expected
    patients["relief_percent"] = relief
    patients["duration_months"] = duration
    truth = state_truth(patients, population, chosen)
    table = participants.merge(scans, on="participant_id").merge(
        _relief_table(pain, chosen.responder_at), on="participant_id"
    )
    return SyntheticCohort(participants, scans, pain, table, truth)


def _centres(
    centres: Centres, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.object_], FloatArray, FloatArray]:
    """Return where each patient comes from, what that camera adds to each log ratio, and to relief."""
    where = rng.integers(centres.n, size=n)
    camera = centres.camera_sd * rng.standard_normal((centres.n, 3))
    level = centres.relief_sd * rng.standard_normal(centres.n)
    names = np.array([f"centre {number + 1}" for number in range(centres.n)], dtype=object)
    return names[where], camera[where], level[where]


def _chances(
    settings: CohortSettings, relief: FloatArray, stage: FloatArray
) -> Mapping[str, float | FloatArray]:
    """Return the probability that each item is missing: one for all, or one for each patient."""
    if not settings.away:
        return settings.missing
    end = settings.missing["end"]
    odds = math.log(end / (1 - end)) + settings.away.get("relief", 0.0) * relief
    odds = odds + settings.away.get("stage", 0.0) * stage
    return {**settings.missing, "end": 1 / (1 + np.exp(-odds))}


def _bent(standard: FloatArray) -> FloatArray:
    """Return normal values along a curve that grows ever faster; mean and variance stay."""
    mean = math.exp(_BEND**2 / 2)
    sd = mean * math.sqrt(math.expm1(_BEND**2))
    return np.asarray((np.exp(_BEND * standard) - mean) / sd)


def _pain_diary(
    ids: list[str], relief: FloatArray, rng: np.random.Generator, score_sd: float = 0.0
) -> pd.DataFrame:
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
        if score_sd and visit in ("baseline", "day 5"):
            wobble = rng.normal(0.0, score_sd, n)
        score = np.round(np.clip(baseline * (1 - part * relief / 100) + wobble, 0.0, 10.0), 1)
        rows.append(pd.DataFrame({"participant_id": ids, "visit": visit, "day": day, "nrs": score}))
    diary = pd.concat(rows, ignore_index=True)
    return diary.sort_values(["participant_id", "day"], kind="stable").reset_index(drop=True)


def _lose(
    participants: pd.DataFrame,
    scans: pd.DataFrame,
    pain: pd.DataFrame,
    missing: Mapping[str, float | FloatArray],
    rng: np.random.Generator,
) -> None:
    """Take away what is missing, in place."""
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
