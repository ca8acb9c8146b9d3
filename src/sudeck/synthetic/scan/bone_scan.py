"""A whole synthetic three-phase bone scan: limbs posed, seen by the camera, counted, the truth beside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import SCAN_PHASES, SIDES, ScanPhase, Side, opposite
from sudeck.synthetic.limbs.plane import FLIP, inverse, millimetres_from_pixels
from sudeck.synthetic.limbs.shapes import step
from sudeck.synthetic.scan.camera import expose
from sudeck.synthetic.scan.kinetics import frame_weights
from sudeck.synthetic.scan.random_designs import random_design
from sudeck.synthetic.scan.scan_design import BoneScanDesign, Reposition
from sudeck.synthetic.scan.scan_scene import BACKGROUND, Scene, Source
from sudeck.synthetic.scan.scan_truth import PhaseTruth, RegionTruth, Truth

__all__ = [
    "BoneScanDesign",
    "Reposition",
    "SyntheticBoneScan",
    "Truth",
    "random_design",
    "simulate_bone_scan",
    "write_truth",
]

Array = NDArray[np.float64]

# The second detector sees the limbs through more tissue and from farther away.
_OPPOSED_COUNTS: Final = 0.85
_OPPOSED_EXTRA_BLUR_MM: Final = 2.0


@dataclass(frozen=True)
class SyntheticBoneScan:
    """One synthetic study.

    Attributes
    ----------
    design : BoneScanDesign
        What was chosen.
    counts : mapping of phase to array[frame, row, column] of uint16
        Poisson counts of the first detector: the flow frames, the pool image, the delayed image.
    expected : mapping of phase to array[row, column]
        Noise-free means of the first detector, summed over the frames.
    truth : Truth
        Ratios, regions, counts, transforms.
    opposed_counts : mapping of phase to array[frame, row, column] of uint16
        Counts of the second detector as it stores them, mirrored; empty unless asked for.
    """

    design: BoneScanDesign
    counts: Mapping[ScanPhase, NDArray[np.uint16]]
    expected: Mapping[ScanPhase, Array]
    truth: Truth
    opposed_counts: Mapping[ScanPhase, NDArray[np.uint16]] = field(default_factory=dict)

    def __str__(self) -> str:
        design = self.design
        ratios = ", ".join(f"{name} {value:.3f}" for name, value in self.truth.uptake_ratios().items())
        return f"synthetic {design.limb}s, {design.seen_from}: {design.affected} {design.region} {ratios}"


def simulate_bone_scan(design: BoneScanDesign, *, rng: np.random.Generator) -> SyntheticBoneScan:
    """Simulate a three-phase bone scan.

    Parameters
    ----------
    design : BoneScanDesign
        What to simulate.
    rng : numpy.random.Generator
        Source of the counting noise; everything else follows from the design.

    Examples
    --------
    >>> scan = simulate_bone_scan(BoneScanDesign(BPr=1.4), rng=np.random.default_rng(0))
    >>> scan.counts["vascular"].shape, round(scan.truth.uptake_ratios()["BPr"], 6)
    ((60, 128, 128), 1.4)
    """
    counts: dict[ScanPhase, NDArray[np.uint16]] = {}
    opposed: dict[ScanPhase, NDArray[np.uint16]] = {}
    expected: dict[ScanPhase, Array] = {}
    truths: dict[ScanPhase, PhaseTruth] = {}
    scene: Scene | None = None
    for phase in SCAN_PHASES:
        scene = Scene.of(design, phase, like=scene)
        sources = scene.sources()
        seen = {name: scene.seen(activity) for name, activity in sources.items()}
        limbs = np.sum(list(seen.values()), axis=0)
        healthy = scene.coverage(opposite(design.affected))
        in_healthy = float((limbs * healthy).sum())
        background = design.background_fraction * in_healthy / float(healthy.sum())
        seen[BACKGROUND] = np.full_like(limbs, background)
        per_unit = design.counts_per_limb[phase] / (in_healthy * (1 + design.background_fraction))
        expected[phase] = per_unit * (limbs + background)
        shares = _frame_shares(design, phase)
        counts[phase] = expose(_frames(seen, shares, per_unit), rng)
        if design.opposed:
            for name, activity in sources.items():
                seen[name] = scene.seen(activity, extra_blur_mm=_OPPOSED_EXTRA_BLUR_MM)
            frames = _frames(seen, shares, _OPPOSED_COUNTS * per_unit)
            opposed[phase] = expose(np.ascontiguousarray(frames[:, :, ::-1]), rng)
        truths[phase] = _phase_truth(scene, expected[phase])
    truth = Truth(design.affected, design.image_left, design.region, truths, dict(design.arrival_s))
    return SyntheticBoneScan(design, counts, expected, truth, opposed)


def write_truth(scan: SyntheticBoneScan, path: Path) -> None:
    """Write the design and the truth of a study as JSON to `path`, its label images as ``.npz`` beside it."""
    from sudeck.core.storage import write_json

    write_json(path, {"design": scan.design.to_dict(), "truth": scan.truth.to_dict()})
    labels: dict[str, NDArray[np.uint8]] = {name: truth.labels for name, truth in scan.truth.phases.items()}
    with path.with_suffix(".npz").open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **labels)


def _frame_shares(design: BoneScanDesign, phase: ScanPhase) -> dict[Source, Array]:
    """Return the share of each frame in the counts of a source; one that is not named is spread evenly."""
    if phase != "vascular":
        return {}
    shares: dict[Source, Array] = {}
    for side in SIDES:
        of_side = frame_weights(design.flow_frames, design.flow_frame_s, design.arrival_s[side])
        shares |= {(name, side): share for name, share in of_side.items()}
    shares[BACKGROUND] = 0.5 * (shares[("soft", "left")] + shares[("soft", "right")])
    return shares


def _frames(seen: Mapping[Source, Array], shares: Mapping[Source, Array], per_unit: float) -> Array:
    """Return expected counts ``[frame, row, column]``."""
    number = max((len(share) for share in shares.values()), default=1)
    evenly = np.full(number, 1 / number)
    by_frame = np.stack([shares.get(name, evenly) for name in seen], axis=1)
    return per_unit * np.tensordot(by_frame, np.stack(list(seen.values())), axes=1)


def _homologous_ratio(
    values: Mapping[Side, Array],
    weights: Mapping[Side, Array],
    stretch: Mapping[Side, Array],
    sides: tuple[Side, Side],
) -> float:
    """Return the ratio of means over homologous places, in the average of both limbs' areas."""

    def mean(side: Side, by: Array | float) -> float:
        return float((values[side] * weights[side] * by).sum() / (weights[side] * by).sum())

    over, under = sides
    by_own = mean(over, 1.0) / mean(under, stretch[under])
    by_other = mean(over, stretch[over]) / mean(under, 1.0)
    return math.sqrt(by_own * by_other)


