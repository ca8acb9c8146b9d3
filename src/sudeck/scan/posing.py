"""Both limbs of a scan found and laid over each other in every phase: what does not depend on the region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import Limb, ScanPhase, Side
from sudeck.scan import frame_quality, quality
from sudeck.scan.crossed_fingers import crossed_flags, finger_widths
from sudeck.scan.joint_pose import with_posture
from sudeck.scan.limbs.axis import LimbAxis, find_axis
from sudeck.scan.limbs.geometry import Grid, Points
from sudeck.scan.limbs.mirrored import limb_pairs, mirror_evidence
from sudeck.scan.limbs.poses import PhasePose, Poses, pose_phases
from sudeck.scan.phases.phase_series import BoneScan, PhaseSeries
from sudeck.scan.phases.spacing import PIXEL_UNITS, settle_spacing
from sudeck.scan.ratios.camera_response import CameraImages, CameraResponse
from sudeck.scan.ratios.counterparts import leave_out, one_sided
from sudeck.scan.ratios.hot_spots import HotSpots, find_hot_spots, find_warm_places, without_spots
from sudeck.scan.ratios.regions import Region, whole_limb
from sudeck.scan.ratios.set_mirror import lay_over, set_mirror
from sudeck.scan.region_checks import off_the_other_limb, overlapping_reference
from sudeck.scan.side_quality import Contradictions, contradictions

# Less than that share of what one limb lacks is lacking on the other, too: then a part is missing, not moved.
_LACKING_TOO = 0.2
# Limbs of unlike shape that touch along that much of the line between them overlap: one of them is found too
# large and the other too small. Real feet that touch at the heels do so along 0.12 to 0.18 of it.
_OVERLAPPING = 0.22


@dataclass(frozen=True)
class PosedScan:
    """A scan ready to be measured, in one region after another.

    Attributes
    ----------
    scan : BoneScan
    affected : {"left", "right"}
    poses : Poses
    axes : Mapping of str to LimbAxis or None
        Of the affected and the healthy limb on the reference image; None where it has none.
    in_pixels : bool
        Whether no file states a pixel size, so that lengths are in pixels.
    refused : Mapping[ScanPhase, str]
        Phases that could not be posed, and why.
    flags : tuple of Flag
        Findings about the pose, whatever the region.
    spots : Mapping of phase to HotSpots
        What is far hotter than the limbs, where there is any; the limbs were found without it.
    warm : Mapping of phase to HotSpots
        Places that may be a little of the injection, in phases without such spots.
    sides_hold : Mapping of phase to float
        Log odds that the sides of a phase are as stated, by the shapes of the limbs; negative where it looks
        mirrored.
    unlike : bool
        Whether one limb lacks a part that the other has.
    seen_by_camera : dict
        Filled as regions are measured, because it does not depend on them.
    other_delayed : dict
        The scan posed with a delayed image of another time as its bone phase, by that time in s;
        filled likewise.
    """

    scan: BoneScan
    affected: Side
    poses: Poses
    axes: Mapping[str, LimbAxis | None]
    in_pixels: bool
    refused: Mapping[ScanPhase, str]
    flags: tuple[Flag, ...]
    spots: Mapping[ScanPhase, HotSpots] = field(default_factory=dict)
    warm: Mapping[ScanPhase, HotSpots] = field(default_factory=dict)
    sides_hold: Mapping[ScanPhase, float] = field(default_factory=dict)
    unlike: bool = False
    seen_by_camera: dict[tuple[ScanPhase, CameraResponse], CameraImages] = field(
        default_factory=dict, repr=False, compare=False
    )
    other_delayed: dict[float, PosedScan] = field(default_factory=dict, repr=False, compare=False)

    @property
    def whole(self) -> Region:
        """The whole affected limb, as far as it has a counterpart in every phase."""
        return self._whole[0]

    @property
    def whole_flags(self) -> list[Flag]:
        """What the whole limb leaves out, and how large it is against the other."""
        return self._whole[1]

    @cached_property
    def _whole(self) -> tuple[Region, list[Flag]]:
        reference = self.poses.phases[self.poses.reference]
        seen, cropped = off_the_other_limb(_both_limbs(self.poses), self.poses)
        if reference.mirror.equal_size:  # laid over each other by outlines: places say little
            return seen, [*cropped]
        lacking = one_sided(seen, self.poses)
        whole = leave_out(seen, lacking.any, reference.grid)
        return whole, [
            *cropped,
            *lacking.flags(seen),
            *quality.size_flags(reference, whole, self.scan.limb),
        ]


def pose_scan(scan: BoneScan, *, affected: Side) -> PosedScan:
    """Find both limbs of every phase and lay them over each other.

    Parameters
    ----------
    scan : BoneScan
        From `sudeck.scan.read_scan`.
    affected : {"left", "right"}
        Side of the body with CRPS.

    Raises
    ------
    InputError
        If no phase shows two limbs, or they are too unlike for homologous regions.
    """
    spacing = settle_spacing(scan.phases)
    spots = _spots(spacing.phases)
    withheld, withheld_flags = dict[ScanPhase, str](), list[Flag]()
    shown = dict(spacing.phases)
    while True:
        poses = _pose(shown, spots, affected)
        pairs = limb_pairs(poses)
        sides_hold = mirror_evidence(pairs)
        found = contradictions(pairs, sides_hold)
        if not found.refused and len(poses.phases) > 1:
            found = Contradictions(overlapping_reference(_both_limbs(poses), poses), found.flags)
        withheld |= found.refused
        withheld_flags += found.flags
        # What contradicts the others would pull their pose with it: they are posed again without it.
        shown = {name: series for name, series in shown.items() if name not in withheld}
        if not found.refused:
            break
        if not shown:
            reasons = " ".join(reason.removeprefix("scan: ") for reason in dict.fromkeys(withheld.values()))
            raise InputError("scan", reasons.rstrip("."), "settle that for one phase at least")
    reference = poses.phases[poses.reference]
    if reference.mirror.residual > quality.REFUSE_RESIDUAL:
        raise InputError(
            f"{poses.reference} phase",
            f"the two limbs differ in shape by {100 * reference.mirror.residual:.0f} % of their level, "
            "too much for homologous regions",
            "check that both limbs lie alike and that nothing else is in the field",
        )
    if reference.mirror.equal_size and reference.limbs.bridge > _OVERLAPPING:
        raise InputError(
            f"{poses.reference} phase",
            f"the limbs touch along {100 * reference.limbs.bridge:.0f} % of the line between them and differ "
            f"in shape by {100 * reference.mirror.residual:.0f} % of their level: they overlap",
            "give images of both limbs apart",
        )
    axes = _axes(reference)
    unlike, crossed = False, tuple[Flag, ...]()
    if not spacing.in_pixels:
        poses, unlike = _with_posture(poses, axes, scan.limb)
        reference = poses.phases[poses.reference]
        if scan.limb == "hand" and axes["affected"] is not None:
            crossed = crossed_flags(finger_widths(poses, axes["affected"], _both_limbs(poses)), poses)
    flags = (
        *spacing.flags,
        *quality.pixel_size_flags(poses, in_pixels=spacing.in_pixels),
        *withheld_flags,
        *quality.limb_flags(reference, axes),
        *quality.registration_flags(poses),
        *crossed,
        *quality.count_flags(poses),
        *(flag for name, pose in poses.phases.items() for flag in _series_flags(spacing.phases[name], pose)),
    )
    return PosedScan(
        scan,
        affected,
        poses,
        axes,
        spacing.in_pixels,
        {**spacing.refused, **poses.refused, **withheld},
        flags,
        spots,
        _warm_places(poses, spots),
        sides_hold=sides_hold,
        unlike=unlike,
    )


def _pose(
    phases: Mapping[ScanPhase, PhaseSeries], spots: Mapping[ScanPhase, HotSpots], affected: Side
) -> Poses:
    """Pose phases without their spots, and give each its own image back."""
    filled = {name: _filled(series, spots.get(name)) for name, series in phases.items()}
    poses = pose_phases(filled, affected=affected)
    seen = {
        name: replace(pose, image=phases[name].counts.sum(axis=0)) if name in spots else pose
        for name, pose in poses.phases.items()
    }
    return replace(poses, phases=seen)


def _with_posture(poses: Poses, axes: Mapping[str, LimbAxis | None], limb: Limb | None) -> tuple[Poses, bool]:
    """Return poses with their postures, and whether one limb lacks a part of the other."""
    lacking = _part_one_lacks(poses)
    posed = with_posture(poses, axes, limb, lacking=lacking)
    if not lacking.size or _part_one_lacks(posed).size:
        return posed, bool(lacking.size)
    # All of it has a counterpart now: a digit was spread, none is missing, and all are compared.
    return with_posture(poses, axes, limb, lacking=lacking[:0]), False


def _part_one_lacks(poses: Poses) -> Points:
    """Return the places of the part that one limb has and the other lacks; none where both lack as much."""
    both = _both_limbs(poses)
    reference = poses.phases[poses.reference]
    if reference.mirror.equal_size:
        return both.points[:0]
    lacking = one_sided(both, poses)
    less, more = sorted((float(lacking.affected.sum()), float(lacking.healthy.sum())))
    return both.points[lacking.any] if less < _LACKING_TOO * more else both.points[:0]


def _both_limbs(poses: Poses) -> Region:
    """Return the whole limb as far as both limbs show it in every phase."""
    reference = poses.phases[poses.reference]
    region = whole_limb(
        reference.limbs.mask(reference.affected_label),
        reference.limbs.mask(reference.healthy_label),
        reference.grid,
        reference.counterpart,
    )
    return _seen_in_every_phase(region, poses)


def _warm_places(poses: Poses, spots: Mapping[ScanPhase, HotSpots]) -> dict[ScanPhase, HotSpots]:
    found = {name: find_warm_places(pose) for name, pose in poses.phases.items() if name not in spots}
    return {name: warm for name, warm in found.items() if warm is not None}


def _spots(phases: Mapping[ScanPhase, PhaseSeries]) -> dict[ScanPhase, HotSpots]:
    found = {}
    for name, series in phases.items():
        image = series.counts.sum(axis=0)
        spots = find_hot_spots(image, Grid(image.shape, series.spacing_mm or PIXEL_UNITS), name)
        if spots is not None:
            found[name] = spots
    return found


def _filled(series: PhaseSeries, spots: HotSpots | None) -> PhaseSeries:
    """Return a phase as one image without its spots, to find limbs on; itself where it has none."""
    if spots is None:
        return series
    image = series.counts.sum(axis=0)
    grid = Grid(image.shape, series.spacing_mm or PIXEL_UNITS)
    return replace(series, counts=without_spots(image, spots, grid)[None])


def with_mirror(posed: PosedScan, mirror: Mapping[str, Any]) -> PosedScan:
    """Return a posed scan with the counterpart that a person set instead of the one that was found.

    Parameters
    ----------
    posed : PosedScan
    mirror : mapping
        As `sudeck.scan.ratios.set_mirror.set_mirror` takes it.

    Raises
    ------
    InputError
        If it can not be a counterpart.
    """
    if posed.in_pixels and mirror.get("unit") == "mm":
        raise InputError(
            "mirror", "it is in mm, but no file states a pixel size", 'set it in pixels: "unit": "px"'
        )
    poses = lay_over(posed.poses, set_mirror(mirror, posed.poses.phases[posed.poses.reference].grid))
    kept = [flag for flag in posed.flags if flag.code != "registration-residual"]
    flags = (*kept, *quality.registration_flags(poses), *quality.counterpart_flags(poses))
    return replace(posed, poses=poses, flags=flags)


def _seen_in_every_phase(region: Region, poses: Poses) -> Region:
    """Crop a found region to what both limbs show in every phase.

    What lies outside a phase's field would count as area without counts, and the phases of one study
    would be measured over different areas.
    """
    seen = np.ones(region.points.shape[0], dtype=bool)
    for pose in poses.phases.values():
        points = pose.from_reference(region.points)
        for place in (points, pose.counterpart(region.points)):
            # Half a pixel beyond the outermost centres is the edge of the field.
            seen &= pose.grid.contains(place, margin_px=-0.5)
    return region if seen.all() else region.part(seen)


def _series_flags(series: PhaseSeries, pose: PhasePose) -> list[Flag]:
    return [
        *frame_quality.frame_flags(series),
        *frame_quality.drift_flags(series, pose.limbs, pose.grid.spacing_mm),
    ]


def _axes(reference: PhasePose) -> dict[str, LimbAxis | None]:
    axes: dict[str, LimbAxis | None] = {}
    for side, label in (("affected", reference.affected_label), ("healthy", reference.healthy_label)):
        try:
            axes[side] = find_axis(reference.limbs.mask(label), reference.grid)
        except InputError:
            axes[side] = None
    return axes
