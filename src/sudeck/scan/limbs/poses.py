"""Where each limb lies in each phase, and how the affected limb lies over the healthy one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import ScanPhase, Side
from sudeck.scan.limbs.geometry import Grid, Points, Similarity
from sudeck.scan.limbs.joint_fit import JointFit, mean_above_zero
from sudeck.scan.limbs.limb_image import LimbImage, same_blur_px, smoothed
from sudeck.scan.limbs.limb_masks import USUAL_PIXEL_MM, Limbs, find_limbs
from sudeck.scan.limbs.matching import Match
from sudeck.scan.limbs.registration import Registration, register, register_mirrored
from sudeck.scan.phases.phase_series import PhaseSeries
from sudeck.scan.phases.spacing import PIXEL_UNITS

# Between phases a limb keeps its size; it may lie up to a few centimetres and degrees away.
_BETWEEN_PHASES_SD = (math.radians(8.0), 1e-4, 15.0, 15.0)
# The two limbs keep their relation of size, and mostly of pose, from one phase to the next.
_MIRROR_BETWEEN_PHASES_SD = (math.radians(6.0), 0.01, 8.0, 8.0)
_SILHOUETTE_LEVEL = 0.3
# Blur of a silhouette and smoothing for its match: so many pixels of the coarser image, at most so many mm.
_SILHOUETTE_PX = (1.5, 2.0)
_SILHOUETTE_MM = (4.0, 5.4)
_LIGHT_PX = 1.0
_MOST_DISPLACED_MM = 6.0  # farther than this it is no displacement of places


@dataclass(frozen=True)
class PhasePose:
    """One phase as an image with two limbs and the transforms that relate them.

    Attributes
    ----------
    phase : {"vascular", "tissue", "bone"}
    image : ndarray, shape [row, column]
        Counts summed over the frames of the phase.
    grid : Grid
    limbs : Limbs
    affected_label, healthy_label : int
        Which label of `limbs` is which.
    from_reference : Similarity
        From the affected limb on the reference image to the same limb on this image, in mm.
    healthy_from_reference : Similarity
        The same for the healthy limb.
    mirror : Registration
        From the affected limb to the healthy limb on this image, posture left out.
    view : str
    joint : JointFit or None
        Of all phases, where both limbs were laid over each other with their postures.
    """

    phase: ScanPhase
    image: NDArray[np.float64]
    grid: Grid
    limbs: Limbs
    affected_label: int
    from_reference: Similarity
    healthy_from_reference: Similarity
    mirror: Registration
    view: str
    joint: JointFit | None = None

    def counterpart(self, points: Points) -> Points:
        """Return where places of the affected limb on the reference lie on this phase's healthy limb."""
        if self.joint is not None:
            return self.joint.counterpart(self.phase, points)
        return self.mirror.transform(self.from_reference(points))

    def stretch(self, points: Points) -> NDArray[np.float64]:
        """Return how much of a region places stand for: the mean of both limbs' areas there, 1 on average.

        The square root of how much the difference of posture stretches them, so that neither limb is the
        measure of the other.
        """
        if self.joint is None:
            return np.ones(points.shape[0])
        root = np.sqrt(self.joint.stretch(points))
        return np.asarray(root / root.mean())

    @property
    def to_healthy(self) -> Similarity:
        """From the affected limb on the reference image to this phase's healthy limb, posture left out."""
        return self.from_reference.then(self.mirror.transform)

    @property
    def healthy_label(self) -> int:
        """Label of the healthy limb."""
        return 3 - self.affected_label

    @cached_property
    def smooth_limbs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Affected and healthy limb alone, smoothed as little as hides the noise of single pixels."""
        first, second = (smoothed(limb.counts, _LIGHT_PX) for limb in (self.affected(), self.healthy()))
        return first, second

    @cached_property
    def healthy_slopes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Slopes of the smoothed healthy limb along x and y, per mm."""
        down, across = (
            np.gradient(self.smooth_limbs[1], step, axis=axis)
            for axis, step in enumerate(self.grid.spacing_mm)
        )
        return across, down

    def affected(self) -> LimbImage:
        """Return the affected limb alone."""
        return LimbImage.alone(self.image, self.grid, self.limbs, self.affected_label)

    def healthy(self) -> LimbImage:
        """Return the healthy limb alone."""
        return LimbImage.alone(self.image, self.grid, self.limbs, self.healthy_label)


@dataclass(frozen=True)
class Poses:
    """All phases that could be posed, the reference phase, and why others could not."""

    reference: ScanPhase
    phases: Mapping[ScanPhase, PhasePose]
    refused: Mapping[ScanPhase, str]

    @property
    def joint(self) -> JointFit | None:
        """The joint fit of all phases, where there is one."""
        return self.phases[self.reference].joint

    @property
    def displacement_mm(self) -> float:
        """How far places of one limb lie beside their counterparts, along one direction, root mean square.

        What is left of the difference between the limbs beyond noise, read as displacement, of all phases
        together, each by how much it tells. Patterns that truly differ count, too.
        """
        if self.joint is not None:
            return min(self.joint.place_sd_mm, _MOST_DISPLACED_MM)
        mirrors = [pose.mirror for pose in self.phases.values()]
        slope = sum(max(mirror.slope, 0.0) for mirror in mirrors)
        misfit = sum(mirror.misfit for mirror in mirrors) / 2.0
        known = math.hypot(*(mirror.misfit_sd for mirror in mirrors)) / 2.0
        return math.sqrt(min(mean_above_zero(misfit, known) / max(slope, 1e-12), _MOST_DISPLACED_MM**2))


