"""The hierarchy over patients: coverage of its mean changes, and whether a course is found.

    python benchmarks/bench_circuit_group.py [--quick] [--pool N] [--studies N] [--draws N] [--jobs N]

Patients are drawn from the prior of the inference at baseline, measured with what the study of 19 patients
measured. A course multiplies NMDA on pyramidal cells of the pain side by 0.75 and leaves all else; every
factor of every patient strays about its course. Each patient of the pool is fitted once; studies of 19 are
drawn from the pool, so they share patients and the number of patients in the pool, not that of studies,
says how well coverage is known. Needs the extra ``circuit``.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from circuit_virtual_patient import STUDY_MEASURES
from sudeck.circuit.reference import load_distribution
from sudeck.mechanism.circuit_fit.explanation import GroupShare
from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT
from sudeck.mechanism.circuit_fit.hierarchy import infer_group_from, share_of
from sudeck.mechanism.circuit_fit.hypotheses import BASE_SD, draw_factors
from sudeck.mechanism.circuit_fit.likelihood import simulate_patient
from sudeck.mechanism.circuit_fit.patient_data import PatientData
from sudeck.mechanism.circuit_fit.patient_fit import DRAWS, fit_patient

SEED, PATIENTS, FALL = 9000, 19, 0.75
KEYS = tuple((v, side, m) for v in (0, 1) for side in (0, 1) for m in STUDY_MEASURES)
ERRORS = np.array([0.02 if m == "RMT" else 0.12 for _, _, m in KEYS])
MOVED = 2 * FACTORS.index("nmda_pyramids")
TRUTH = np.where(np.arange(N_VISIT) == MOVED, np.log(FALL), 0.0)
# Patients differ in their change by what healthy people differ by at baseline.
STRAY = np.repeat([BASE_SD[name] for name in FACTORS], 2)


def fit_one(task: tuple[int, int]) -> GroupShare | None:
    number, draws = task
    rng = np.random.default_rng([SEED, number])
    blank = PatientData(f"sub-{number:03}", ("pre", "post"), KEYS, np.zeros(len(KEYS)), ERRORS)
    while True:
        baseline, _ = draw_factors(1, 1, rng)
        change = (TRUTH + STRAY * rng.standard_normal(N_VISIT))[:, None]
        circuit = load_distribution().draw(1, rng)
        shown = simulate_patient(blank, np.concatenate([circuit, baseline, change]))[:, 0]
        if np.isfinite(shown).all():
            break
    person = np.linalg.cholesky(blank.person_covariance + 1e-12 * np.eye(len(KEYS)))
    value = shown + person @ rng.standard_normal(len(KEYS)) + ERRORS * rng.standard_normal(len(KEYS))
    data = PatientData(blank.patient, blank.visits, KEYS, value, ERRORS)
    return share_of(fit_patient(data, draws=draws, rng=np.random.default_rng(number)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a pool of 19, three studies")
    parser.add_argument("--pool", type=int, default=190)
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--draws", type=int, default=DRAWS, help="of each fit")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    pool, studies = (PATIENTS, 3) if given.quick else (given.pool, given.studies)
    begun = time.perf_counter()
    with ProcessPoolExecutor(given.jobs) as executor:
        shares = [
            share
            for share in executor.map(fit_one, [(number, given.draws) for number in range(pool)])
            if share is not None
        ]
    print(f"{len(shares)} patients fitted in {time.perf_counter() - begun:.0f} s")
    rng = np.random.default_rng(SEED)
    covered, known, found, false, seconds = [], [], [], [], []
    for study in range(studies):
        chosen = rng.choice(len(shares), PATIENTS, replace=False)
        begun = time.perf_counter()
        group = infer_group_from({f"sub-{i:03}": shares[i] for i in chosen}, rng=study)
        seconds.append(time.perf_counter() - begun)
        ends = [(f.mean.low, f.mean.high) for f in group.factors]
        true = [
            t if f.factor == FACTORS[-1] else np.exp(t) for t, f in zip(TRUTH, group.factors, strict=True)
        ]
        covered.append([low <= t <= high for t, (low, high) in zip(true, ends, strict=True)])
        known.append([f.identified for f in group.factors])
        found.append(ends[MOVED][1] < 1)
        rest = [one for one in range(N_VISIT) if one != MOVED]
        false.append(any(not covered[-1][one] for one in rest))
    inside, told = np.array(covered), np.array(known)
    print(f"{studies} studies of {PATIENTS}; a group takes {np.median(seconds):.1f} s")
    print(f"95 % intervals of mean changes cover {100 * inside.mean():.1f} % (target 93 to 97)")
    print(f"  of those that the measures narrow: {100 * inside[told].mean():.1f} % of {told.sum()}")
    print(f"NMDA of pyramidal cells x{FALL} found in {100 * np.mean(found):.0f} % (target 80)")
    print(f"one of the {N_VISIT - 1} others is claimed to move in {100 * np.mean(false):.0f} % of studies")
    for at, factor in enumerate(group.factors):
        own = 100 * inside[:, at].mean(), 100 * told[:, at].mean()
        print(
            f"  {factor.factor:20}{factor.hemisphere:8} covered {own[0]:5.1f} %  narrowed in {own[1]:5.1f} %"
        )


if __name__ == "__main__":
    main()
