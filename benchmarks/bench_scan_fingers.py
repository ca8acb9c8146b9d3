"""How far fingers that are spread unequally lie beside their counterparts, and how far this is said to be.

Run: python benchmarks/bench_scan_fingers.py [--studies 12] [--first-seed 0] [--level 200000]

Both hands spread their fingers as they like. The middle of each finger is carried to the other hand and held
against where it lies there, on the reference image. All numbers are along one direction, in mm: what the
covariance of the fit says, and with what the residual of the study adds.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from numpy.typing import NDArray

from bench_scan_unlike_limbs import CONDITIONS
from sudeck.core.errors import InputError
from sudeck.core.vocabulary import opposite
from sudeck.scan.posing import pose_scan
from sudeck.scan.ratios.placement import Displacement
from sudeck.synthetic.limbs.limb_maps import limb_map
from sudeck.synthetic.limbs.plane import apply
from sudeck.synthetic.scan.bone_scan import simulate_bone_scan
from sudeck.synthetic.scan.random_designs import random_design
from sudeck.synthetic.scan.scan_pose import place_limbs
from sudeck.truth.in_memory import as_bone_scan

FAR_MM = 2.0  # along one direction: a finger that lies so far off was taken for another


def one_study(seed: int, counts: float) -> NDArray[np.float64]:
    """Return [finger, 3]: how far each lies beside its counterpart, said by the fit, and in all."""
    rng = np.random.default_rng(seed)
    limb, change = CONDITIONS["spread"]
    study = simulate_bone_scan(
        change(random_design(rng, limb=limb, counts=counts, region="whole"), rng),  # type: ignore[arg-type]
        rng=rng,
    )
    design = study.design
    try:
        poses = pose_scan(as_bone_scan(study), affected=design.affected).poses
    except InputError:
        return np.zeros((0, 3))
    reference = poses.phases[poses.reference]
    if poses.joint is None:
        return np.zeros((0, 3))
    placed = place_limbs(design, reference.phase)
    middles = {}
    for side in (design.affected, opposite(design.affected)):
        digits = limb_map(design.limb, design.seen_from, design.variant, design.posture(side)).anatomy.digits[
            1:
        ]
        middles[side] = apply(placed[side], np.array([np.mean(rod.points, axis=0) for rod in digits]))
    here = middles[design.affected]
    beside = reference.counterpart(here) - middles[opposite(design.affected)]
    stated = [
        math.hypot(
            *(
                float(np.linalg.norm(poses.joint.effects(reference.phase, one[None], unit[None])))
                for unit in np.eye(2)
            )
        )
        for one in here
    ]
    fit = np.array(stated) / math.sqrt(2.0)
    residual = Displacement.over(here, poses).sd_mm
    return np.column_stack([np.linalg.norm(beside, axis=1) / math.sqrt(2.0), fit, np.hypot(fit, residual)])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=12)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--level", type=float, default=200_000.0, help="counts a limb")
    chosen = parser.parse_args()
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.studies)
    beside, fit, stated = np.concatenate([one_study(seed, chosen.level) for seed in seeds]).T
    far = beside > FAR_MM
    said = f"said by the fit {np.median(fit):.2f} mm, in all {np.median(stated):.2f} mm"
    line = f"{beside.size} fingers: {np.median(beside):.2f} mm beside their counterparts (median), {said}"
    print(f"{line}; {far.sum()} farther than {FAR_MM:g} mm")
    if far.any():
        print(f"these by {beside[far].min():.1f} to {beside[far].max():.1f} mm")


if __name__ == "__main__":
    main()
