"""How true the ratios are where limbs, views or matrices differ: one row a condition and level of counts.

Run: python benchmarks/bench_scan_unlike_limbs.py [--studies 8] [--only flexed,cast] [--jobs 1]

The conditions do not share the assumptions of the method: fingers are spread and bent one by one in both
hands, skin swells over bones that stay as they are, a finger is missing, a cast holds counts back. Every
study is measured as a whole limb, nothing told but the affected side. Truth is the ratio of the noise-free
image over homologous places: those of the limb inside its skin, or, where a finger is missing or a cast dims
a part, those of the region that was measured on the affected limb: of what is left out beside the finger the
ratio says nothing, and where it differs along the limb it depends on how much of each part lies inside.
*Warped* shifts every place of the affected limb by a smooth field of 3 mm (SD along one direction, alike over
25 mm), and is scored in the region measured. Coverage is that of 95 % intervals; refused studies are counted,
not scored. A row is printed as soon as it is done; at the end stand the coverage of the ratio of the image
and of that of uptake by how far they lie from 1.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS, SCAN_PHASES, SIDES, opposite
from sudeck.scan.measurement import measure_scan
from sudeck.scan.phases.phase_series import BoneScan
from sudeck.scan.ratios.uptake import pixel_weights
from sudeck.scan.result import PhaseMeasurement, ScanResult
from sudeck.synthetic.limbs.posture import DIGITS, Posture
from sudeck.synthetic.scan.bone_scan import SyntheticBoneScan, simulate_bone_scan
from sudeck.synthetic.scan.camera import expose
from sudeck.synthetic.scan.random_designs import random_design
from sudeck.synthetic.scan.scan_design import BoneScanDesign
from sudeck.truth.in_memory import as_bone_scan

LEVELS = (2_000.0, 20_000.0, 200_000.0)
Rng = np.random.Generator
FloatArray = NDArray[np.float64]
_SIZES = (0.0, 0.1, 0.2, 0.4, 0.6, math.inf)
Change = Callable[[BoneScanDesign, Rng], BoneScanDesign]


def alike(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    return design


def spread(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    """Both hands spread their fingers as they like: 3 degrees a finger, 6 the thumb."""
    return with_postures(
        design, {side: Posture(turns_deg=turns(rng)) for side in (design.affected, opposite(design.affected))}
    )


def swollen(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    return replace(design, scale=float(rng.uniform(1.10, 1.15)))


def soft_swelling(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    return with_postures(design, {design.affected: Posture(soft=float(rng.uniform(1.08, 1.18)))})


def flexed(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    lengths = tuple(rng.uniform(0.65, 0.95, DIGITS).tolist())
    return with_postures(design, {design.affected: Posture(turns_deg=turns(rng, 0.5), lengths=lengths)})


def missing(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    side = design.affected if rng.integers(2) else opposite(design.affected)
    return with_postures(design, {side: Posture(missing=(int(rng.integers(1, DIGITS)),))})


def cast(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    return replace(design, cast=float(rng.uniform(0.75, 0.9)))


def wrist(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    return replace(design, region="wrist", VPr=1.3, TPr=1.6, BPr=float(rng.uniform(1.8, 2.3)))


def matrices(design: BoneScanDesign, rng: Rng) -> BoneScanDesign:
    return of_matrices(design, (64, 128, 256))


def of_matrices(design: BoneScanDesign, sizes: Sequence[int]) -> BoneScanDesign:
    """Give flow, pool and bone these matrices, all of one field."""
    field = 128 * 2.7
    matrix = dict(zip(SCAN_PHASES, sizes, strict=True))
    return replace(design, matrix=matrix, spacing_mm={name: field / n for name, n in matrix.items()})


CONDITIONS: dict[str, tuple[str, Change]] = {
    "hands alike": ("hand", alike),
    "spread": ("hand", spread),
    "swollen": ("hand", swollen),
    "soft swelling": ("hand", soft_swelling),
    "flexed": ("hand", flexed),
    "missing finger": ("hand", missing),
    "cast": ("hand", cast),
    "wrist hot": ("hand", wrist),
    "matrices 64 128 256": ("hand", matrices),
    "bone from behind": ("hand", alike),
    "feet alike": ("foot", alike),
    "warped 3 mm": ("hand", alike),
}
_WARP_SD_MM, _WARP_REACH_MM, _APART_MM = 3.0, 25.0, 15.0


def turns(rng: Rng, by: float = 1.0) -> tuple[float, ...]:
    return tuple((by * rng.normal(0.0, [6.0, 3.0, 3.0, 3.0, 3.0])).tolist())


def with_postures(design: BoneScanDesign, postures: dict[Any, Posture]) -> BoneScanDesign:
    return replace(design, postures=postures, gap_mm=max(design.gap_mm, 25.0))


def from_behind(scan: BoneScan) -> BoneScan:
    """Return the study with its bone phase seen from the other side."""
    bone = scan.phases["bone"]
    left = opposite(bone.image_left)
    turned = replace(bone, counts=bone.counts[:, :, ::-1], image_left=left, view="dorsal")
    return replace(scan, phases={**scan.phases, "bone": turned})


def warped(study: SyntheticBoneScan, rng: Rng) -> tuple[SyntheticBoneScan, dict[str, FloatArray]]:
    """Return the study with its affected limb warped, and by how much: [row or column] in pixels, by phase.

    The limbs of this generator lie still between phases, so that a field of the image is one of the limb.
    """
    expected, counts, by = {}, {}, {}
    healthy = 2 if study.truth.image_left == study.design.affected else 1
    seed = int(rng.integers(2**31))
    for name, image in study.expected.items():
        truth = study.truth.phases[name]
        white = np.random.default_rng(seed).normal(size=(2, *image.shape))
        reach = _WARP_REACH_MM / math.sqrt(2.0) / truth.spacing_mm
        field = np.stack([ndimage.gaussian_filter(one, reach, mode="wrap") for one in white])
        field *= _WARP_SD_MM / truth.spacing_mm / field.std()
        away = ndimage.distance_transform_edt(truth.labels != healthy) * truth.spacing_mm
        by[name] = field * np.clip(away / _APART_MM, 0.0, 1.0)
        place = np.indices(image.shape) + by[name]
        expected[name] = ndimage.map_coordinates(image, place, order=3, mode="nearest").clip(min=0.0)
        counts[name] = expose(expected[name], rng)
    return replace(study, expected=expected, counts=counts), by  # type: ignore[arg-type]


def one_study(task: tuple[str, int, float], sizes: Sequence[int] = ()) -> list[dict[str, Any]]:
    condition, seed, counts = task
    limb, change = CONDITIONS[condition]
    rng = np.random.default_rng(seed)
    drawn = random_design(rng, limb=limb, counts=counts, region="whole")  # type: ignore[arg-type]
    design = change(drawn, rng)
    study = simulate_bone_scan(of_matrices(design, sizes) if sizes else design, rng=rng)
    by: dict[str, FloatArray] = {}
    if condition.startswith("warped"):
        study, by = warped(study, rng)
    scan = as_bone_scan(study)
    if condition == "bone from behind":
        scan = from_behind(scan)
    common = {"condition": condition, "limb": limb, "seed": seed, "counts": counts}
    start = time.process_time()
    try:
        result = measure_scan(scan, affected=study.design.affected)
    except InputError as error:
        return [{**common, "refused": str(error)}]
    common["seconds"] = time.process_time() - start
    truth = with_pairs(image_ratios(study, result, by))
    # Of the uptake in the region measured nothing is known where that is another one.
    of_uptake = {} if by or _part_differs(study) else with_pairs(study.truth.uptake_ratios("whole"))
    rows = []
    for name, estimate in result.estimates.items():
        rows.append(
            {
                **common,
                "measure": name,
                "error": math.log(estimate.value / truth[name]),
                "covered": estimate.low <= truth[name] <= estimate.high,
                "log_truth": math.log(truth[name]),
                **_uptake(result.uptake_estimates.get(name), of_uptake.get(name)),
                "se": estimate.se,
                "placement": estimate.components["placement"],
                "serious": any(flag.severity == "serious" for flag in result.flags),
                "residual": max(phase.pose.mirror.residual for phase in result.phases.values()),
            }
        )
    return rows


def _uptake(estimate: Estimate | None, truth: float | None) -> dict[str, Any]:
    if estimate is None or truth is None:
        return {"uptake_error": math.nan, "uptake_covered": None, "log_uptake": math.nan}
    return {
        "uptake_error": math.log(estimate.value / truth),
        "uptake_covered": estimate.low <= truth <= estimate.high,
        "log_uptake": math.log(truth),
    }


def with_pairs(ratios: dict[str, float]) -> dict[str, float]:
    """Add the ratios of ratios."""
    pairs = {name: pair for name, pair in _pairs().items() if ratios.keys() >= set(pair)}
    return ratios | {name: ratios[over] / ratios[under] for name, (over, under) in pairs.items()}


def _part_differs(study: SyntheticBoneScan) -> bool:
    return study.design.cast != 1.0 or any(study.design.posture(side).missing for side in SIDES)


def image_ratios(study: SyntheticBoneScan, result: ScanResult, by: dict[str, FloatArray]) -> dict[str, float]:
    """Return the true VPr, TPr and BPr: in the region measured where a finger is missing or a cast lies on.

    A cast dims palm and forearm alone: a region that reaches a little beyond the skin holds more of the bare
    fingers, and its true ratio is another one.
    """
    if by or _part_differs(study):
        return {
            PHASE_RATIOS[name]: _inside(study, phase, by.get(name)) for name, phase in result.phases.items()
        }
    return study.truth.image_ratios("whole")


def _inside(study: SyntheticBoneScan, measured: PhaseMeasurement, by: FloatArray | None) -> float:
    """Return the true ratio of a region as measured, of mirror images but for a finger, a cast or a warp."""
    truth, pose, expected = study.truth.phases[measured.phase], measured.pose, study.expected[measured.phase]
    points = measured.affected_points
    parts = pose.stretch(pose.from_reference.inverse()(points))
    row, column = pose.grid.pixel_of(points)
    if by is not None:
        row, column = (
            place + ndimage.map_coordinates(one, (row, column), order=1, mode="nearest")
            for place, one in zip((row, column), by, strict=True)
        )
    column, row, _ = truth.to_healthy_px @ np.stack([column, row, np.ones_like(row)])
    means = [
        float((pixel_weights(places, pose.grid, measured.affected.area_px, parts) * expected).sum())
        for places in (points, pose.grid.points_of(row, column))
    ]
    return means[0] / means[1]


def _pairs() -> dict[str, tuple[str, str]]:
    return {
        name: (PHASE_RATIOS[over], PHASE_RATIOS[under]) for name, (over, under) in RATIOS_OF_RATIOS.items()
    }


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return coverage and error by condition and counts, ratios and ratios of ratios apart."""
    rows = rows.assign(plain=rows.measure.isin(PHASE_RATIOS.values()))

    def of(group: pd.DataFrame) -> pd.Series:
        done, twice = group[group.plain], group[~group.plain & group.error.notna()]
        return pd.Series(
            {
                "ratios": len(done),
                "refused": int(group.refused.notna().sum()),
                "coverage %": 100 * done.covered.astype(float).mean(),
                "RMSE %": 100 * math.sqrt(float((done.error**2).mean())),
                "SE %": 100 * math.sqrt(float((done.se**2).mean())),
                "bias %": 100 * done.error.mean(),
                "RoR coverage %": 100 * twice.covered.astype(float).mean(),
                "serious": int(done[done.serious.astype(bool)].seed.nunique()),
                "RoR RMSE %": 100 * math.sqrt(float((twice.error**2).mean())),
            }
        )

    return rows.groupby(["condition", "counts"], sort=False).apply(of, include_groups=False).round(2)


