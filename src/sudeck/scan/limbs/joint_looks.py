"""One limb of one phase at nodes of its own, looking for its counterpart on the other limb.

A point weighs by the variance of its difference: noise, and what this study shows beyond noise, alike over
some millimetres. So the inverse of the normal matrix is the covariance of what is fitted. A gain along the
limb is fitted at every look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sudeck.scan.limbs.geometry import Grid, Points, Similarity
from sudeck.scan.limbs.image_comparison import Bilinear, gain_basis
from sudeck.scan.limbs.limb_image import Array, LimbImage, noisiness, stabilised
from sudeck.scan.limbs.posture_modes import STEP_MM

_MISFIT_REACH_MM = 8.0  # over which differences beyond noise are alike
_GAIN_PRIOR_SD = 0.5
_ROBUST_CUTOFF = 6.0
_BEYOND_WEIGHT = 0.3  # of points whose counterpart lies beyond the field
_LEAST_NOISE = 0.1  # of the nominal variance, where there are no counts
_NO_MATCH = 0.25  # of the level of stabilised values, squared: so far off is no match, and farther no less
_INTERPOLATED_PX2 = 1.0 / 6.0  # variance that bilinear look-up adds to a smoothing, on average


@dataclass(frozen=True)
class PhaseLimbs:
    """Both limbs of a phase, and how each came there from the reference image.

    Attributes
    ----------
    affected, healthy : LimbImage
    carry_affected, carry_healthy : Similarity
    smoothing_px : float
        In pixels of this phase.
    """

    affected: LimbImage
    healthy: LimbImage
    carry_affected: Similarity
    carry_healthy: Similarity
    smoothing_px: float


@dataclass(frozen=True)
class JointLook:
    """One limb of one phase at nodes of its own, looking for its counterpart on the other limb."""

    values: Array
    basis: Array
    image: Array  # of the other limb, smoothed, its background taken off
    slopes: tuple[Array, Array]
    background: float
    grid: Grid
    noise: float  # variance of a stabilised, smoothed pixel
    pixels: float  # that a node stands for
    sigma_mm: float
    level: float

    @classmethod
    def of(
        cls,
        own: Array,
        limb: LimbImage,
        place: Points,
        nodes: Points,
        other: Array,
        other_limb: LimbImage,
        sigma_px: float,
        size: float,
    ) -> JointLook:
        """Take one limb's image at `place`, and the smoothed image that holds its counterpart."""
        values = stabilised(Bilinear.at(*limb.grid.pixel_of(place), own.shape)(own))
        down, across = (
            np.gradient(other, step, axis=axis) for axis, step in enumerate(other_limb.grid.spacing_mm)
        )
        variance_px = sigma_px**2 + _INTERPOLATED_PX2
        return cls(
            values,
            gain_basis(nodes, nodes.mean(axis=0)),
            other - other_limb.background,
            (np.asarray(across), np.asarray(down)),
            limb.background,
            other_limb.grid,
            1.0 / (4.0 * math.pi * variance_px),
            (STEP_MM / size / limb.grid.pixel_mm) ** 2,
            math.sqrt(variance_px) * limb.grid.pixel_mm,
            float(np.median(values[values > 0.5 * values.max()])),
        )

    def compare(self, place: Points, excess: float) -> JointComparison:
        """Compare with the other limb at these places of its image."""
        row, column = self.grid.pixel_of(place)
        height, width = self.image.shape
        inside = (row >= 0) & (column >= 0) & (row <= height - 1) & (column <= width - 1)
        look = Bilinear.at(row, column, self.image.shape)
        target = look(self.image)
        seen = np.where(inside, 1.0, _BEYOND_WEIGHT)
        own = float(np.sum(seen * (self.values**2 / 4 - self.background)))
        mean = max(own / max(float(np.sum(seen * target)), 1e-9), 1e-3)
        gains = np.full(self.basis.shape[1], mean)
        for _ in range(2):
            gain, predicted = self._predict(gains, target)
            residual = self.values - predicted
            variance = self.noise * np.maximum(noisiness(predicted), _LEAST_NOISE) * (1.0 + gain)
            spread = max(1.4826 * float(np.median(np.abs(residual))), math.sqrt(2 * self.noise))
            robust = seen * np.clip(1.0 - (residual / (_ROBUST_CUTOFF * spread)) ** 2, 0.0, None) ** 2
            # A node stands for so many pixels under the smoothing, or for a part of a patch of misfit.
            alike = 1.0 / (self.noise * self.pixels)
            patch = 2 * math.pi * (_MISFIT_REACH_MM / STEP_MM) ** 2
            weights = robust / (variance * alike + excess * patch)
            design = self.basis * (2.0 * target / predicted)[:, None]
            weighted = weights[:, None] * design
            ridge = 1.0 / (_GAIN_PRIOR_SD * mean) ** 2
            inner = design.T @ weighted + ridge * np.eye(gains.size)
            gains = gains + np.linalg.solve(inner, weighted.T @ residual - ridge * (gains - mean))
        gain, predicted = self._predict(gains, target)
        slope = (2.0 * gain / predicted)[:, None] * np.stack([look(one) for one in self.slopes], axis=1)
        pretended = self.noise * noisiness(predicted) * gain / (2.0 * self.sigma_mm**2)
        off = np.minimum((self.values - predicted) ** 2, _NO_MATCH * self.level**2)
        cost = 0.5 * float(np.sum(seen * off / (variance * alike + excess * patch)))
        return JointComparison(
            cost, self.values - predicted, weights, robust, slope, pretended, variance, gain, weighted, inner
        )

    def _predict(self, gains: Array, target: Array) -> tuple[Array, Array]:
        gain = np.maximum(self.basis @ gains, 1e-3)
        return gain, stabilised(gain * target + self.background)


@dataclass(frozen=True)
class JointComparison:
    """One limb beside what the other predicts of it, and how that answers to movement."""

    cost: float
    residual: Array
    weights: Array
    robust: Array
    slope: Array  # [n, 2] change of the predicted value per mm of the other limb's image
    pretended: Array  # variance of a slope that is noise
    variance: Array  # of the residual that is noise
    gain: Array
    weighted: Array  # basis of the gain, linearised, times weights
    inner: Array

    @property
    def excess(self) -> float:
        """Variance of the residual beyond noise."""
        total = float(self.robust.sum())
        return max(float(np.sum(self.robust * (self.residual**2 - self.variance))) / total, 0.0)
