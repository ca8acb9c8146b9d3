"""Which changes of the circuit show what 19 patients showed: a search over states and courses.

    python benchmarks/bench_circuit_course.py [--quick]

States of the pain-side hemisphere are drawn at random, and courses that scale NMDA synapses alike on both
sides and let the pain side recover; every circuit is simulated before and after. Printed is how many meet
each finding of the publication, how many meet all, and what those share. Needs the extra ``circuit``.
"""

from __future__ import annotations

import argparse

import numpy as np

from sudeck.circuit.parameters import Circuit, Floats, select
from sudeck.circuit.reference import load_reference
from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT, TONE, apply_visit
from sudeck.mechanism.circuit_fit.patient_data import measure_logs

PAIN, OTHER = 0, 1
MEASURES = {"RMT": ("RMT",), "MEP": ("MEP_1.2",), "SICI": ("SICI_2", "SICI_3"), "ICF": ("ICF_10", "ICF_15")}
WANTED = tuple((side, name) for side in (PAIN, OTHER) for names in MEASURES.values() for name in names)
BASELINE_SD = {
    "gaba_a": 0.2, "gaba_b": 0.3, "nmda_pyramids": 0.2, "nmda_interneurons": 0.4, "callosum": 0.2,
}  # fmt: skip
AT = {factor: 2 * index for index, factor in enumerate(FACTORS)}
BATCH = 2000


def draw_states(count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw factors before and after a course, shape (12, count) each."""
    before = np.zeros((N_VISIT, count))
    for factor, sd in BASELINE_SD.items():
        before[AT[factor]] = sd * rng.standard_normal(count)
    before[AT[TONE]] = np.abs(0.6 * rng.standard_normal(count))
    after = before.copy()
    pyramids = rng.uniform(-0.9, 0.0, count)
    interneurons = pyramids + 0.3 * rng.standard_normal(count)
    for side in (PAIN, OTHER):
        after[AT["nmda_pyramids"] + side] += pyramids
        after[AT["nmda_interneurons"] + side] += interneurons
    after[AT["gaba_a"]] += rng.uniform(-0.1, 0.3, count)
    after[AT["gaba_b"]] += 0.15 * rng.standard_normal(count)
    after[AT[TONE]] *= rng.uniform(0, 1, count)
    return before, after


def show(circuits: Circuit, factors: Floats) -> dict[tuple[str, int], Floats]:
    """Return log measures by name and side, each averaged over its intervals."""
    parts = [
        measure_logs(
            apply_visit(select(circuits, slice(first, first + BATCH)), factors[:, first : first + BATCH]),
            WANTED,
            dt_ms=0.1,
        )
        for first in range(0, factors.shape[1], BATCH)
    ]
    logs = np.concatenate(parts, axis=1)
    return {
        (measure, side): np.mean([logs[WANTED.index((side, name))] for name in names], axis=0)
        for measure, names in MEASURES.items()
        for side in (PAIN, OTHER)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the states")
    count = 2000 if parser.parse_args().quick else 20000
    rng = np.random.default_rng(0)
    reference = load_reference()
    member = rng.integers(reference.n_circuits, size=count)
    circuits = select(reference, member)
    before, after = draw_states(count, rng)
    first, second = show(circuits, before), show(circuits, after)
    change = {key: second[key] - first[key] for key in first}
    findings = {
        "SICI of the pain side weak before (0.55 or more)": first["SICI", PAIN] > np.log(0.55),
        "SICI of the pain side restored (x0.75 or less)": change["SICI", PAIN] < np.log(0.75),
        "ICF of the pain side down (x0.85 or less)": change["ICF", PAIN] < np.log(0.85),
        "ICF of the other side down (x0.85 or less)": change["ICF", OTHER] < np.log(0.85),
        "SICI of the other side the same (within 18 %)": np.abs(change["SICI", OTHER]) < np.log(1.18),
        "RMT the same on both sides (within 3 %)": _same(change, "RMT", 0.03),
        "MEP the same on both sides (within 25 %)": _same(change, "MEP", np.log(1.25)),
    }
    print(f"{count} states on {reference.n_circuits} circuits")
    for finding, met in findings.items():
        print(f"  {finding:52}{100 * met.mean():5.0f} %")
    met = np.all(list(findings.values()), axis=0)
    own = len(np.unique(member[met]))
    print(f"all of it: {met.sum()} states on {own} circuits; medians (quartiles) of those")
    for factor, at in AT.items():
        as_ratio = factor != TONE
        told = [before[at, met], (after - before)[at, met], (after - before)[at + OTHER, met]]
        print(f"  {factor:20}" + "".join(f"{_short(values, as_ratio):>26}" for values in told))
    print(f"  {'':20}{'pain side before':>26}{'its change':>26}{'change of the other':>26}")
    for measure in MEASURES:
        sides = [
            f"{np.exp(np.median(first[measure, side][met])):.2f} to "
            f"{np.exp(np.median(second[measure, side][met])):.2f}"
            for side in (PAIN, OTHER)
        ]
        print(f"  {measure:20}pain side {sides[0]:16}other side {sides[1]}")


def _same(change: dict[tuple[str, int], Floats], measure: str, limit: float) -> np.ndarray:
    return np.all([np.abs(change[measure, side]) < limit for side in (PAIN, OTHER)], axis=0)


def _short(values: Floats, as_ratio: bool) -> str:
    low, middle, high = np.percentile(values, [25, 50, 75])
    if as_ratio:
        low, middle, high = np.exp([low, middle, high])
    return f"{middle:.2f} ({low:.2f}, {high:.2f})"


if __name__ == "__main__":
    main()
