"""How true the uptake ratios are on hands that Sudeck's generator did not make (see `capsule_hands.py`).

Run: python benchmarks/bench_scan_capsule_hands.py [--studies 6] [--levels 200000,20000,2000] [--first-seed 0]

DICOM files to ratios; nothing is known but the affected side and what stands at image-left. Coverage is that
of 95 % intervals of the uptake ratio, errors those of its logarithm. The ratios of the three phases are drawn
without regard to each other, so that in some studies one phase is opposite to the others and refused, as it
must be. Ratios that are refused are counted, the others scored.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from capsule_hands import CONDITIONS, draw_study
from sudeck.core.errors import InputError
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS
from sudeck.scan import measure_scan, read_scan


def one_study(name: str, level: float, seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng([seed, list(CONDITIONS).index(name)])
    common = {"condition": name, "counts": level, "seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        affected, truth = draw_study(rng, CONDITIONS[name], level, Path(folder))
        try:
            scan = read_scan(folder, limb="hand", image_left="left")
            result = measure_scan(scan, affected=affected)  # type: ignore[arg-type]
        except InputError as error:
            return [{**common, "measure": "", "refused": str(error)}]
    for ratio, (over, under) in RATIOS_OF_RATIOS.items():
        truth[ratio] = truth[PHASE_RATIOS[over]] / truth[PHASE_RATIOS[under]]
    rows = []
    for measure, true in truth.items():
        found = result.uptake_estimates.get(measure)
        if found is None:
            rows.append({**common, "measure": measure, "refused": result.refused.get(measure, "")})
            continue
        rows.append(
            {
                **common,
                "measure": measure,
                "refused": None,
                "error": math.log(found.value / true),
                "se": math.log(found.high / found.low) / 3.92,
                "covered": float(found.low <= true <= found.high),
                "twice": measure in RATIOS_OF_RATIOS,
            }
        )
    return rows


def summary(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    def of(group: pd.DataFrame) -> pd.Series:
        done = group[group.refused.isna()]
        cells: dict[str, float] = {"refused": len(group) - len(done)}
        for name, part in (("", done[done.twice == False]), ("RoR ", done[done.twice == True])):  # noqa: E712
            cells[f"{name}n"] = len(part)
            cells[f"{name}coverage %"] = 100 * part.covered.mean()
            cells[f"{name}RMSE %"] = 100 * math.sqrt(float((part.error**2).mean()))
            cells[f"{name}SE %"] = 100 * math.sqrt(float((part.se**2).mean()))
            cells[f"{name}bias %"] = 100 * part.error.mean()
        return pd.Series(cells)

    return rows.groupby(by, sort=False).apply(of, include_groups=False).round(2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=6, help="for each condition and level of counts")
    parser.add_argument("--levels", default="200000,20000,2000", help="counts a limb and phase")
    parser.add_argument("--first-seed", type=int, default=0, help="another block of studies")
    chosen = parser.parse_args()
    rows = pd.DataFrame(
        row
        for level in map(float, chosen.levels.split(","))
        for name in CONDITIONS
        for seed in range(chosen.first_seed, chosen.first_seed + chosen.studies)
        for row in one_study(name, level, seed)
    )
    print(summary(rows, ["counts", "condition"]).to_string())
    print(summary(rows, ["counts"]).to_string())


if __name__ == "__main__":
    main()
