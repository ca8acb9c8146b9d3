"""The circuit: targets, drugs, interactions never fitted, the step, and speed beside simpler ways.

Run with ``python benchmarks/bench_circuit.py [--quick]``; needs the extra ``circuit``.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable

import numpy as np

from sudeck.mechanism.circuit.calibration import predict_targets
from sudeck.mechanism.circuit.drugs import apply_factors
from sudeck.mechanism.circuit.fast_stepper import run_fast
from sudeck.mechanism.circuit.interactions import Interactions, measure_interactions
from sudeck.mechanism.circuit.measures import measure
from sudeck.mechanism.circuit.parameters import Circuit, select
from sudeck.mechanism.circuit.protocols import MEASURES
from sudeck.mechanism.circuit.pulses import Pulse, make_trials
from sudeck.mechanism.circuit.reference import load_reference
from sudeck.mechanism.circuit.reference_stepper import run_reference
from sudeck.mechanism.circuit.rest import find_rest
from sudeck.mechanism.circuit.targets import TARGETS

# What people show: larger or smaller than the first value of the pair (same: within 10 %).
INTERACTIONS = (
    ("SICI weaker with LICI", "sici_with_lici", "sici", "larger"),
    ("SICI weaker with IHI", "sici_with_ihi", "sici", "larger"),
    ("IHI weaker after SICI", "ihi_after_sici", "ihi", "larger"),
    ("IHI weaker after LICI", "ihi_after_lici", "ihi", "larger"),
    ("IHI unchanged after ICF", "ihi_after_icf", "ihi", "same"),
)


def print_targets(circuits: Circuit) -> None:
    shown = predict_targets(circuits, dt_ms=0.1)
    print(f"\n{'target':28}{'figure':>8}{'limits':>16}{'median':>8}{'range':>16}  met")
    met = 0
    for target, row in zip(TARGETS, shown, strict=True):
        low, high = target.limits
        middle = float(np.median(row))
        met += low <= middle <= high
        print(
            f"{target.name:28}{target.value:8.3g}{f'{low:.3g}-{high:.3g}':>16}{middle:8.3g}"
            f"{f'{row.min():.3g}-{row.max():.3g}':>16}  {'yes' if low <= middle <= high else 'NO'}"
        )
    print(f"{met} of {len(TARGETS)} targets met by the median of {circuits.n_circuits} circuits")


def print_interactions(circuits: Circuit) -> None:
    result: Interactions = measure_interactions(circuits)
    print(f"\n{'interaction (never fitted)':28}{'with':>8}{'without':>9}  circuits that agree")
    for label, with_it, without, expected in INTERACTIONS:
        first, second = getattr(result, with_it), getattr(result, without)
        ratio = first / second
        agree = ratio > 1 if expected == "larger" else np.abs(np.log(ratio)) < 0.1
        print(f"{label:28}{np.median(first):8.3g}{np.median(second):9.3g}  {agree.sum()} of {agree.size}")


def print_post_course(circuits: Circuit) -> None:
    """Hypotheses for the pain side: a defect before the course, and NMDA ×0.6 after it."""
    names = ("MEP_1.2", "SICI_2", "ICF_10")
    wanted = [MEASURES[name] for name in names]
    blocked: dict[str, float] = {"nmda_pyramids": 0.6, "nmda_interneurons": 0.6}
    hypotheses: dict[str, dict[str, float]] = {
        "GABA-A loss (x0.75)": {"gaba_a": 0.75},
        "excess pyramidal NMDA (x1.3)": {"nmda_pyramids": 1.3},
        "tonic drive of B (2 mV)": {},
    }
    print(f"\n{'before and after the course':30}" + "".join(f"{n:>16}" for n in ("RMT", *names)))
    print(f"{'published: pain side':30}{'same':>16}{'same':>16}{'restored':>16}{'down':>16}")
    for label, defect in hypotheses.items():
        ill = apply_factors(circuits, dict(defect))
        if not defect:
            ill = ill._replace(tonic_on_b_mv=ill.tonic_on_b_mv + 2.0)
        before = measure(ill, wanted, engine="jax")
        after = measure(apply_factors(ill, dict(blocked)), wanted, engine="jax")
        cells = [(before.rmt[0], after.rmt[0])] + [(before.values[n], after.values[n]) for n in names]
        print(f"{label:30}" + "".join(f"{f'{np.median(a):.2f} to {np.median(b):.2f}':>16}" for a, b in cells))


def print_step(circuits: Circuit) -> None:
    print("\nlargest change of any measure of any circuit when the step is halved (target 2 %)")
    steps = (0.2, 0.1, 0.05)
    shown = {dt: measure(circuits, list(MEASURES.values()), dt_ms=dt, engine="jax") for dt in steps}
    for coarse, fine in itertools.pairwise(steps):
        moved = {
            name: float(np.abs(value / shown[fine].values[name] - 1).max())
            for name, value in shown[coarse].values.items()
        } | {"RMT": float(np.abs(shown[coarse].rmt / shown[fine].rmt - 1).max())}
        worst = max(moved, key=lambda name: moved[name])
        print(f"{coarse:g} to {fine:g} ms: {100 * moved[worst]:.2f} % ({worst})")


def print_speed(circuits: Circuit, count: int) -> None:
    """44 states, 3 delays, 400 ms, 0.1 ms: simulations a second, wall and processor time."""
    many = select(circuits, np.arange(count) % circuits.n_circuits)
    trials = make_trials([Pulse(1.0, 1.2)], count=count)
    rest = find_rest(many, trials.contraction_mv)

    def fast() -> None:
        run_fast(many, trials, rest, duration_ms=400.0)

    def numpy_batch() -> None:
        run_reference(many, trials, rest, duration_ms=100.0)

    one, one_trial = select(many, np.array([0])), make_trials([Pulse(1.0, 1.2)])
    one_rest = find_rest(one, one_trial.contraction_mv)

    def numpy_single() -> None:
        run_reference(one, one_trial, one_rest, duration_ms=100.0)

    fast()  # compiles
    print(f"\n{'400 ms at 0.1 ms':28}{'per s wall':>12}{'per s processor':>17}")
    for label, run, done in (
        ("JAX, batch last, chunks", fast, count),
        ("NumPy, batch", numpy_batch, count / 4),
        ("NumPy, one at a time", numpy_single, 0.25),
    ):
        wall, processor = _timed(run)
        print(f"{label:28}{done / wall:12.4g}{done / processor:17.4g}")


def print_battery(circuits: Circuit) -> None:
    """RMT, MEP, 10 intervals, LICI, IHI, both sides, two visits: beside 400 ms from rest for each trial."""
    names = ["MEP_1.2", *(f"SICI_{i}" for i in (1, 2, 3, 4, 5)), *(f"ICF_{i}" for i in (10, 12, 15, 20, 25))]
    wanted = [MEASURES[name] for name in [*names, "LICI_100", "IHI_10"]]
    four = select(circuits, np.zeros(4, int))

    def battery() -> None:
        measure(four, wanted, engine="jax", dt_ms=0.1)

    battery()
    trials = 4 * (len(wanted) + 13 + 5)
    many = select(circuits, np.zeros(trials, int))
    pulses = make_trials([Pulse(1.0, 1.2)], count=trials)
    rest = find_rest(many, pulses.contraction_mv)

    def whole() -> None:
        run_fast(many, pulses, rest, duration_ms=400.0)

    whole()
    (short, short_cpu), (long, long_cpu) = _timed(battery), _timed(whole)
    print(
        f"\nbattery of one patient: {short:.2f} s ({short_cpu:.2f} s processor); the same {trials} trials "
        f"of 400 ms each: {long:.2f} s ({long_cpu:.2f}): {long_cpu / short_cpu:.1f} times (target 10)"
    )


def _timed(run: Callable[[], None]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - processor


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two circuits, fewer simulations")
    quick = parser.parse_args().quick
    chosen = load_reference()
    if quick:
        chosen = select(chosen, np.arange(2))
    print_targets(chosen)
    print_interactions(chosen)
    print_post_course(chosen)
    print_step(chosen)
    print_speed(chosen, 256 if quick else 2048)
    print_battery(chosen)
