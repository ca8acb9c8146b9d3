"""How many patients with a defect outside the accounts any check could stop, beside what ours stops.

    python benchmarks/bench_circuit_misfit_ceiling.py [--quick] [--draws N] [--check]

One visit before treatment. Patients of the five accounts stand against circuits with one of the defects of
`bench_circuit_strangers`. No test of the same false alarms stops more of those on average than the ratio of
their density to that of the accounts (Neyman and Pearson), and no density is closer than that of the draws
themselves, with the errors about each: so this is the most that measures allow a check that is told the
eight defects and their sizes. Beside it one that is told in each patient which of the eight to look for, and
the check of Sudeck, which is told neither. Two thirds of the drawn patients make the densities, the others
are judged; 5 % of those of the accounts may be stopped. First the check of Sudeck with a second visit,
of which no density can be had from draws. Needs the extra ``circuit``.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from bench_circuit_strangers import OTHER_DEFECTS, RMT_SE, SE, one_sided
from circuit_virtual_patient import STUDY_MEASURES, WITH_CALLOSUM
from sudeck.circuit.circuit_prior import circuits_at
from sudeck.circuit.reference import load_distribution
from sudeck.mechanism.circuit_fit.factors import N_VISIT, apply_visit
from sudeck.mechanism.circuit_fit.hypotheses import ACCOUNTS, draw_factors
from sudeck.mechanism.circuit_fit.likelihood import simulate_patient
from sudeck.mechanism.circuit_fit.patient_data import PatientData, measure_logs
from sudeck.mechanism.circuit_fit.surprise import foresee

SEED = 8900
FALSE_ALARMS = 0.05
SHIPPED = 0.08  # of the check as `sudeck explain` uses it
JUDGED = 250  # of each kind, by the check of Sudeck
BATCH = 256
MORE = (
    *WITH_CALLOSUM, "CSP", "MEP_1.1", "MEP_1.4", "MEP_1.6", "SICI_1", "SICI_4", "SICI_5", "ICF_8", "ICF_20",
    "LICI_150", "IHI_20",
)  # fmt: skip
SETS = {
    "as the study of 19": (STUDY_MEASURES, 1.0),
    "LICI and IHI too": (WITH_CALLOSUM, 1.0),
    "the same, hardly any error": (WITH_CALLOSUM, 0.05),
    "CSP, curves of all kinds too": (MORE, 1.0),
}
FORESEEN = tuple(account.name for account in ACCOUNTS)


def blank_patient(measures: tuple[str, ...], share: float) -> PatientData:
    """Return a patient of one visit without values, whose errors are `share` of the usual ones."""
    keys = tuple((0, side, measure) for side in (0, 1) for measure in measures)
    errors = np.array([share * (RMT_SE if measure == "RMT" else SE) for *_, measure in keys])
    return PatientData("sub-001", ("pre",), keys, np.zeros(len(keys)), errors)


def draw_all(count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return log measures (all of `MORE`, both sides) of patients of all accounts and defects."""
    patient, reference = blank_patient(MORE, 1.0), load_distribution()
    drawn = {}
    for name in FORESEEN:
        factors, _ = draw_factors(1, count, rng, account=name)
        drawn[name] = simulate_patient(patient, np.concatenate([reference.draw(count, rng), factors]))
    for name, factors_of in OTHER_DEFECTS.items():
        parts = []
        for start in range(0, count, BATCH):
            size = min(BATCH, count - start)
            own, _ = draw_factors(1, size, rng, account="none")
            circuits = apply_visit(circuits_at(reference.draw(size, rng)), own)
            parts.append(measure_logs(one_sided(circuits, factors_of), patient.wanted, dt_ms=0.1))
        drawn[name] = patient.weights[:, 0] @ np.concatenate(parts, axis=1)
    return {name: shown[:, np.isfinite(shown).all(axis=0)] for name, shown in drawn.items()}


