"""One patient's circuit: calibration and coverage of its posterior, recovery of the true account, time.

    python benchmarks/bench_circuit_inference.py [--quick] [--patients N] [--jobs N] [--keep FILE]

Patients are drawn from the prior of the inference, each at two visits. Half are measured
with callosal pulses and LICI too, half with what the study of 19 patients measured. With ``--keep`` every
patient is written to a file at once, and those in it are not fitted again. Needs the extra ``circuit``.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from circuit_virtual_patient import STUDY_MEASURES, WITH_CALLOSUM, draw_patient
from sudeck.circuit.circuit_prior import circuits_at
from sudeck.circuit.engines import default_engine
from sudeck.circuit.reference import load_distribution
from sudeck.circuit.simulation import find_instability
from sudeck.mechanism.circuit_fit.emulator import load_emulator
from sudeck.mechanism.circuit_fit.factors import FACTORS, apply_visit
from sudeck.mechanism.circuit_fit.hypotheses import ACCOUNTS, draw_factors
from sudeck.mechanism.circuit_fit.inference import ENOUGH_EFFECTIVE
from sudeck.mechanism.circuit_fit.likelihood import simulate_patient
from sudeck.mechanism.circuit_fit.next_measurement import rank_measurements
from sudeck.mechanism.circuit_fit.patient_fit import fit_patient
from sudeck.mechanism.circuit_fit.posterior_summary import explain

SETS = {"with callosum": WITH_CALLOSUM, "without": STUDY_MEASURES}
LEVELS = (0.5, 0.8, 0.95)
SEED = 7000
FIRST = 2  # patients of a process that compile and load are left out of the times


def fit_one(task: tuple[str, int]) -> dict[str, Any]:
    """Draw patient `number`, infer it, and say where the truth lies among the draws."""
    name, number = task
    rng = np.random.default_rng([SEED, number, len(SETS[name])])
    account = ACCOUNTS[number % len(ACCOUNTS)].name
    patient = draw_patient(load_distribution(), rng, account=account, measures=SETS[name])
    wall, processor = time.perf_counter(), time.process_time()
    posterior = fit_patient(patient.data, rng=np.random.default_rng(number))
    spent = time.perf_counter() - wall, time.process_time() - processor
    explained = explain(posterior)
    whole, begun = time.process_time() - processor, time.process_time()
    simulate_patient(patient.data, np.concatenate([posterior.circuit, posterior.factors]))
    simulated = time.process_time() - begun
    below = (posterior.factors < patient.factors[:, None]) @ posterior.weight
    best = max(explained.hypotheses, key=lambda h: h.probability)
    return {
        "set": name,
        "number": number,
        "account": account,
        "below": [round(float(u), 5) for u in below],
        "probability": {h.name: round(h.probability, 4) for h in explained.hypotheses},
        "best": best.name,
        "claimed": bool(explained.preferred),
        "effective": posterior.effective,
        "exact": posterior.exact,
        "seconds": spent,
        "over_simulated": whole / simulated,
        "next": [c.measure for c in rank_measurements(posterior, load_emulator())[:3]],
        "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def report(found: list[dict[str, Any]], name: str) -> None:
    own = [one for one in found if one["set"] == name]
    if not own:
        return
    below = np.array([one["below"] for one in own])
    print(f"\n{name}: {len(own)} patients, {len(SETS[name])} measures of each hemisphere at two visits")
    for level in LEVELS:
        inside = np.abs(below - 0.5) <= level / 2
        print(
            f"  {100 * level:.0f} % intervals cover {100 * inside.mean():.1f} % of {inside.size} factors "
            f"(target within 2 of {100 * level:.0f})"
        )
    distance, limit = ecdf_distance(below), joint_limit(len(own), below.shape[1])
    names = [
        f"{part} {f} {side}" for part in ("before", "change") for f in FACTORS for side in ("pain", "other")
    ]
    worst = int(distance.argmax())
    print(
        f"  calibration: largest distance of {below.shape[1]} rank distributions from even "
        f"{distance[worst]:.3f} ({names[worst]}); joint 95 % band {limit:.3f}"
    )
    right = np.array([one["best"] == one["account"] for one in own])
    claimed = np.array([one["claimed"] for one in own])
    print(f"  true account likeliest: {100 * right.mean():.0f} % (target 80 with IHI)")
    for account in ACCOUNTS:
        rows = [one for one in own if one["account"] == account.name]
        hits = np.mean([one["best"] == one["account"] for one in rows])
        mean = np.mean([one["probability"][account.name] for one in rows])
        print(f"    {account.name:24}{100 * hits:5.0f} %  mean probability of the truth {mean:.2f}")
    print(
        f"  claims an account in {100 * claimed.mean():.0f} %, and is right in "
        f"{100 * right[claimed].mean() if claimed.any() else np.nan:.0f} % of those; otherwise it says that "
        "it can not tell"
    )
    effective = np.array([one["effective"] for one in own])
    enough = 100 * (effective >= ENOUGH_EFFECTIVE).mean()
    exact = 100 * np.mean([one["exact"] for one in own])
    print(
        f"  effective sample: median {100 * np.median(effective):.0f} %, at least "
        f"{100 * ENOUGH_EFFECTIVE:.0f} % in {enough:.0f} % of the patients; the others were led on with the "
        f"circuit; {exact:.0f} % arrived"
    )
    wall, processor = np.array([one["seconds"] for one in own]).T
    print(
        f"  a patient takes {np.median(wall):.0f} s ({np.median(processor):.0f} s of processor), "
        f"at most {wall.max():.0f} s; {max(one['memory_gb'] for one in own):.2f} GB"
    )
    over = np.array([one["over_simulated"] for one in own if one["number"] >= FIRST])
    if over.size:
        print(f"  fit and summary: {np.median(over):.2f} times the processor time of the draws' simulations")
    asked = [one["next"][0] for one in own]
    print("  asks next for " + ", ".join(f"{m} ({asked.count(m)})" for m in dict.fromkeys(sorted(asked))))


def report_runaway(count: int = 400) -> None:
    """Print how many circuits of each account keep firing after the strongest pulses."""
    rng = np.random.default_rng(SEED)
    print("\nkeeps firing after 1.6 RMT to both hemispheres at once, before treatment")
    for account in ACCOUNTS:
        factors, _ = draw_factors(1, count, rng, account=account.name)
        circuits = apply_visit(circuits_at(load_distribution().draw(count, rng)), factors)
        problems = find_instability(circuits, engine=default_engine())
        print(f"  {account.name:24}{100 * np.mean([bool(problem) for problem in problems]):5.0f} %")


def ecdf_distance(below: np.ndarray) -> np.ndarray:
    """Return the largest distance of each column's distribution from the even one."""
    count = len(below)
    ordered = np.sort(below, axis=0)
    steps = np.arange(count)[:, None]
    return np.maximum((steps + 1) / count - ordered, ordered - steps / count).max(axis=0)


def joint_limit(patients: int, columns: int, draws: int = 2000) -> float:
    """Return what the largest distance of independent even columns stays below in 95 % of the cases."""
    rng = np.random.default_rng(1)
    largest = [ecdf_distance(rng.random((patients, columns))).max() for _ in range(draws)]
    return float(np.quantile(largest, 0.95))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="eight patients")
    parser.add_argument("--patients", type=int, default=200, help="of each set of measures")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    count = 4 if arguments.quick else arguments.patients
    found: list[dict[str, Any]] = []
    if arguments.keep and arguments.keep.is_file():
        found = [json.loads(line) for line in arguments.keep.read_text(encoding="utf-8").splitlines()]
    had = {(one["set"], one["number"]) for one in found}
    tasks = [(name, k) for k in range(count) for name in SETS if (name, k) not in had]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for result in pool.map(fit_one, tasks):
            found.append(result)
            if arguments.keep:
                with arguments.keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(result) + "\n")
    for name in SETS:
        report(found, name)
    report_runaway()


if __name__ == "__main__":
    main()
