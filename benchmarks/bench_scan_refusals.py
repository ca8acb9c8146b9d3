"""Scans that can not be measured rightly: how many numbers are wrong without a serious finding.

Run: python benchmarks/bench_scan_refusals.py [--studies 25] [--first-seed 0]

Every study is a random one of hands or feet with something done to it that a person may do: a phase
flipped, turned by half or by a quarter, one limb cut away or shown twice, air for a phase, feet for hands,
limbs drawn into each other, fingers crossed. A number is wrong if it lies more than 3 % and three standard
errors beside the ratio of the noise-free image before that was done. What lies beside a serious finding
is not counted as wrong: it carries no verdict.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import PHASE_RATIOS, SCAN_PHASES, SIDES
from sudeck.scan.measurement import measure_scan
from sudeck.scan.phases.phase_series import BoneScan
from sudeck.synthetic.limbs.posture import Posture
from sudeck.synthetic.scan.bone_scan import SyntheticBoneScan, simulate_bone_scan
from sudeck.synthetic.scan.random_designs import random_design
from sudeck.synthetic.scan.scan_design import BoneScanDesign
from sudeck.truth.in_memory import as_bone_scan

Counts = NDArray[np.float64]
Rng = np.random.Generator
WRONG, WRONG_SE = 0.03, 3.0


def one_phase(change: Callable[[Counts, Rng], Counts]) -> Callable[[SyntheticBoneScan, Rng], BoneScan]:
    """Return what changes one phase of a study, at random, and leaves the others."""

    def of(study: SyntheticBoneScan, rng: Rng) -> BoneScan:
        return _changed(as_bone_scan(study), change, rng, [SCAN_PHASES[int(rng.integers(3))]])

    return of


def all_phases(change: Callable[[Counts, Rng], Counts]) -> Callable[[SyntheticBoneScan, Rng], BoneScan]:
    """Return what changes all phases of a study alike."""

    def of(study: SyntheticBoneScan, rng: Rng) -> BoneScan:
        return _changed(as_bone_scan(study), change, rng, list(SCAN_PHASES))

    return of


def _changed(scan: BoneScan, change: Callable[[Counts, Rng], Counts], rng: Rng, names: list[str]) -> BoneScan:
    phases = {
        name: replace(series, counts=change(series.counts, rng)) if name in names else series
        for name, series in scan.phases.items()
    }
    return replace(scan, phases=phases)


def flipped(counts: Counts, rng: Rng) -> Counts:
    return counts[:, :, ::-1]


def quarter_turned(counts: Counts, rng: Rng) -> Counts:
    return np.rot90(counts, 1 if rng.integers(2) else -1, axes=(1, 2))


def one_limb_cut(counts: Counts, rng: Rng) -> Counts:
    half = counts.shape[2] // 2
    side = slice(0, half) if rng.integers(2) else slice(half, None)
    air = rng.poisson(0.01 * counts.mean(), counts.shape).astype(np.float64)
    cut = counts.copy()
    cut[:, :, side] = air[:, :, side]
    return cut


def shown_twice(counts: Counts, rng: Rng) -> Counts:
    half = counts.shape[2] // 2
    limb = counts[:, :, :half] if rng.integers(2) else counts[:, :, half : 2 * half]
    return np.concatenate([limb, limb], axis=2)


def air(counts: Counts, rng: Rng) -> Counts:
    return rng.poisson(counts.mean(), counts.shape).astype(np.float64)


def other_limbs(study: SyntheticBoneScan, rng: Rng) -> BoneScan:
    limb = "foot" if study.design.limb == "hand" else "hand"
    drawn = random_design(rng, limb=limb, counts=50_000.0, region="whole")
    other = as_bone_scan(simulate_bone_scan(replace(drawn, affected=study.design.affected), rng=rng))
    scan = as_bone_scan(study)
    name = SCAN_PHASES[int(rng.integers(3))]
    return replace(
        scan, phases={**scan.phases, name: replace(scan.phases[name], counts=other.phases[name].counts)}
    )


def as_it_is(study: SyntheticBoneScan, rng: Rng) -> BoneScan:
    return as_bone_scan(study)


def overlapping(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    """Push one limb over the other by 5 to 40 mm."""
    image_left = design.affected == design.image_left
    shift = float(rng.uniform(5.0, 40.0)) + design.gap_mm
    return replace(design, shift_mm=(shift if image_left else -shift, design.shift_mm[1]))


def fingers_crossed(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    """Two neighbouring fingers of one hand lie over each other; what both hold is seen at once."""
    turns, finger = [0.0] * 5, int(rng.integers(1, 4))
    turns[finger], turns[finger + 1] = -float(rng.uniform(8, 16)), float(rng.uniform(8, 16))
    side = SIDES[int(rng.integers(2))]
    return replace(design, postures={side: Posture(turns_deg=tuple(turns), above=(finger + 1,))}, gap_mm=25.0)


def thumbs_touching(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    """Lay the hands so close that their thumbs touch or cross by up to 30 mm."""
    spread = {side: Posture(turns_deg=(float(rng.uniform(0, 10)), 0.0, 0.0, 0.0, 0.0)) for side in SIDES}
    nearer = {"gap_mm": float(rng.uniform(-30.0, 4.0)), "rotation_deg": float(rng.uniform(-4, 4))}
    return replace(design, postures=spread, scale=1.0, shift_mm=(0.0, 0.0), **nearer)  # type: ignore[arg-type]


def same(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    return design


KINDS: dict[str, tuple[str, Callable[..., BoneScanDesign], Callable[..., BoneScan]]] = {
    "a phase flipped": ("either", same, one_phase(flipped)),
    "a phase turned by a quarter": ("either", same, one_phase(quarter_turned)),
    "all turned by a quarter": ("either", same, all_phases(quarter_turned)),
    "one limb cut away": ("either", same, all_phases(one_limb_cut)),
    "one limb cut away in a phase": ("either", same, one_phase(one_limb_cut)),
    "one limb shown twice": ("either", same, one_phase(shown_twice)),
    "air for a phase": ("either", same, one_phase(air)),
    "hands for feet, feet for hands": ("either", same, other_limbs),
    "limbs overlap": ("either", overlapping, as_it_is),
    "fingers crossed": ("hand", fingers_crossed, as_it_is),
    "thumbs touch or cross": ("hand", thumbs_touching, as_it_is),
    "nothing done": ("either", same, as_it_is),
}


def one_study(kind: str, seed: int) -> tuple[Counter[str], list[str]]:
    limb, design_change, scan_change = KINDS[kind]
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    counts = float(np.exp(rng.uniform(math.log(2e4), math.log(2e5))))
    chosen = None if limb == "either" else limb
    drawn = random_design(rng, limb=chosen, counts=counts, region="whole")  # type: ignore[arg-type]
    study = simulate_bone_scan(design_change(drawn, rng), rng=rng)
    truth = study.truth.image_ratios("whole")
    scan = scan_change(study, rng)
    try:
        result = measure_scan(scan, affected=study.design.affected)
    except InputError:
        return Counter(studies=1, refused=3), []
    serious = any(flag.severity == "serious" for flag in result.flags)
    found, wrong = Counter(studies=1, serious=int(serious)), []
    for name in PHASE_RATIOS.values():
        if name not in result.estimates:
            found["refused"] += 1
            continue
        estimate = result.estimates[name]
        error = math.log(estimate.value / truth[name])
        found["measured"] += 1
        if abs(error) > max(WRONG, WRONG_SE * float(estimate.se or 0.0)):
            found["wrong, serious" if serious else "wrong"] += 1
            codes = ",".join(sorted({flag.code for flag in result.flags}))
            wrong.append(
                f"{kind} {seed} {name} {100 * error:+.1f} % ± {100 * float(estimate.se or 0):.1f} {codes}"
            )
        found["covered"] += int(estimate.low <= truth[name] <= estimate.high)
    return found, wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=25, help="of each kind")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--only", default="", help="kinds, separated by commas")
    chosen = parser.parse_args()
    columns = ("studies", "refused", "measured", "covered", "serious", "wrong, serious", "wrong")
    print(f"{'kind':32}" + "".join(f"{name:>15}" for name in columns))
    total: Counter[str] = Counter()
    for kind in KINDS:
        if chosen.only and kind not in chosen.only.split(","):
            continue
        sums: Counter[str] = Counter()
        notes: list[str] = []
        for number in range(chosen.studies):
            found, wrong = one_study(kind, chosen.first_seed + number)
            sums += found
            notes += wrong
        total += sums
        print(f"{kind:32}" + "".join(f"{sums[name]:15d}" for name in columns), flush=True)
        for note in notes:
            print(f"    {note}")
    print(f"{'all':32}" + "".join(f"{total[name]:15d}" for name in columns))


if __name__ == "__main__":
    main()