def _phase_truth(scene: Scene, expected: Array) -> PhaseTruth:
    affected, healthy = scene.design.affected, opposite(scene.design.affected)
    points = scene.body.points
    shown = {side: step(scene.common[side].distance) * scene.in_both_fields(points) for side in SIDES}
    activity = {side: scene.grid_activity(side) for side in SIDES}
    stretch = {side: scene.stretch(side) for side in SIDES}
    stretch_px = {side: scene.stretch_px(side) for side in SIDES}
    regions = {}
    for name in ("whole", *scene.body.anatomy.bands):
        band, v = scene.band(name), points[..., 1]
        in_band = 1.0 if band is None else step(np.maximum(band[0] - v, v - band[1]))
        coverage = {side: scene.coverage(side, name) for side in SIDES}
        regions[name] = RegionTruth(
            uptake_ratio=_homologous_ratio(
                activity, {side: shown[side] * in_band for side in SIDES}, stretch, (affected, healthy)
            ),
            image_ratio=_homologous_ratio(
                dict.fromkeys(SIDES, expected), coverage, stretch_px, (affected, healthy)
            ),
            expected_counts={side: float((expected * coverage[side]).sum()) for side in SIDES},
            area_px={side: float(coverage[side].sum()) for side in SIDES},
            coverage={side: array.astype(np.float32) for side, array in coverage.items()},
        )
    to_mm = millimetres_from_pixels(scene.raster.size, scene.raster.spacing_mm)
    to_px = inverse(to_mm)
    to_healthy = scene.placed[healthy] @ inverse(scene.placed[affected])
    return PhaseTruth(
        regions=regions,
        labels=scene.labels(),
        to_mirrored_healthy_mm=FLIP @ to_healthy,
        to_mirrored_healthy_px=to_px @ FLIP @ to_healthy @ to_mm,
        to_healthy_px=to_px @ to_healthy @ to_mm,
        spacing_mm=scene.raster.spacing_mm,
    )
