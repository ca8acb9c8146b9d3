"""Both limbs laid over each other with their postures, in all phases at once, where that can be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import Limb
from sudeck.scan.limbs.axis import LimbAxis
from sudeck.scan.limbs.digit_turns import Sector
from sudeck.scan.limbs.geometry import Grid, Points
from sudeck.scan.limbs.joint_fit import MARGIN_MM, JointFit, fit_jointly
from sudeck.scan.limbs.joint_looks import PhaseLimbs
from sudeck.scan.limbs.joint_system import COARSE_MM
from sudeck.scan.limbs.poses import PhasePose, Poses
from sudeck.scan.limbs.posture_modes import DisplacementGrid, LimbFrame, posture_modes
from sudeck.scan.limbs.registration import COARSE_PX, UNLIKE_RESIDUAL, USUAL_PX, fine_smoothing_px
from sudeck.scan.ratios.counterparts import BESIDE_MM
from sudeck.scan.ratios.joint_regions import THUMB, hand_frame

# Hands, as shares of the length from the wrist to the fingertips: which distances show the fingers apart.
# Feet: where their postures turn, and the knuckles.
_FINGERS = 0.62
_FINGERS_RAD = math.radians(30.0)
_THUMB_RAD = (math.radians(17.0), math.radians(77.0))
_TIP_MM = 4.0
_FOOT_CENTRE_MM = 130.0
_FOOT_KNUCKLES_MM = 45.0
_ON_LIMB_MM = 3.0
_WORSE = 1.05  # times the misfit without posture: so much worse a joint fit is not trusted


def with_posture(
    poses: Poses, axes: Mapping[str, LimbAxis | None], limb: Limb | None, *, lacking: Points
) -> Poses:
    """Return poses whose counterparts follow the posture of both limbs.

    Parameters
    ----------
    poses : Poses
        By similarity.
    axes : mapping of str to LimbAxis or None
        Of the ``"affected"`` and the ``"healthy"`` limb on the reference image.
    limb : {"hand", "foot"} or None
    lacking : ndarray, shape [n, 2]
        Places, on the reference image of the affected limb, of a part that one limb lacks. Its digits are not
        looked for on the next ones, and it is not compared: a finger that is there would be laid on a
        neighbour of the one that is not.

    Returns
    -------
    Poses
        The same where the fit makes nothing better, or leaves limbs unlike that were laid over each other by
        their outlines.
    """
    reference = poses.phases[poses.reference]
    axis = axes["affected"]
    if axis is None:
        return poses
    mask = reference.limbs.mask(reference.affected_label)
    frame, sectors = _frame(mask, reference.grid, axis, axes["healthy"], limb)
    outline = reference.grid.centres()[mask]
    grid = DisplacementGrid.over(outline, MARGIN_MM)
    away = _distance(mask, reference.grid, grid.nodes)
    other = reference.limbs.mask(reference.healthy_label)
    others = DisplacementGrid.over(reference.grid.centres()[other], MARGIN_MM).nodes
    order = [poses.reference, *(name for name in poses.phases if name != poses.reference)]
    modes, girth = posture_modes(frame, grid.nodes, away <= _ON_LIMB_MM)
    distance, angle = frame.polar(grid.nodes)
    seen_on_other = reference.counterpart(lacking)
    fit = fit_jointly(
        {name: _limbs(poses.phases[name]) for name in order},
        reference.mirror.transform,
        grid,
        modes,
        (away < MARGIN_MM) & reference.grid.contains(grid.nodes) & _apart(grid.nodes, lacking),
        others[
            (_distance(other, reference.grid, others) < MARGIN_MM)
            & reference.grid.contains(others)
            & _apart(others, seen_on_other)
        ],
        frame,
        [] if lacking.size else sectors,
        girth,
        (away <= 0.0) & (distance * np.cos(angle) < frame.knuckles_mm),
    )
    if not _better(fit, poses):
        return poses
    return replace(poses, phases={name: _posed(pose, fit) for name, pose in poses.phases.items()})


def _limbs(pose: PhasePose) -> PhaseLimbs:
    affected, healthy = pose.affected(), pose.healthy()
    coarse = pose.grid.pixel_mm > COARSE_MM  # 1.3 of such pixels hide the gaps between fingers
    return PhaseLimbs(
        affected,
        healthy,
        pose.from_reference,
        pose.healthy_from_reference,
        fine_smoothing_px(affected, healthy, least=COARSE_PX if coarse else USUAL_PX),
    )


def _frame(
    mask: NDArray[np.bool_], grid: Grid, axis: LimbAxis, other: LimbAxis | None, limb: Limb | None
) -> tuple[LimbFrame, list[Sector]]:
    """Return the polar coordinates of a limb and the sectors in which its digits lie."""
    distal = -axis.towards_body
    if limb == "foot":
        centre = axis.tip_mm + _FOOT_CENTRE_MM * axis.towards_body
        return LimbFrame(centre, distal, _FOOT_CENTRE_MM - _FOOT_KNUCKLES_MM, 0.0, 0), []
    frame, length = hand_frame(mask, grid, axis)
    distance, _ = frame.polar(grid.centres()[mask])
    low, high = sorted(frame.thumb * edge for edge in _THUMB_RAD)
    tip = float(np.percentile(distance, 99.8)) - _TIP_MM
    return frame, [
        Sector((_FINGERS * length, max(tip, 0.8 * length)), (-_FINGERS_RAD, _FINGERS_RAD)),
        Sector((THUMB[0] * length, THUMB[1] * length), (low, high)),
    ]


def _distance(mask: NDArray[np.bool_], grid: Grid, points: Points) -> NDArray[np.float64]:
    """Return how far points lie outside a mask, in mm."""
    from scipy import ndimage

    away = ndimage.distance_transform_edt(~mask, sampling=grid.spacing_mm)
    return np.asarray(ndimage.map_coordinates(away, grid.pixel_of(points), order=1, mode="nearest"))


def _apart(points: Points, lacking: Points) -> NDArray[np.bool_]:
    """Tell which points lie away from a part that one limb lacks, and from its light."""
    from scipy.spatial import cKDTree

    if not lacking.size:
        return np.ones(points.shape[0], dtype=bool)
    return np.asarray(cKDTree(lacking).query(points)[0] > BESIDE_MM)


def _better(fit: JointFit, poses: Poses) -> bool:
    """Tell whether the limbs agree no worse with their postures than without."""
    if not np.isfinite(fit.values).all():
        return False
    if poses.phases[poses.reference].mirror.equal_size:
        return max(fit.residual.values()) <= UNLIKE_RESIDUAL
    before = math.fsum(pose.mirror.residual**2 for pose in poses.phases.values())
    after = math.fsum(fit.residual[name] ** 2 for name in poses.phases)
    return after <= _WORSE * before + 1e-4 * len(poses.phases)


def _posed(pose: PhasePose, fit: JointFit) -> PhasePose:
    return replace(
        pose,
        joint=fit,
        mirror=replace(
            pose.mirror,
            transform=pose.from_reference.inverse().then(fit.mirrors[pose.phase]),
            centre_mm=pose.from_reference(fit.centre_mm),
            covariance=fit.mirror_covariance(pose.phase),
            dispersion=fit.dispersion[pose.phase],
            residual=fit.residual[pose.phase],
            gain=fit.gain[pose.phase],
            equal_size=False,
        ),
    )