def log_density(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the log density of white values about centres, up to a constant of the values alone."""
    parts = []
    for part in np.array_split(values, max(1, values.shape[1] // BATCH), axis=1):
        near = centres.T @ part - 0.5 * (centres**2).sum(axis=0)[:, None]
        parts.append(np.logaddexp.reduce(near, axis=0) - np.log(centres.shape[1]))
    return np.concatenate(parts)


def stopped(score: dict[str, np.ndarray]) -> float:
    """Return the mean share of the defects whose score is above what 5 % of those foreseen reach."""
    limit = np.quantile(np.concatenate([score[name] for name in FORESEEN]), 1 - FALSE_ALARMS)
    return float(np.mean([(score[name] > limit).mean() for name in score if name in OTHER_DEFECTS]))


def mean_of(logs: list[np.ndarray]) -> np.ndarray:
    return np.asarray(np.logaddexp.reduce(logs, axis=0))


def judge(
    drawn: dict[str, np.ndarray], measures: tuple[str, ...], share: float, rng: np.random.Generator
) -> None:
    every = blank_patient(MORE, 1.0).keys
    rows = [row for row, key in enumerate(every) if key[2] in measures]
    patient = blank_patient(tuple(m for *_, m in (every[row] for row in rows[: len(rows) // 2])), share)
    noise = patient.person_covariance + np.diag(patient.log_se**2)
    root = np.linalg.cholesky(noise)
    white = {name: np.linalg.solve(root, shown[rows]) for name, shown in drawn.items()}
    made = {name: shown[:, : 2 * shown.shape[1] // 3] for name, shown in white.items()}
    judged = {name: shown[:, made[name].shape[1] :] for name, shown in white.items()}
    judged = {name: shown + rng.standard_normal(shown.shape) for name, shown in judged.items()}
    logs = {name: {c: log_density(v, centres) for c, centres in made.items()} for name, v in judged.items()}
    foreseen = {name: mean_of([own[c] for c in FORESEEN]) for name, own in logs.items()}
    eight = {name: mean_of([own[c] for c in OTHER_DEFECTS]) - foreseen[name] for name, own in logs.items()}
    told = [
        stopped({name: logs[name][defect] - foreseen[name] for name in (*FORESEEN, defect)})
        for defect in OTHER_DEFECTS
    ]
    known = foresee(patient)
    ours = {
        name: np.mean([known.chance(value)[0] < FALSE_ALARMS for value in (root @ v[:, :JUDGED]).T])
        for name, v in judged.items()
    }
    caught, alarms = (np.mean([ours[name] for name in names]) for names in (OTHER_DEFECTS, FORESEEN))
    print(f", {len(measures)} measures a side: told the eight {100 * stopped(eight):.0f} %, ", end="")
    print(f"told which {100 * np.mean(told):.0f} %, ours {100 * caught:.0f} % (false {100 * alarms:.1f} %)")
    for defect, which in zip(OTHER_DEFECTS, told, strict=True):
        print(f"    {defect:24} told which {100 * which:3.0f} %   ours {100 * ours[defect]:3.0f} %")


def judge_two_visits(label: str, measures: tuple[str, ...], count: int, rng: np.random.Generator) -> None:
    """Print what the check of Sudeck stops where a second visit was measured, moved by treatment or not."""
    keys = tuple((visit, side, measure) for visit in (0, 1) for side in (0, 1) for measure in measures)
    errors = np.array([RMT_SE if measure == "RMT" else SE for *_, measure in keys])
    patient = PatientData("sub-001", ("pre", "post"), keys, np.zeros(len(keys)), errors)
    known, reference = foresee(patient), load_distribution()
    root = np.linalg.cholesky(patient.person_covariance + np.diag(errors**2))

    def share(shown: np.ndarray) -> list[float]:
        values = shown[:, np.isfinite(shown).all(axis=0)]
        values = values + root @ rng.standard_normal(values.shape)
        chances = np.array([known.chance(value)[0] for value in values.T])
        return [float((chances < level).mean()) for level in (FALSE_ALARMS, SHIPPED)]

    alarms = []
    for name in FORESEEN:
        factors, _ = draw_factors(2, count, rng, account=name)
        alarms.append(share(simulate_patient(patient, np.concatenate([reference.draw(count, rng), factors]))))
    usual, shipped = 100 * np.mean(alarms, axis=0)
    print(f"\n{label}, two visits (false {usual:.1f} %; as shipped {shipped:.1f} %)")
    found = []
    for defect, factors_of in OTHER_DEFECTS.items():
        circuits = circuits_at(reference.draw(count, rng))
        factors, _ = draw_factors(2, count, rng, account="none")
        visits = factors[:N_VISIT], factors[:N_VISIT] + factors[N_VISIT:]
        before, after = (
            measure_logs(one_sided(apply_visit(circuits, visit), factors_of), patient.wanted, dt_ms=0.1)
            for visit in visits
        )
        # `wanted` is in the order of the keys of one visit.
        found.append([share(np.concatenate([before, second])) for second in (before, after)])
        print(f"    {defect:24} {_both(found[-1])}")
    print(f"    {'all':24} {_both(np.mean(found, axis=0))}")


def _both(shares: Any) -> str:
    (usual, shipped), (moved, moved_shipped) = 100 * np.array(shares)
    return f"untreated {usual:3.0f} ({shipped:3.0f}) %   treated {moved:3.0f} ({moved_shipped:3.0f}) %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="300 patients of each kind")
    parser.add_argument("--draws", type=int, default=3000, help="of each kind")
    parser.add_argument("--check", action="store_true", help="the check of Sudeck with two visits alone")
    given = parser.parse_args()
    rng = np.random.default_rng(SEED)
    for label, (measures, _) in list(SETS.items())[:2]:
        judge_two_visits(label, measures, 100 if given.quick else 500, rng)
    if given.check:
        return
    drawn = draw_all(300 if given.quick else given.draws, rng)
    for label, (measures, share) in SETS.items():
        print(f"\n{label}", end="")
        judge(drawn, measures, share, rng)


if __name__ == "__main__":
    main()
