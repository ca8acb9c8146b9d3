"""A whole synthetic three-phase bone scan: limbs posed, seen by the camera, counted, with the truth beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import SCAN_PHASES, SIDES, ScanPhase, Side, opposite
from sudeck.synthetic.camera import Raster, expose, image
from sudeck.synthetic.kinetics import frame_weights
from sudeck.synthetic.limbs import LimbMap, asymmetry, coordinates, limb_map
from sudeck.synthetic.plane import FLIP, Matrix, apply, millimetres_from_pixels
from sudeck.synthetic.scan_design import BoneScanDesign, Reposition, random_design
from sudeck.synthetic.scan_pose import place_limbs
from sudeck.synthetic.scan_truth import PhaseTruth, RegionTruth, Truth
from sudeck.synthetic.shapes import step

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

_OPPOSED_COUNTS = 0.85  # the second detector stands farther away: fewer counts pass more tissue,
_OPPOSED_BLUR_MM = 2.0  # and the resolution is worse by this
_HOT_SPOT_SIGMA_MM = 5.0
_HOT_SPOT_FADES = {"vascular": 1.0, "tissue": 0.7, "bone": 0.3}


@dataclass(frozen=True)
class SyntheticBoneScan:
    """One synthetic study.

    Attributes
    ----------
    design : BoneScanDesign
        What was chosen.
    counts : mapping of phase to array[frame, row, column] of uint16
        Poisson counts of the first detector: the flow frames, one pool image, one delayed image.
    opposed_counts : mapping of phase to array[frame, row, column] of uint16
        The same of the second detector, as it stores them (mirrored); empty unless asked for.
    expected : mapping of phase to array[row, column]
        Noise-free means of the first detector; for the vascular phase the sum over the flow.
    truth : Truth
        Ratios, regions, counts, transforms.
    """

    design: BoneScanDesign
    counts: Mapping[ScanPhase, NDArray[np.uint16]]
    expected: Mapping[ScanPhase, Array]
    truth: Truth
    opposed_counts: Mapping[ScanPhase, NDArray[np.uint16]] = field(default_factory=dict)


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
    for phase in SCAN_PHASES:
        scene = _Scene.of(design, phase)
        sources = scene.sources()
        seen = {name: scene.seen(activity) for name, activity in sources.items()}
        limbs_seen = np.sum(list(seen.values()), axis=0)
        outline = scene.coverage(opposite(design.affected), None)
        background = design.background_fraction * float((limbs_seen * outline).sum() / outline.sum())
        seen[("background", None)] = np.full_like(limbs_seen, background)
        counted = float(((limbs_seen + background) * outline).sum())
        per_unit = design.counts_per_limb[phase] / counted
        expected[phase] = per_unit * (limbs_seen + background)
        weights = _frame_weights(design, phase)
        frames = _frames(seen, weights, per_unit)
        counts[phase] = expose(frames, rng)
        if design.opposed:
            far = {
                name: scene.seen(activity, extra_blur_mm=_OPPOSED_BLUR_MM)
                for name, activity in sources.items()
            }
            far[("background", None)] = seen[("background", None)]
            opposed[phase] = expose(_frames(far, weights, _OPPOSED_COUNTS * per_unit)[:, :, ::-1], rng)
        truths[phase] = _phase_truth(scene, expected[phase])
    truth = Truth(design.affected, design.image_left, design.region, truths, dict(design.arrival_s))
    return SyntheticBoneScan(design, counts, expected, truth, opposed)


def write_truth(scan: SyntheticBoneScan, path: Path) -> None:
    """Write the design and the truth of a study as JSON, and its label images as ``.npz`` beside it."""
    from sudeck.core.storage import write_json

    write_json(path, {"design": scan.design.to_dict(), "truth": scan.truth.to_dict()})
    labels = {phase: truth.labels for phase, truth in scan.truth.phases.items()}
    np.savez_compressed(path.with_suffix(".npz"), **labels)  # type: ignore[arg-type]


# A source of counts: what it is, and the limb it belongs to.
_Source = tuple[str, Side | None]


@dataclass(frozen=True)
class _Scene:
    """Both limbs in the field of one phase."""

    design: BoneScanDesign
    phase: ScanPhase
    body: LimbMap
    raster: Raster
    placed: Mapping[Side, Matrix]
    at: Mapping[Side, Array]  # limb coordinates [y, x, 2] of the fine grid
    depth: Mapping[Side, Array]  # distance to the skin [y, x] in mm of the image, negative inside

    @classmethod
    def of(cls, design: BoneScanDesign, phase: ScanPhase) -> _Scene:
        body = limb_map(design.limb, design.seen_from, design.variant)
        raster = Raster.for_field(design.matrix_of(phase), design.spacing_of(phase))
        placed = place_limbs(design, phase)
        axis = raster.axis_mm
        at = {side: coordinates(np.linalg.inv(placed[side]), axis, axis) for side in SIDES}
        depth = {side: body.sample(body.distance, at[side]) * _size_of(placed[side]) for side in SIDES}
        return cls(design, phase, body, raster, placed, at, depth)

    def band(self, region: str) -> tuple[float, float] | None:
        return None if region == "whole" else self.body.anatomy.bands[region]

    def factor(self, side: Side, v: Array) -> Array:
        """Asymmetry of a side at axial positions."""
        if side != self.design.affected:
            return np.ones_like(v)
        return asymmetry(v, self.band(self.design.region), self.design.ratio(self.phase))

    def grid_activity(self, side: Side) -> Array:
        """Activity of a side on the grid of the limb map, asymmetry included."""
        extra = self.design.periarticular if side == self.design.affected else 0.0
        v = self.body.axial_mm
        return self.body.activity(self.phase, periarticular=extra) * self.factor(side, v)

    def sources(self) -> dict[_Source, Array]:
        """Emission per unit area on the fine grid: each limb, in the flow each tissue of it, and the hot spot."""
        found: dict[_Source, Array] = {}
        for side in SIDES:
            extra = self.design.periarticular if side == self.design.affected else 0.0
            factor = self.factor(side, self.at[side][..., 1])
            if self.phase == "vascular":
                vessels = self.body.activity(self.phase, only="vessels")
                rest = self.body.activity(self.phase) - vessels
                parts = {"vessels": vessels, "soft": rest}
            else:
                parts = {"limb": self.body.activity(self.phase, periarticular=extra)}
            for name, field_ in parts.items():
                found[(name, side)] = self.body.sample(field_, self.at[side]) * factor
        injected = self.design.injection_site
        if injected is not None:
            spot = np.hypot(*np.moveaxis(self.at[injected] - np.array(self.body.anatomy.hot_spot), -1, 0))
            shape = np.exp(-0.5 * (spot / _HOT_SPOT_SIGMA_MM) ** 2)
            inside = step(self.depth[opposite(self.design.affected)])
            healthy = sum(found[key] for key in list(found) if key[1] == opposite(self.design.affected))
            amount = self.design.hot_spot * _HOT_SPOT_FADES[self.phase] * float((healthy * inside).sum())
            found[("hot spot", injected)] = shape * amount / shape.sum()
        return found

    def seen(self, activity: Array, *, extra_blur_mm: float = 0.0) -> Array:
        """The camera's noise-free image of a source."""
        return image(
            activity,
            self.raster,
            fwhm_mm=self.design.fwhm_mm + extra_blur_mm,
            scatter_fraction=self.design.scatter_fraction,
        )

    def coverage(self, side: Side, region: str | None) -> Array:
        """Fraction of each pixel covered by a named region on a side, or by all of the limb in the field."""
        fine_mm = self.raster.spacing_mm / self.raster.supersampling
        inside = step(self.depth[side], width=fine_mm)
        if region is not None:
            inside = inside * self.homologous(side, self.at[side])
            band = self.band(region)
            if band is not None:
                v = self.at[side][..., 1]
                outside_mm = np.maximum(band[0] - v, v - band[1]) * _size_of(self.placed[side])
                inside = inside * step(outside_mm, width=fine_mm)
        return self.raster.to_pixels(inside)

    def homologous(self, side: Side, at: Array) -> Array:
        """1 where the same point of the other limb lies in the field too."""
        points = apply(self.placed[opposite(side)], at)
        half = 0.5 * self.raster.size * self.raster.spacing_mm
        return np.asarray((np.abs(points).max(axis=-1) < half).astype(float))


