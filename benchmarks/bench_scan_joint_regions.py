"""Rows of joints and the hand without fingers: found on the joints, and how true their ratios are.

Run: python benchmarks/bench_scan_joint_regions.py [--studies 10] [--counts 100000] [--first-seed 0]

Random hands and feet (poses within 15 degrees, 7 % of size), measured in every region of
`sudeck.core.vocabulary.JOINT_REGIONS`. Truth is the ratio of the noise-free image over the region found
on the affected limb and its true homologous place on the other. *Joints* counts joint centres within 2 mm of
their own region, *others* those within 2 mm of another row's.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import JOINT_REGIONS, LIMBS, PHASE_RATIOS, ScanPhase
from sudeck.scan.measurement import measure_region
from sudeck.scan.posing import pose_scan
from sudeck.scan.result import PhaseMeasurement
from sudeck.synthetic.limbs.limb_maps import limb_map
from sudeck.synthetic.limbs.plane import apply
from sudeck.synthetic.scan.bone_scan import SyntheticBoneScan, simulate_bone_scan
from sudeck.synthetic.scan.random_designs import random_design
from sudeck.synthetic.scan.scan_pose import place_limbs
from support.phantoms import as_bone_scan


def true_log_ratio(study: SyntheticBoneScan, phase: PhaseMeasurement) -> float:
    """Return the log ratio of the noise-free image over the region and where it truly lies on the other."""
    row, column = phase.pose.grid.pixel_of(phase.affected_points)
    here = np.stack([column, row, np.ones_like(row)])
    there = study.truth.phases[phase.phase].to_healthy_px @ here
    image = study.expected[phase.phase]
    means = [map_coordinates(image, [xy[1], xy[0]], order=1).mean() for xy in (here, there)]
    return math.log(means[0] / means[1])


def joints(study: SyntheticBoneScan, phase: ScanPhase) -> dict[str, NDArray[np.float64]]:
    """Return where the joints of each row lie on the affected limb, in mm."""
    design = study.design
    anatomy = limb_map(design.limb, design.seen_from, design.variant).anatomy
    centres = np.array([joint.centre for joint in anatomy.joints])
    placed = apply(place_limbs(design, phase)[design.affected], centres)
    if design.limb == "foot":
        return {"mtp": placed[-10::2]}
    return {name: placed[4 + n : 16 : 3] for n, name in enumerate(("mcp", "pip", "dip"))}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=10, help="of each limb")
    parser.add_argument("--counts", type=float, default=100_000.0, help="a limb and phase")
    parser.add_argument("--first-seed", type=int, default=0)
    chosen = parser.parse_args()
    rows: dict[str, list[tuple[float, float, bool]]] = defaultdict(list)
    hits: dict[str, list[bool]] = defaultdict(list)
    strays: dict[str, list[bool]] = defaultdict(list)
    refused: dict[str, int] = defaultdict(int)
    for limb in LIMBS:
        for number in range(chosen.studies):
            rng = np.random.default_rng([chosen.first_seed + number, LIMBS.index(limb)])
            design = random_design(rng, limb=limb, counts=chosen.counts, region="whole")
            study = simulate_bone_scan(design, rng=rng)
            posed = pose_scan(as_bone_scan(study), affected=design.affected)
            places = joints(study, posed.poses.reference)
            for name in JOINT_REGIONS[limb]:
                try:
                    result = measure_region(posed, name, uptake=False)
                except InputError:
                    refused[name] += 1
                    continue
                points = result.phases[posed.poses.reference].affected_points
                for row, centres in places.items():
                    near = [bool(np.linalg.norm(points - one, axis=1).min() < 2.0) for one in centres]
                    held = row == name or (name == "without-fingers" and row == "mcp")
                    (hits if held else strays)[name] += near
                for phase, measured in result.phases.items():
                    estimate, truth = result.estimates[PHASE_RATIOS[phase]], true_log_ratio(study, measured)
                    covered = math.log(estimate.low) <= truth <= math.log(estimate.high)
                    rows[name].append((math.log(estimate.value) - truth, float(estimate.se or 0.0), covered))
    print("region              ratios  refused  covered %  RMSE %   SE %   joints   others")
    for name, found in rows.items():
        error, se, covered = (np.array(column) for column in zip(*found, strict=True))
        print(
            f"{name:18}{len(found):8d}{refused[name]:9d}{100 * covered.mean():11.1f}"
            f"{100 * math.sqrt(float((error**2).mean())):8.2f}{100 * math.sqrt(float((se**2).mean())):7.2f}"
            f"{f'{sum(hits[name])}/{len(hits[name])}':>9}{f'{sum(strays[name])}/{len(strays[name])}':>9}"
        )


if __name__ == "__main__":
    main()
