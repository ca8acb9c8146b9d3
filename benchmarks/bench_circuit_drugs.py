"""Drugs on the reference circuits: every measure of every arm, and the signs published of people.

Run with ``python benchmarks/bench_circuit_drugs.py [--quick]``; needs the extra ``circuit``.

Arms (`sudeck.circuit.drugs`), the table of effects beside this file, which of them are fitted and the rules
below were written down before the circuits were fitted. For SICI, LICI and IHI `+` is more inhibition, so a
smaller ratio. `0` is tested and unchanged, `+t` a tendency. A `+` or `-` is met where the median of the
circuits goes that way by more than 0.5 %, a `0` where it stays within 10 % (RMT 2 %), a tendency where it
does not go the opposite way by more than 2 %.

Left out: flumazenil (changes nothing in a circuit without a drug), zolpidem (no subtypes of receptors in the
model), the silent period under benzodiazepines (longer in one study, shorter in another), racemic ketamine
(known from a review alone), epidural waves under lorazepam (one person), and active threshold and SAI (not in
the model).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from sudeck.circuit.drugs import ARMS, apply_factors
from sudeck.circuit.engines import default_engine
from sudeck.circuit.parameters import Circuit, Floats, select
from sudeck.circuit.protocols import PROTOCOLS
from sudeck.circuit.readout import find_thresholds, measure
from sudeck.circuit.reference import load_reference

EFFECTS = Path(__file__).with_name("circuit_drug_effects.tsv")
# What a laboratory reports under one name; the geometric mean of the intervals.
PARTS = {
    "MEP": ("MEP_1.2",),
    "CSP": ("CSP",),
    "SICI": ("SICI_2", "SICI_3"),
    "ICF": ("ICF_10", "ICF_12"),
    "LICI": ("LICI_100", "LICI_150"),
    "IHI_early": ("IHI_8", "IHI_10"),
    "IHI_late": ("IHI_40", "IHI_50"),
    "SICF": ("SICF_1.5", "SICF_2.7"),
}
_BY_NAME = {one.name: one for protocol in PROTOCOLS.values() for one in protocol}
# What facts about many drugs have in common, each by the signs above: arm, measure, what people show.
RULES = {
    "R1 benzodiazepines leave RMT": (("midazolam", "RMT", "0"), ("benzodiazepine", "RMT", "0")),
    "R2 sodium blockers raise RMT alone": tuple(
        ("sodium_block", name, sign) for name, sign in (("RMT", "+"), ("SICI", "0"), ("ICF", "0"))
    ),
    "R3 NMDA blockers: ICF down, SICI up, RMT left": tuple(
        ("nmda_block", name, sign) for name, sign in (("ICF", "-"), ("SICI", "+"), ("RMT", "0"))
    ),
    "R4 ketamine: the opposite": tuple(
        ("acute_ketamine", name, sign) for name, sign in (("ICF", "+t"), ("SICI", "-"), ("RMT", "0"))
    ),
    "R5 more GABA: LICI up and SICI down": tuple(
        (arm, name, sign)
        for arm in ("tiagabine", "baclofen")
        for name, sign in (("LICI", "+"), ("SICI", "-"))
    ),
    "R6 less release: ICF down": (("riluzole", "ICF", "-"),),
    "R7 early IHI needs sodium": (("sodium_block", "IHI_early", "-"), ("nmda_block", "IHI_early", "0")),
    "R7 late IHI grows with benzodiazepines": (
        ("benzodiazepine", "IHI_late", "+"),
        ("nmda_block", "IHI_late", "0"),
    ),
}
INHIBITION = ("SICI", "LICI", "IHI_early", "IHI_late")
LEAST, UNCHANGED, RMT_UNCHANGED, OPPOSITE = 0.005, 0.10, 0.02, 0.02


def log_ratios(circuits: Circuit) -> dict[str, dict[str, Floats]]:
    """Return the log ratio of every measure of every arm to the same without a drug, of each circuit."""
    names = sorted({name for parts in PARTS.values() for name in parts})
    own = [_BY_NAME[name] for name in names if name != "MEP_1.2"]
    engine = default_engine()
    rmt = find_thresholds(circuits, both=False, engine=engine)

    def read(changed: Circuit) -> dict[str, Floats]:
        paired = measure(changed, own, engine=engine)
        # The response at one output of the stimulator, as a laboratory follows it.
        mep = measure(changed, [_BY_NAME["MEP_1.2"]], rmt=rmt, engine=engine)
        logs = {name: np.log(np.maximum(v, 1e-3)) for name, v in (paired.values | mep.values).items()}
        shown = {label: np.mean([logs[name] for name in parts], axis=0) for label, parts in PARTS.items()}
        return shown | {"RMT": np.log(paired.rmt[0])}

    plain = read(circuits)
    found = {}
    for arm in ARMS.values():
        if arm.name != "baseline":
            changed = read(apply_factors(circuits, arm.factors))
            found[arm.name] = {name: changed[name] - plain[name] for name in plain}
    return found


def agrees(measure_name: str, people: str, log_ratio: float) -> bool:
    """Whether a median log ratio is what people show."""
    strength = -log_ratio if measure_name in INHIBITION else log_ratio
    if people == "0":
        return abs(strength) < np.log1p(RMT_UNCHANGED if measure_name == "RMT" else UNCHANGED)
    way = 1 if people[0] == "+" else -1
    return bool(way * strength > (-OPPOSITE if people.endswith("t") else LEAST))


def main(circuits: Circuit) -> None:
    ratios = log_ratios(circuits)
    measures = ("RMT", *PARTS)
    print(f"ratios to no drug, medians of {circuits.n_circuits} circuits (range below)")
    print(f"{'arm':16}" + "".join(f"{name:>12}" for name in measures))
    for arm, shown in ratios.items():
        middle = [np.exp(np.median(shown[name])) for name in measures]
        ranges = [f"{np.exp(shown[name].min()):.2f}-{np.exp(shown[name].max()):.2f}" for name in measures]
        print(f"{arm:16}" + "".join(f"{value:12.3f}" for value in middle))
        print(f"{'':16}" + "".join(f"{text:>12}" for text in ranges))
    effects = pd.read_csv(EFFECTS, sep="\t", dtype=str)
    print(f"\n{'drug':17}{'arm':16}{'measure':11}{'people':8}{'model':>7}  met   used")
    met: dict[str, list[bool]] = {"fitted": [], "held out": []}
    for row in effects.itertuples():
        value = float(np.median(ratios[str(row.arm)][str(row.measure)]))
        fine = agrees(str(row.measure), str(row.people), value)
        met[str(row.used)].append(fine)
        cells = f"{row.drug:17}{row.arm:16}{row.measure:11}{row.people:8}{np.exp(value):7.3f}"
        print(f"{cells}  {'yes' if fine else 'NO ':5} {row.used}")
    for used, each in met.items():
        print(f"{used}: {sum(each)} of {len(each)}")
    print()
    for rule, signs in RULES.items():
        fine = all(agrees(name, sign, float(np.median(ratios[arm][name]))) for arm, name, sign in signs)
        print(f"{rule:50}{'holds' if fine else 'FAILS'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two circuits")
    chosen = load_reference()
    if parser.parse_args().quick:
        chosen = select(chosen, np.arange(2))
    main(chosen)