def by_measure(rows: pd.DataFrame) -> pd.DataFrame:
    """Return coverage and error of VPr, TPr and BPr by counts, all conditions together."""
    done = rows[rows.measure.isin(PHASE_RATIOS.values())]

    def of(group: pd.DataFrame) -> pd.Series:
        return pd.Series(
            {
                "ratios": len(group),
                "coverage %": 100 * group.covered.astype(float).mean(),
                "RMSE %": 100 * math.sqrt(float((group.error**2).mean())),
                "worst %": 100 * group.error.abs().max(),
            }
        )

    return done.groupby(["counts", "measure"], sort=False).apply(of, include_groups=False).round(2)


def by_size(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage of ratios of image and uptake by limb, counts and how far they lie from 1."""
    done = rows[rows.measure.isin(PHASE_RATIOS.values())]
    parts = []
    for what, log_truth, covered in (
        ("image", "log_truth", "covered"),
        ("uptake", "log_uptake", "uptake_covered"),
    ):
        known = done[done[covered].notna()]
        size = pd.cut(known[log_truth].abs(), _SIZES, right=False)
        held = known[covered].astype(float)
        parts.append(held.groupby([known.limb, known.counts, size], observed=True).agg(["count", "mean"]))
        parts[-1].columns = [f"{what}: ratios", f"{what}: coverage %"]
        parts[-1][f"{what}: coverage %"] *= 100
    table = pd.concat(parts, axis=1).round(1)
    return table.rename_axis(["limb", "counts", "|log ratio|"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=8, help="for each condition and level of counts")
    parser.add_argument("--only", default="", help="conditions, separated by commas")
    parser.add_argument("--levels", default="", help="counts a limb, separated by commas")
    parser.add_argument("--matrices", default="", help="of flow, pool and bone, as 64,128,256: in every row")
    parser.add_argument("--first-seed", type=int, default=0, help="another block of studies")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--rows", type=Path, help="keep every ratio in this table")
    chosen = parser.parse_args()
    names = [name for name in CONDITIONS if not chosen.only or name in chosen.only.split(",")]
    levels = [float(level) for level in chosen.levels.split(",")] if chosen.levels else LEVELS
    sizes = [int(size) for size in chosen.matrices.split(",") if size]
    tasks = [
        (name, chosen.first_seed + 1000 * number + n, level)
        for number, name in enumerate(names)
        for level in levels
        for n in range(chosen.studies)
    ]
    with ProcessPoolExecutor(chosen.jobs) as pool:
        found = pool.map(partial(one_study, sizes=sizes), tasks)
        kept: list[dict[str, Any]] = []
        for number, study in enumerate(found, start=1):
            kept += study
            if number % chosen.studies == 0:
                print(_line(pd.DataFrame(kept), tasks[number - 1]), flush=True)
    rows = pd.DataFrame(kept)
    rows["refused"] = rows.get("refused")
    if chosen.rows:
        rows.to_csv(chosen.rows, sep="\t", index=False)
    print(f"{chosen.studies} studies a row; measuring takes {rows.seconds.median():.2f} s of processor time")
    print(summary(rows).to_string())
    print(by_measure(rows).to_string())
    print(by_size(rows).to_string())


def _line(rows: pd.DataFrame, task: tuple[str, int, float]) -> str:
    """Return the row of the condition and counts of a task, as soon as it is done."""
    condition, _, counts = task
    rows["refused"] = rows.get("refused")
    row = summary(rows[(rows.condition == condition) & (rows.counts == counts)]).iloc[0]
    return f"{condition}, {counts:.0f}: " + ", ".join(f"{name} {value:g}" for name, value in row.items())


if __name__ == "__main__":
    main()
