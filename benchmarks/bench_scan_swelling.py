"""How much of skin that swells over bones the joint fit does not see, and what it takes for such a swelling.

Run: python benchmarks/bench_scan_swelling.py [--studies 19] [--first-seed 0] [--level 200000]

*Found* is by how much palm and forearm are found wider than the bones in them. *Unseen* is the share of it by
which the ratios of the phases, nothing taken off, still lie above those of the noise-free image: what
`sudeck.scan.ratios.swelling` takes off. Limbs that are not swollen over their bones have none of it.
"""

from __future__ import annotations

import argparse
import math
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from bench_scan_unlike_limbs import CONDITIONS
from sudeck.core.errors import InputError
from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.scan.measurement import measure_region
from sudeck.scan.posing import pose_scan
from sudeck.synthetic.scan.bone_scan import simulate_bone_scan
from sudeck.synthetic.scan.random_designs import random_design
from sudeck.truth.in_memory import as_bone_scan

KINDS = ("soft swelling", "feet alike", "swollen feet", "flexed", "hands alike")


def one_study(kind: str, seed: int, counts: float) -> tuple[float, float] | None:
    """Return the swelling found and the mean error of the phases, both as logarithms; None if refused."""
    limb, change = CONDITIONS["swollen" if kind == "swollen feet" else kind]
    limb = "foot" if kind == "swollen feet" else limb
    rng = np.random.default_rng(seed)
    drawn = random_design(rng, limb=limb, counts=counts, region="whole")  # type: ignore[arg-type]
    study = simulate_bone_scan(change(drawn, rng), rng=rng)
    try:
        posed = pose_scan(as_bone_scan(study), affected=study.design.affected)
        with mock.patch("sudeck.scan.measurement.of_own_area", lambda ratio, *_, **__: ratio):
            result = measure_region(posed, uptake=False)
    except InputError:
        return None
    if posed.poses.joint is None:
        return None
    truth = study.truth.image_ratios("whole")
    errors = [
        math.log(result.estimates[name].value / truth[name])
        for name in PHASE_RATIOS.values()
        if name in result.estimates
    ]
    return posed.poses.joint.swelling[0], float(np.mean(errors))


def share(found: NDArray[np.float64], error: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the share of what is found that is unseen, its standard error, and how single limbs stray."""
    unseen = float(found @ error / (found @ found))
    left = error - unseen * found
    stray = math.sqrt(float(left @ left) / max(found.size - 1, 1))
    return unseen, stray / math.sqrt(float(found @ found)), stray


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=19, help="of swollen hands; a third of the others")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--level", type=float, default=200_000.0, help="counts a limb")
    chosen = parser.parse_args()
    for number, kind in enumerate(KINDS):
        studies = chosen.studies if number == 0 else max(chosen.studies // 3, 1)
        seeds = range(chosen.first_seed + 1000 * number, chosen.first_seed + 1000 * number + studies)
        seen = [one for seed in seeds if (one := one_study(kind, seed, chosen.level)) is not None]
        found, error = np.array(seen).T
        line = f"{kind:14} {len(seen):3d} limbs, found {found.min():+.3f} to {found.max():+.3f}"
        if number == 0:
            unseen, se, stray = share(found, error)
            line += f", unseen {unseen:.2f} ± {se:.2f} of it, single limbs stray by {100 * stray:.1f} %"
        print(line, flush=True)


if __name__ == "__main__":
    main()
