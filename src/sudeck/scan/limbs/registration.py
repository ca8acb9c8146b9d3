"""Lay one limb over the other, mirrored, or over itself in another phase: transform, error, residual.

Both images are smoothed and variance-stabilised (2 √counts), so that noise has the same size everywhere,
and matched in both directions by Gauss-Newton steps over rotation, size and shift
(`sudeck.scan.limbs.matching`).
A smooth gain along the limb is fitted with the pose: an affected limb is brighter than the healthy one,
more so in some places than in others, and that must not pull the pose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.scan.limbs.axis import find_axis
from sudeck.scan.limbs.geometry import Points, Similarity
from sudeck.scan.limbs.image_comparison import Bilinear
from sudeck.scan.limbs.limb_image import LimbImage
from sudeck.scan.limbs.matching import PARAMETERS, Match, moved

# Spread of pose around the first guess before the images are seen, in `PARAMETERS`: rotation of 15 degrees,
# 5 % of size, 15 mm of shift.
POSE_PRIOR_SD = (math.radians(15.0), 0.05, 15.0, 15.0)
# When the limbs differ in shape, their sizes cannot be told apart and are taken to be equal to this spread.
EQUAL_SIZE_SD = 0.01
# Over which outlines of limbs of another shape lie beside each other alike: about the width of a limb's end.
_OUTLINE_REACH_MM = 25.0
_RIGID = [0, 2, 3]  # of `PARAMETERS`, all but size
_COARSE_PX = 2.5
USUAL_PX, COARSE_PX = 1.3, 0.85  # least smoothing, and where coarse pixels are drawn finer afterwards
# Root mean square difference of shape, as a share of the limb's level, above which limbs count as unlike.
UNLIKE_RESIDUAL = 0.07


@dataclass(frozen=True)
class Registration:
    """Result of laying one limb over another.

    Attributes
    ----------
    transform : Similarity
        From points of the first limb to the homologous points of the second, in mm.
    centre_mm : ndarray of shape (2,)
        The point of the first limb about which rotation and size are counted.
    covariance : ndarray of shape (4, 4)
        Of `PARAMETERS`: rotation and log size about the image of `centre_mm`, then shift.
    dispersion : float
        Residual variance over the variance Poisson noise would leave: 1 for limbs alike but for noise.
    inflation : float
        How many times the misfit of the two limbs widens the variance that noise alone would give.
    residual : float
        Root mean square difference of the two limbs after registration, beyond noise, as a share of the
        limb's level.
    gain : float
        Mean brightness of the first limb over the second, as registration saw it.
    overlap : float
        Share of the first limb whose counterpart lies inside the field of view.
    misfit, slope : float
        Variance of the difference of the limbs beyond noise, and mean squared slope along one direction per
        mm², both over the variance of the noise: their ratio is a mean squared displacement.
    misfit_sd : float
        How well the misfit is known.
    equal_size : bool
        Whether the limbs were too unlike for their sizes to be told apart, and were taken as equal.
    set_sd : tuple of 4 floats or None
        Where a person set the transform: the error they stated, one for all phases, held in `covariance`.
    """

    transform: Similarity
    centre_mm: NDArray[np.float64]
    covariance: NDArray[np.float64]
    dispersion: float
    inflation: float
    residual: float
    gain: float
    overlap: float
    misfit: float = 0.0
    misfit_sd: float = 0.0
    slope: float = 1.0
    equal_size: bool = False
    set_sd: tuple[float, ...] | None = None

    def perturbed(self, step: NDArray[np.float64]) -> Similarity:
        """Return the transform with its four parameters moved by `step`."""
        return moved(self.transform, self.centre_mm, step)

    def standard_errors(self) -> dict[str, float]:
        """Return the standard error of each parameter."""
        return dict(zip(PARAMETERS, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "transform": self.transform.to_dict(),
            "standard_errors": self.standard_errors(),
            "dispersion": self.dispersion,
            "inflation": self.inflation,
            "residual": self.residual,
            "overlap": self.overlap,
            "equal_size": self.equal_size,
            "set_by_person": self.set_sd is not None,
        }


def register(
    first: LimbImage,
    second: LimbImage,
    start: Similarity,
    *,
    prior_sd: Sequence[float] = POSE_PRIOR_SD,
    coarse: bool = True,
) -> Registration:
    """Find the similarity that lays the first limb over the second.

    Parameters
    ----------
    first, second : LimbImage
        For homologous regions: affected and healthy limb of one phase, with a mirrored `start`.
    start : Similarity
        First guess, and centre of the prior; decides whether the result is mirrored.
    prior_sd : sequence of 4 floats
        Spread of `PARAMETERS` around `start` before the images are seen.
    coarse : bool
        Whether to begin with strongly smoothed images, for a start that may be far off.

    Returns
    -------
    Registration

    Notes
    -----
    The covariance is the sandwich of the Gauss-Newton fit. Its filling is the larger of what Poisson
    noise leaves after smoothing and what the residuals show, correlated over a few pixels: limbs that
    are not alike leave the pose uncertain, and the prior then counts for more.
    """
    transform = start
    if coarse:
        transform = Match.prepare(first, second, _COARSE_PX, prior=start, prior_sd=prior_sd).solve(start)
    match = Match.prepare(
        first, second, fine_smoothing_px(first, second), prior=start, prior_sd=prior_sd, size=transform.scale
    )
    transform = match.solve(transform, heed_misfit=True)
    return _reported(match, transform)


def judge(first: LimbImage, second: LimbImage, transform: Similarity) -> Registration:
    """Return how well a given transform lays the first limb over the second."""
    smoothing = fine_smoothing_px(first, second)
    match = Match.prepare(
        first, second, smoothing, prior=transform, prior_sd=POSE_PRIOR_SD, size=transform.scale
    )
    return _reported(match, transform)


def _reported(match: Match, transform: Similarity) -> Registration:
    fit = match.report(transform)
    return Registration(
        transform=transform,
        centre_mm=match.centre,
        covariance=fit.covariance,
        dispersion=fit.dispersion,
        inflation=fit.inflation,
        residual=fit.residual,
        gain=fit.gain,
        overlap=fit.overlap,
        misfit=fit.misfit,
        misfit_sd=fit.misfit_sd,
        slope=fit.slope,
    )


def fine_smoothing_px(first: LimbImage, second: LimbImage, *, least: float = USUAL_PX) -> float:
    """Return the smoothing of the last level: the camera's own blur, and more where counts are few."""
    level = min(float(limb.counts[limb.mask].mean()) for limb in (first, second))
    return float(np.clip(1.2 * (10.0 / max(level, 1e-6)) ** 0.25, least, 3.0))