def pose_phases(phases: Mapping[ScanPhase, PhaseSeries], *, affected: Side) -> Poses:
    """Find the limbs of every phase and relate them.

    Every phase must have a pixel size (`sudeck.scan.phases.spacing`). The phase with the most counts is the
    reference. In the others the affected limb is registered to it by its silhouette, since bone and blood
    light up different places; the mirror registration is found anew within each phase, where both limbs
    show the same tissue, starting from that of the reference.

    Raises
    ------
    InputError
        If no phase shows two limbs.
    """
    images = {name: series.counts.sum(axis=0) for name, series in phases.items()}
    order = sorted(images, key=lambda name: -float(images[name].sum()))
    refused: dict[ScanPhase, str] = {}
    posed: dict[ScanPhase, PhasePose] = {}
    reference: PhasePose | None = None
    for name in order:
        series = phases[name]
        if series.spacing_mm is None:
            raise ValueError(f"{name} phase has no pixel size")
        grid = Grid(images[name].shape, series.spacing_mm)
        label = 1 if series.image_left == affected else 2
        try:
            pixel_mm = USUAL_PIXEL_MM if series.spacing_mm == PIXEL_UNITS else grid.pixel_mm
            limbs = find_limbs(images[name], subject=f"{name} phase", pixel_mm=pixel_mm)
            if reference is None:
                posed[name] = reference = _reference_pose(name, images[name], grid, limbs, label, series.view)
            else:
                posed[name] = _pose_like(reference, name, images[name], grid, limbs, label, series.view)
        except InputError as error:
            refused[name] = str(error)
    if reference is None:
        subject, problem = ("; ".join(refused.values()) or "scan: no phase can be measured").split(": ", 1)
        problem, _, remedy = problem.rstrip(".").partition("; ")
        raise InputError(subject, problem, remedy or "give the files of a three-phase bone scan")
    return Poses(reference.phase, posed, refused)


def _reference_pose(
    name: ScanPhase, image: NDArray[np.float64], grid: Grid, limbs: Limbs, label: int, view: str
) -> PhasePose:
    first, second = (LimbImage.alone(image, grid, limbs, number) for number in (label, 3 - label))
    mirror = register_mirrored(first, second)
    at_rest = Similarity.identity()
    return PhasePose(name, image, grid, limbs, label, at_rest, at_rest, mirror, view)


def _pose_like(
    reference: PhasePose,
    name: ScanPhase,
    image: NDArray[np.float64],
    grid: Grid,
    limbs: Limbs,
    label: int,
    view: str,
) -> PhasePose:
    first, second = (LimbImage.alone(image, grid, limbs, number) for number in (label, 3 - label))
    other_side = label != reference.affected_label
    affected = _carry(reference.affected(), first, other_side=other_side)
    healthy = _carry(reference.healthy(), second, other_side=other_side)
    # To this phase's affected limb, from there to the reference, across to the healthy limb, and back.
    start = affected.inverse().then(reference.mirror.transform).then(healthy)
    if reference.mirror.equal_size:
        mirror = replace(reference.mirror, transform=start, centre_mm=affected(reference.mirror.centre_mm))
    else:
        rotation, size, shift_x, shift_y = _MIRROR_BETWEEN_PHASES_SD
        size = math.hypot(size, float(np.sqrt(reference.mirror.covariance[1, 1])))
        mirror = register(first, second, start, prior_sd=(rotation, size, shift_x, shift_y), coarse=False)
    return PhasePose(name, image, grid, limbs, label, affected, healthy, mirror, view)


def _carry(limb: LimbImage, target: LimbImage, *, other_side: bool) -> Similarity:
    """Register one limb between two phases by its silhouette; less than a pixel of the finer is no movement.

    A limb keeps its size: on images of one camera only its place differs, and the silhouettes of bone and
    blood are not equally large. Where left and right have changed places on the image, the limb is either
    seen from the other side, mirrored, or turned round; the better of both is taken.
    """
    coarser = max(limb.grid.pixel_mm, target.grid.pixel_mm)
    blur_mm, smoothing_mm = (
        min(pixels * coarser, most) for pixels, most in zip(_SILHOUETTE_PX, _SILHOUETTE_MM, strict=True)
    )
    first, second = (_silhouette(one, limb.grid, blur_mm) for one in (limb, target))
    centres = (limb.centre_mm, target.centre_mm)
    starts = [Similarity.about(*centres)]
    if other_side:
        starts = [
            Similarity.about(*centres, mirrored=True),
            Similarity.about(*centres, rotation_deg=180.0),
        ]
    matches = [
        Match.prepare(
            first, second, smoothing_mm / limb.grid.pixel_mm, prior=start, prior_sd=_BETWEEN_PHASES_SD, thin=4
        )
        for start in starts
    ]
    candidates = [match.solve(start) for match, start in zip(matches, starts, strict=True)]
    found = candidates[0] if len(candidates) == 1 else min(candidates, key=matches[0].cost)
    corners = limb.grid.centres()[limb.mask]
    movement = float(np.linalg.norm(found(corners) - corners, axis=1).mean())
    return Similarity.identity() if movement < min(limb.grid.pixel_mm, target.grid.pixel_mm) else found


def _silhouette(limb: LimbImage, like: Grid, blur_mm: float) -> LimbImage:
    """Compress the counts so that the outline speaks and the bones inside are hushed."""
    smooth = smoothed(limb.counts, same_blur_px(blur_mm / like.pixel_mm, like, limb.grid))
    level = float(np.median(smooth[limb.mask]))
    return replace(limb, counts=level * smooth / (smooth + _SILHOUETTE_LEVEL * max(level, 1e-9)))
