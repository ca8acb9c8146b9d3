"""Group statistics on studies that come from the circuit: coverage, and claims of what is not there.

    python benchmarks/bench_mechanism_circuit_studies.py [--quick] [--studies N]

Every patient is a circuit of the reference with a pain-side hemisphere that is abnormal in three of four. A
course moves its synapses (`KETAMINE_COURSE`); both hemispheres are simulated at both visits.
Then each condition is 20 trials with log-normal amplitudes over a noise floor, read by the TMS room and
combined as a study combines them. All ratios of a visit and the MEP share the unconditioned trials, so their
errors go together. Changes are crooked here: skewed, heavy-tailed, larger where the error is larger.

Truth is the mean change of a large independent cohort without trial noise, and its correlation with relief.
Needs the extra ``circuit``.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from circuit_virtual_cohort import (
    KETAMINE_COURSE,
    UNTREATED,
    Course,
    VirtualCohort,
    draw_cohort,
)
from study_scores import (
    ALPHA,
    Scores,
    print_scores,
    row,
    score_association,
    score_association_claims,
    score_change_claims,
    score_changes,
    score_percentile,
)
from sudeck.circuit.reference import load_distribution
from sudeck.mechanism.association import associate_changes
from sudeck.mechanism.changes import estimate_changes
from sudeck.mechanism.circuit_fit.measure_names import USUAL
from sudeck.mechanism.measure_table import HEMISPHERES, INTERACTION, pair_visits, tabulate_measures
from sudeck.statistics.sign_flip import flip_signs
from sudeck.study.answers.stimulated.stimulation_table import mean_variance
from sudeck.tms.measures.lognormal import TYPICAL_LOG_SD, geometric_mean
from sudeck.tms.measures.paired_pulse import geometric_ratio

PATIENTS, TRIALS = 19, 20
# Spread of ln amplitude: the usual one, differing by a fifth between recordings.
LOG_SD_SPREAD = 0.2
FLOOR_MV = 0.03
RMT_LOG_SE = 0.02
RATIOS = ("SICI", "ICF")
NAMED = ("RMT", "MEP", *RATIOS)
VISITS = ("pre", "post")
# Relief falls with both true log changes, in their standard deviations, and with much else.
RELIEF = {("SICI", "pain"): -0.5, ("ICF", "other"): -0.4}
RELIEF_SD = 0.7
# Patients of which the truth is known: without error, and with it for what r is of measured changes.
TRUTH_PATIENTS, MEASURED_PATIENTS = 40_000, 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="25 studies")
    parser.add_argument("--studies", type=int, default=None)
    options = parser.parse_args()
    cover_and_claim(options.studies or (25 if options.quick else 500), quick=options.quick)


def cover_and_claim(studies: int, *, quick: bool) -> None:
    row("what", "target", "measured", "baseline")
    start = time.perf_counter()
    truth = find_truth(TRUTH_PATIENTS // 10 if quick else TRUTH_PATIENTS,
                       MEASURED_PATIENTS // 10 if quick else MEASURED_PATIENTS)  # fmt: skip
    for (measure, side), mean in truth.change.items():
        r = truth.r.get((measure, side))
        told = "" if r is None else f"r with relief {r:+.2f}, measured {truth.measured_r[measure, side]:+.2f}"
        row(f"truth: log change of {measure}, {side}", "", f"{mean:+.3f}", told)
    treated = draw(studies * PATIENTS, seed=1).split(PATIENTS)
    # Three without effect for each with: the share of claims is a small number.
    untreated = draw(3 * studies * PATIENTS, seed=2, course=UNTREATED).split(PATIENTS)
    simulated = time.perf_counter() - start

    scores = Scores()
    for k, cohort in enumerate(treated):
        rng = np.random.default_rng([3, k])
        table = record(cohort, rng, missing=0.1 if k % 2 else 0.0)
        people = with_relief(relief_of(cohort, truth.moments, rng))
        measured = pair_visits(tabulate_measures(table), *VISITS)
        score_changes(scores, estimate_changes(table), measured, truth.change)
        found = associate_changes(table, people, permutations=999, bootstraps=1000, rng=k)
        for a in found.associations:
            place = a.measure, a.hemisphere
            score_association(scores, a, truth.measured_r[place], truth.r[place])
            score_percentile(
                scores, measured, place, people.relief.to_numpy(), truth.measured_r[place], seed=k
            )
        scores.close_study()
    for k, cohort in enumerate(untreated):
        rng = np.random.default_rng([4, k])
        table, people = record(cohort, rng), with_relief(rng.standard_normal(PATIENTS))
        if k < studies // 2:  # what is claimed without control is coarse enough from these
            score_change_claims(scores, estimate_changes(table))
        else:  # the test that controls the family, without the models beside it
            family = flip_signs(pair_visits(tabulate_measures(table), *VISITS).log_change)
            scores.add("claims a change", min(family.p_family) < ALPHA)
        score_association_claims(
            scores, associate_changes(table, people, permutations=999, bootstraps=20, rng=k)
        )
        scores.close_study()
    row(f"{studies} studies of {PATIENTS} from the circuit", "", "")
    print_scores(scores)
    for measure in NAMED:
        for kind in ("change", "interaction"):
            beside = f"paired t {scores.percent(f'{kind}, {measure}, paired t')}"
            row(f"{measure}: {kind} intervals cover", "", scores.percent(f"{kind}, {measure}"), beside)
    row("seconds: circuits and truth / in all", "", f"{simulated:.0f} / {time.perf_counter() - start:.0f} s")


@dataclass(frozen=True)
class Truth:
    """What is true of all patients of the course.

    Attributes
    ----------
    change : dict of (measure, hemisphere) to float
        Mean log change; interactions too.
    moments : dict of (measure, hemisphere) to (float, float)
        Mean and standard deviation of the changes that relief follows.
    r, measured_r : dict of (measure, hemisphere) to float
        Correlation of relief with true and with measured log change.
    """

    change: dict[tuple[str, str], float]
    moments: dict[tuple[str, str], tuple[float, float]]
    r: dict[tuple[str, str], float]
    measured_r: dict[tuple[str, str], float]


def find_truth(patients: int, measured_patients: int) -> Truth:
    cohort = draw(patients, seed=0)
    change, moments, r, measured_r = {}, {}, {}, {}
    for measure in NAMED:
        both = cohort.log_change(measure)
        for side, values in zip(HEMISPHERES, both, strict=True):
            change[measure, side] = float(values.mean())
            if (measure, side) in RELIEF:
                moments[measure, side] = float(values.mean()), float(values.std())
        change[measure, INTERACTION] = float((both[0] - both[1]).mean())
    rng = np.random.default_rng(0)
    relief = relief_of(cohort, moments, rng)
    some = next(cohort.split(measured_patients))
    measured = pair_visits(tabulate_measures(record(some, rng)), *VISITS)
    for measure in NAMED:
        for side, values in zip(HEMISPHERES, cohort.log_change(measure), strict=True):
            place = measure, side
            r[place] = float(np.corrcoef(values, relief)[0, 1])
            shown = measured.column(*place)[0]
            measured_r[place] = float(np.corrcoef(shown, relief[:measured_patients])[0, 1])
    return Truth(change, moments, r, measured_r)


def draw(count: int, *, seed: int, course: Course = KETAMINE_COURSE) -> VirtualCohort:
    return draw_cohort(load_distribution(), count, np.random.default_rng([5, seed]), course=course)


def relief_of(
    cohort: VirtualCohort, moments: dict[tuple[str, str], tuple[float, float]], rng: np.random.Generator
) -> np.ndarray:
    relief = RELIEF_SD * rng.standard_normal(cohort.n_patients)
    for (measure, side), slope in RELIEF.items():
        mean, sd = moments[measure, side]
        relief += slope * (cohort.log_change(measure)[HEMISPHERES.index(side)] - mean) / sd
    return relief


def with_relief(relief: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"participant_id": range(len(relief)), "relief": relief})


def record(cohort: VirtualCohort, rng: np.random.Generator, *, missing: float = 0.0) -> pd.DataFrame:
    """Record patients: trials of each condition, and from them each named measure with its error.

    One of the visits of a share `missing` of the patients is not made.
    """
    rows = []
    for patient in range(cohort.n_patients):
        absent = rng.choice(VISITS) if rng.random() < missing else None
        for v, visit in enumerate(VISITS):
            if visit == absent:
                continue
            for s, side in enumerate(HEMISPHERES):
                logs = dict(zip(cohort.measures, cohort.log_value[v, s, :, patient], strict=True))
                rows += [(patient, visit, side, *one) for one in record_hemisphere(logs, rng)]
    columns = ["participant_id", "visit", "hemisphere", "measure", "value", "log_se"]
    return pd.DataFrame(rows, columns=columns)


def record_hemisphere(logs: dict[str, float], rng: np.random.Generator) -> list[tuple[str, float, float]]:
    """Return measure, value and error on the log scale, all ratios over the same unconditioned trials."""
    test_log = logs["MEP_1.2"]
    test = record_trials(test_log, rng)
    mep = geometric_mean(test, floor_mv=FLOOR_MV)
    threshold = 50 * math.exp(logs["RMT"] + RMT_LOG_SE * rng.standard_normal())
    found = [("RMT", threshold, RMT_LOG_SE), ("MEP", mep.value, float(mep.se or 0))]
    for measure in RATIOS:
        ratios = [
            geometric_ratio(record_trials(test_log + logs[one], rng), test, floor_mv=FLOOR_MV)
            for one in USUAL[measure]
        ]
        value = math.exp(float(np.mean([math.log(one.value) for one in ratios])))
        shared = [float(mep.se or 0) ** 2] * len(ratios)
        variance = mean_variance([float(one.se or 0) ** 2 for one in ratios], shared)
        found.append((measure, value, math.sqrt(variance)))
    return found


def record_trials(log_mv: float, rng: np.random.Generator) -> np.ndarray:
    """Draw amplitudes in mV; a response below the noise floor shows the noise."""
    sd = TYPICAL_LOG_SD * math.exp(LOG_SD_SPREAD * rng.standard_normal())
    amplitude = np.exp(log_mv + sd * rng.standard_normal(TRIALS))
    noise = FLOOR_MV * rng.uniform(0.4, 1.0, TRIALS)
    return np.where(amplitude > FLOOR_MV, amplitude, noise)


if __name__ == "__main__":
    main()
