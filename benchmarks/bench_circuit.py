"""The circuit: targets, drugs, interactions never fitted and the step.

Run with ``python benchmarks/bench_circuit.py [--quick]``; needs the extra ``circuit``.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np

from sudeck.circuit.calibration import predict_targets
from sudeck.circuit.drugs import apply_factors
from sudeck.circuit.interactions import Interactions, measure_interactions
from sudeck.circuit.parameters import Circuit, select
from sudeck.circuit.protocols import MEASURES
from sudeck.circuit.readout import measure
from sudeck.circuit.reference import load_reference
from sudeck.circuit.targets import TARGETS

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
        shown = f"{np.nanmedian(first):8.3g}{np.nanmedian(second):9.3g}"
        print(f"{label:28}{shown}  {agree.sum()} of {np.isfinite(ratio).sum()}")


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
        before = measure(ill, wanted)
        after = measure(apply_factors(ill, dict(blocked)), wanted)
        cells = [(before.rmt[0], after.rmt[0])] + [(before.values[n], after.values[n]) for n in names]
        print(f"{label:30}" + "".join(f"{f'{np.median(a):.2f} to {np.median(b):.2f}':>16}" for a, b in cells))


def print_step(circuits: Circuit) -> None:
    print("\nlargest change of any measure of any circuit when the step is halved (target 2 %)")
    steps = (0.2, 0.1, 0.05)
    shown = {dt: measure(circuits, list(MEASURES.values()), dt_ms=dt) for dt in steps}
    for coarse, fine in itertools.pairwise(steps):
        moved = {
            name: float(np.abs(value / shown[fine].values[name] - 1).max())
            for name, value in shown[coarse].values.items()
        } | {"RMT": float(np.abs(shown[coarse].rmt / shown[fine].rmt - 1).max())}
        worst = max(moved, key=lambda name: moved[name])
        print(f"{coarse:g} to {fine:g} ms: {100 * moved[worst]:.2f} % ({worst})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two circuits")
    quick = parser.parse_args().quick
    chosen = load_reference()
    if quick:
        chosen = select(chosen, np.arange(2))
    print_targets(chosen)
    print_interactions(chosen)
    print_post_course(chosen)
    print_step(chosen)