def register_mirrored(affected: LimbImage, healthy: LimbImage) -> Registration:
    """Lay the affected limb over the mirrored healthy one, from several first guesses of rotation.

    Limbs that turn out unlike in shape, because one is turned out, say, are laid over each other by their
    outlines instead, tip on tip and axis on axis, as limbs of equal size: another aspect changes the
    outline of a limb but not its size, and the pattern of one aspect says little about the other.
    """
    centres = (affected.centre_mm, healthy.centre_mm)
    starts = [Similarity.about(*centres, rotation_deg=turn, mirrored=True) for turn in (-20.0, 0.0, 20.0)]
    found = register(affected, healthy, best_start(affected, healthy, starts))
    if found.residual <= UNLIKE_RESIDUAL:
        return found
    return _register_outlines(affected, healthy, found)


def _register_outlines(affected: LimbImage, healthy: LimbImage, found: Registration) -> Registration:
    axes = [find_axis(limb.mask, limb.grid) for limb in (affected, healthy)]
    mirrored = axes[0].towards_body * np.array([-1.0, 1.0])
    turn = math.atan2(axes[1].towards_body[1], axes[1].towards_body[0]) - math.atan2(mirrored[1], mirrored[0])
    transform = Similarity.about(
        axes[0].tip_mm, axes[1].tip_mm, rotation_deg=math.degrees(turn), mirrored=True
    )
    return replace(
        found,
        transform=transform,
        centre_mm=axes[0].tip_mm,
        covariance=_outline_covariance(affected, healthy, transform, axes[0].tip_mm),
        overlap=float(healthy.grid.contains(transform(affected.grid.centres()[affected.mask])).mean()),
        equal_size=True,
    )


def _outline_covariance(
    affected: LimbImage, healthy: LimbImage, transform: Similarity, centre_mm: Points
) -> NDArray[np.float64]:
    """Return how well two outlines of another shape lie over each other, by where they still lie apart.

    What outlines moved onto each other would change, at equal size, once as a difference, and what they then
    lie apart, alike over some way along them, as the filling of a sandwich.
    """
    from scipy import ndimage

    border = affected.mask & ~ndimage.binary_erosion(affected.mask, border_value=1)
    points = transform(affected.grid.centres()[border])
    inside, outside = (
        ndimage.distance_transform_edt(one, sampling=healthy.grid.spacing_mm)
        for one in (healthy.mask, ~healthy.mask)
    )
    half = healthy.grid.pixel_mm / 2.0  # the outline runs between pixels
    depth = np.where(healthy.mask, inside - half, half - outside)
    points = points[healthy.grid.contains(points)]
    look = Bilinear.at(*healthy.grid.pixel_of(points), depth.shape)
    slope = np.stack(
        [
            look(np.gradient(depth, step, axis=axis))
            for axis, step in ((1, healthy.grid.spacing_mm[1]), (0, healthy.grid.spacing_mm[0]))
        ],
        axis=1,
    )
    arm = points - transform(centre_mm)
    jacobian = np.column_stack([slope[:, 1] * arm[:, 0] - slope[:, 0] * arm[:, 1], slope])
    apart = look(depth) - affected.grid.pixel_mm / 2.0
    bread = np.linalg.inv(jacobian.T @ jacobian)
    step = bread @ (jacobian.T @ apart)
    scores = jacobian * (apart - jacobian @ step)[:, None]
    squared = np.sum(np.square(points[:, None] - points[None]), axis=2)
    filling = scores.T @ np.exp(-squared / _OUTLINE_REACH_MM**2) @ scores
    rigid = np.outer(step, step) + bread @ filling @ bread
    covariance = np.diag([0.0, EQUAL_SIZE_SD**2, 0.0, 0.0])
    covariance[np.ix_(_RIGID, _RIGID)] = rigid
    return covariance


def best_start(
    first: LimbImage, second: LimbImage, starts: Sequence[Similarity], *, smoothing_px: float = 4.0
) -> Similarity:
    """Run a coarse registration from several starts, of one size; return what explains the images best."""
    match = Match.prepare(first, second, smoothing_px, prior=starts[0], prior_sd=POSE_PRIOR_SD, thin=8)
    candidates = [replace(match, prior=start).solve(start, iterations=4) for start in starts]
    return min(candidates, key=match.cost)
