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
from sudeck.scan.limbs.geometry import Grid, Similarity
from sudeck.scan.limbs.limb_image import LimbImage, smoothed
from sudeck.scan.limbs.limb_masks import Limbs, find_limbs
from sudeck.scan.limbs.matching import Match
from sudeck.scan.limbs.registration import Registration, register, register_mirrored
from sudeck.scan.phases.phase_series import PhaseSeries

# Between phases a limb keeps its size; it may lie up to a few centimetres and degrees away.
_BETWEEN_PHASES_SD = (math.radians(8.0), 0.005, 15.0, 15.0)
# The two limbs keep their relation of size, and mostly of pose, from one phase to the next.
_MIRROR_BETWEEN_PHASES_SD = (math.radians(6.0), 0.01, 8.0, 8.0)
_SILHOUETTE_LEVEL = 0.3
_SILHOUETTE_SMOOTHING_PX = 2.0
_LIGHT_PX = 1.0
SPOT_PX = 1.2


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
        From the affected limb to the healthy limb on this image.
    view : str
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
    def spots(self) -> NDArray[np.float64]:
        """Whole image, smoothed so that a hot spot stands out of the noise."""
        return smoothed(self.image, SPOT_PX)

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
            limbs = find_limbs(images[name], subject=f"{name} phase")
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
    affected = _carry(reference.affected(), first)
    healthy = _carry(reference.healthy(), second)
    # To this phase's affected limb, from there to the reference, across to the healthy limb, and back.
    start = affected.inverse().then(reference.mirror.transform).then(healthy)
    if reference.mirror.equal_size:
        mirror = replace(reference.mirror, transform=start, centre_mm=affected(reference.mirror.centre_mm))
    else:
        rotation, size, shift_x, shift_y = _MIRROR_BETWEEN_PHASES_SD
        size = math.hypot(size, float(np.sqrt(reference.mirror.covariance[1, 1])))
        mirror = register(first, second, start, prior_sd=(rotation, size, shift_x, shift_y), coarse=False)
    return PhasePose(name, image, grid, limbs, label, affected, healthy, mirror, view)


def _carry(limb: LimbImage, target: LimbImage) -> Similarity:
    """Register one limb between two phases by its silhouette; less than a pixel counts as no movement."""
    start = Similarity.about(limb.centre_mm, target.centre_mm)
    match = Match.prepare(
        _silhouette(limb),
        _silhouette(target),
        _SILHOUETTE_SMOOTHING_PX,
        prior=start,
        prior_sd=_BETWEEN_PHASES_SD,
        thin=4,
    )
    found = match.solve(start)
    corners = limb.grid.centres()[limb.mask]
    movement = float(np.linalg.norm(found(corners) - corners, axis=1).mean())
    return Similarity.identity() if movement < limb.grid.pixel_mm else found


def _silhouette(limb: LimbImage) -> LimbImage:
    """Compress the counts so that the outline speaks and the bones inside are hushed."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(limb.counts, 1.5, truncate=3.0)
    level = float(np.median(smooth[limb.mask]))
    return replace(limb, counts=level * smooth / (smooth + _SILHOUETTE_LEVEL * max(level, 1e-9)))