def _size_of(matrix: Matrix) -> float:
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def _frame_weights(design: BoneScanDesign, phase: ScanPhase) -> dict[_Source, Array]:
    if phase != "vascular":
        return {}
    weights: dict[_Source, Array] = {}
    for side in SIDES:
        shares = frame_weights(design.flow_frames, design.flow_frame_s, design.arrival_s[side])
        weights[("vessels", side)], weights[("soft", side)] = shares["vessels"], shares["soft"]
    both = 0.5 * (weights[("soft", "left")] + weights[("soft", "right")])
    weights[("background", None)] = both
    for side in SIDES:  # tracer left at the puncture is there from the start
        weights[("hot spot", side)] = np.full(design.flow_frames, 1.0 / design.flow_frames)
    return weights


def _frames(seen: Mapping[_Source, Array], weights: Mapping[_Source, Array], per_unit: float) -> Array:
    """Expected counts ``[frame, row, column]``."""
    once = np.ones(1)
    names = list(seen)
    shares = np.stack([weights.get(name, once) for name in names], axis=1)
    return per_unit * np.tensordot(shares, np.stack([seen[name] for name in names]), axes=1)


def _phase_truth(scene: _Scene, expected: Array) -> PhaseTruth:
    affected, healthy = scene.design.affected, opposite(scene.design.affected)
    body, placed = scene.body, scene.placed
    grid = body.points
    half = 0.5 * scene.raster.size * scene.raster.spacing_mm
    on_grid = step(body.distance)
    for side in SIDES:
        on_grid = on_grid * (np.abs(apply(placed[side], grid)).max(axis=-1) < half)
    activity = {side: scene.grid_activity(side) for side in SIDES}
    regions = {}
    for name in ("whole", *body.anatomy.bands):
        band = scene.band(name)
        v = grid[..., 1]
        within = on_grid if band is None else on_grid * step(np.maximum(band[0] - v, v - band[1]))
        coverage = {side: scene.coverage(side, name) for side in SIDES}
        counts = {side: float((expected * coverage[side]).sum()) for side in SIDES}
        area = {side: float(coverage[side].sum()) for side in SIDES}
        regions[name] = RegionTruth(
            uptake_ratio=float((activity[affected] * within).sum() / (activity[healthy] * within).sum()),
            image_ratio=counts[affected] / area[affected] / (counts[healthy] / area[healthy]),
            expected_counts=counts,
            area_px=area,
            coverage={side: array.astype(np.float32) for side, array in coverage.items()},
        )
    to_mm = millimetres_from_pixels(scene.raster.size, scene.raster.spacing_mm)
    to_healthy = placed[healthy] @ np.linalg.inv(placed[affected])
    to_mirrored = FLIP @ to_healthy
    to_px = np.linalg.inv(to_mm)
    return PhaseTruth(
        regions=regions,
        labels=_labels(scene),
        to_mirrored_healthy_mm=to_mirrored,
        to_mirrored_healthy_px=to_px @ to_mirrored @ to_mm,
        to_healthy_px=to_px @ to_healthy @ to_mm,
        spacing_mm=scene.raster.spacing_mm,
    )


def _labels(scene: _Scene) -> NDArray[np.uint8]:
    left = scene.design.image_left
    near = {side: scene.raster.to_pixels(scene.depth[side]) for side in SIDES}
    covered = {side: scene.coverage(side, None) >= 0.5 for side in SIDES}
    first = covered[left] & (near[left] <= near[opposite(left)])
    second = covered[opposite(left)] & ~first
    return np.asarray(first + 2 * second, dtype=np.uint8)
