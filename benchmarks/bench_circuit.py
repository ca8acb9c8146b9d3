"""The circuit: targets, drugs, interactions, recruitment, spread of trials, pairs, stability and the step.

Run with ``python benchmarks/bench_circuit.py [--quick]``; needs the extra ``circuit``.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np

from sudeck.circuit.calibration import predict_targets
from sudeck.circuit.circuit_prior import circuits_at
from sudeck.circuit.drugs import ARMS, apply_factors
from sudeck.circuit.engines import default_engine
from sudeck.circuit.interactions import Interactions, measure_interactions
from sudeck.circuit.parameters import Circuit, Floats, select
from sudeck.circuit.protocols import LATE_ISIS_MS, MEASURES, SICI_INTENSITY, Measure, conditioned, single
from sudeck.circuit.readout import find_thresholds, measure
from sudeck.circuit.reference import load_distribution, load_reference
from sudeck.circuit.simulation import RATE_LIMIT_PER_MS, Probe, probe_rates
from sudeck.circuit.targets import TARGETS
from sudeck.circuit.trial_spread import trial_variation

# What people show: larger or smaller than the first value of the pair (same: within 10 %).
INTERACTIONS = (
    ("SICI weaker with LICI", "sici_with_lici", "sici", "larger"),
    ("SICI weaker with IHI", "sici_with_ihi", "sici", "larger"),
    ("IHI weaker after SICI, fitted", "ihi_after_sici", "ihi", "larger"),
    ("IHI weaker after LICI", "ihi_after_lici", "ihi", "larger"),
    ("IHI unchanged after ICF, fitted", "ihi_after_icf", "ihi", "same"),
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
    print(f"\n{'interaction':32}{'with':>8}{'without':>9}  circuits that agree")
    for label, with_it, without, expected in INTERACTIONS:
        first, second = getattr(result, with_it), getattr(result, without)
        ratio = first / second
        agree = ratio > 1 if expected == "larger" else np.abs(np.log(ratio)) < 0.1
        shown = f"{np.nanmedian(first):8.3g}{np.nanmedian(second):9.3g}"
        print(f"{label:32}{shown}  {agree.sum()} of {np.isfinite(ratio).sum()}")


def print_stability(count: int) -> None:
    """Print how many draws of the reference still fire after strong pulses, in states near health."""
    drawn = circuits_at(load_distribution().draw(count, np.random.default_rng(1)))
    probes: tuple[tuple[float, Probe], ...] = ((1.6, 0), (1.8, 0), (1.6, "both"))
    print(f"\nabove 20 Hz after a pulse, % of {count} draws (target: under 5 at 100 ms, 1 at 150 ms)")
    print(f"{'':18}{'after':>8}" + "".join(f"{f'{i:g} RMT {side}':>14}" for i, side in probes))
    states: dict[str, dict[str, float | Floats]] = {
        "healthy": {},
        "GABA-A x0.7": {"gaba_a": 0.7},
        "AMPA x1.1": {"ampa": 1.1},
        "AMPA x0.9": {"ampa": 0.9},
        "acute ketamine": dict(ARMS["acute_ketamine"].factors),
    }
    for label, factors in states.items():
        changed = apply_factors(drawn, factors)
        for after_ms in (60.0, 100.0, 150.0):
            rates = probe_rates(changed, probes, after_ms=after_ms, engine=default_engine())
            shares = 100 * (rates > RATE_LIMIT_PER_MS).mean(axis=1)
            print(f"{label:18}{after_ms:5g} ms" + "".join(f"{share:14.1f}" for share in shares))


def print_recruitment(circuits: Circuit) -> None:
    """Print the response over that at 1.2 RMT beside quartiles of people (see `targets`)."""
    people = {1.1: (0.37, 0.72), 1.3: (1.14, 2.22), 1.4: (1.37, 3.21), 1.5: (1.68, 3.86), 1.6: (3.19, 4.59)}
    people |= {1.7: (3.25, 6.27), 1.8: (3.18, 6.84)}
    levels = (1.2, *people)
    read = [Measure(f"MEP_{x:g}", single(x), None, "mep", "mV") for x in levels]
    shown = measure(circuits, read).values
    print("\nMEP over that at 1.2 RMT: median (range), quartiles of people (two groups together)")
    for x, (low, high) in people.items():
        ratio = shown[f"MEP_{x:g}"] / shown["MEP_1.2"]
        inside = "inside" if low <= np.median(ratio) <= high else "OUTSIDE"
        print(
            f"{x:g}: {np.median(ratio):.2f} ({ratio.min():.2f} to {ratio.max():.2f}); {low}-{high} {inside}"
        )


def print_trial_spread(circuits: Circuit) -> None:
    """Print how single trials spread, beside 27 volunteers; two constants are fitted to these five."""
    people = {1.0: 0.81, 1.1: 0.66, 1.2: 0.54, 1.3: 0.38, 1.5: 0.36}
    shown = trial_variation(circuits, tuple(people))
    print("\ncoefficient of variation of single trials: median (range); people")
    for (x, found), row in zip(people.items(), shown, strict=True):
        print(f"{x:g} RMT: {np.median(row):.2f} ({row.min():.2f} to {row.max():.2f}); {found}")


def print_pair_map(circuits: Circuit) -> None:
    """Print where pairs of pulses inhibit (-) and facilitate (+), 1.5 and 2.1 ms apart.

    Found in hand and leg of 18 people (PMC8578654): inhibition where the first is below and the second above
    threshold, facilitation where both are alike up to threshold or the first above and the second below it. A
    pair is held against the larger of its single responses. Pairs at threshold itself belong to no class
    but "alike"; where no response reaches 5 µV there is none to speak of.
    """
    levels = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4)
    rmt = find_thresholds(circuits, both=False)
    agree, stated = 0, 0
    for isi in (1.5, 2.1):
        print(f"\npairs {isi:g} ms apart: over the larger single response; * is not what people show")
        print("S1 \\ S2" + "".join(f"{x:>8g}" for x in levels))
        for first in levels:
            cells = ""
            for second in levels:
                read = [
                    Measure("pair", conditioned((isi, first, 0), test=second)),
                    Measure("first", single(first)),
                    Measure("second", single(second)),
                ]
                shown = measure(circuits, read, rmt=rmt).values
                larger = np.maximum(shown["first"], shown["second"])
                ratio = float(np.median(shown["pair"] / larger))
                way = 0
                if max(np.median(shown["pair"]), np.median(larger)) >= 0.005:
                    if first < 1 < second:
                        way = -1
                    elif first == second <= 1 or second < 1 < first:
                        way = 1
                fine = way * np.log(ratio) >= 0
                stated, agree = stated + bool(way), agree + bool(way and fine)
                cells += f"{ratio:7.2f}{'' if fine else '*':1}"
            print(f"{first:<7g}{cells}")
    print(f"{agree} of {stated} pairs go the way they go in people")


def print_disinhibition(circuits: Circuit) -> None:
    """Print the response after a strong pulse, and SICI there, with its test pulse as it is."""
    rmt, sici = find_thresholds(circuits, both=False), (2.0, SICI_INTENSITY, 0)
    alone = measure(circuits, [Measure("", conditioned(sici), single())], rmt=rmt).values[""]
    print("\nresponse and SICI after a strong pulse, medians (people: 1.60 at 200 ms, SICI weaker to 220 ms)")
    print(
        f"{'':10}"
        + "".join(f"{f'{isi:g} ms':>15}" for isi in LATE_ISIS_MS)
        + f"; SICI alone {np.median(alone):.2f}"
    )
    for intensity in (1.2, 1.4, 1.6):
        cells = ""
        for isi in LATE_ISIS_MS:
            before = (isi, intensity, 0)
            read = [
                Measure("test", conditioned(before), single()),
                Measure("sici", conditioned(before, sici), conditioned(before)),
            ]
            shown = {name: np.median(x) for name, x in measure(circuits, read, rmt=rmt).values.items()}
            cells += f"{shown['test']:7.2f}, {shown['sici']:.2f}  "
        print(f"{intensity:g} RMT   {cells}")


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
    print_recruitment(chosen)
    print_trial_spread(chosen)
    print_pair_map(chosen)
    print_disinhibition(chosen)
    print_stability(100 if quick else 1000)
    print_post_course(chosen)
    print_step(chosen)
