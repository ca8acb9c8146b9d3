"""One limb in all phases at nodes of its own, looking for its counterpart on the other limb.

A point weighs by the variance of its difference: noise, and what this study shows beyond noise, alike over
some millimetres. So the inverse of the normal matrix is the covariance of what is fitted. A gain along the
limb is fitted at every look.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
_INTERPOLATED_PX2 = 1.0 / 6.0  # variance that bilinear look-up adds to a smoothing, in pixels looked at
_PATCH = 2 * math.pi * (_MISFIT_REACH_MM / STEP_MM) ** 2  # nodes over which differences are alike


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
class Smoothed:
    """One limb of a phase: its counts, smoothed, and where its nodes lie."""

    limb: LimbImage
    image: Array
    grid: Grid  # of `image`, where it is finer than the camera's
    carry: Similarity  # from the reference image
    sigma_px: float  # of this phase

    @property
    def interpolated_px2(self) -> float:
        """Variance that bilinear look-up adds to the smoothing, on average, in pixels of the camera."""
        return _INTERPOLATED_PX2 * (self.grid.pixel_mm / self.limb.grid.pixel_mm) ** 2


@dataclass(frozen=True)
class JointLooks:
    """One limb in all phases at nodes of its own, looking for its counterpart on the other limb.

    What belongs to each phase is shaped ``[phase, 1]``, what belongs to each node ``[phase, node]``.
    """

    values: Array
    basis: Array
    images: tuple[Array, ...]  # of the other limb, smoothed, its background taken off
    layers: Array  # [pixel, 3] the same with their slopes along x and y, of all phases one after the other
    first: NDArray[np.intp]  # pixel of each phase
    grids: tuple[Grid, ...]
    background: Array
    noise: Array  # variance of a stabilised, smoothed pixel
    alike: Array  # nodes whose noise is alike, over that variance
    sigma_mm: Array
    level: Array

    @classmethod
    def of(cls, own: Sequence[Smoothed], others: Sequence[Smoothed], nodes: Points) -> JointLooks:
        """Take the images of one limb at nodes of the reference image, to be found on those of the other."""
        images, layers, values, noise, alike, sigmas = [], [], [], [], [], []
        for one, other in zip(own, others, strict=True):
            place = one.grid.pixel_of(one.carry(nodes))
            values.append(stabilised(Bilinear.at(*place, one.image.shape)(one.image)))
            down, across = (
                np.gradient(other.image, step, axis=axis) for axis, step in enumerate(other.grid.spacing_mm)
            )
            images.append(other.image - other.limb.background)
            layers.append(np.stack([images[-1], across, down], axis=-1).reshape(-1, 3))
            variance_px = one.sigma_px**2 + one.interpolated_px2
            noise.append(1.0 / (4.0 * math.pi * variance_px))
            # A node stands for so many pixels under the smoothing.
            alike.append(1.0 / (noise[-1] * (STEP_MM / one.limb.grid.pixel_mm) ** 2))
            sigmas.append(math.sqrt(variance_px) * one.limb.grid.pixel_mm)
        sizes = [layer.shape[0] for layer in layers]
        return cls(
            np.stack(values),
            gain_basis(nodes, nodes.mean(axis=0)),
            tuple(images),
            np.concatenate(layers),
            np.cumsum([0, *sizes[:-1]]),
            tuple(other.grid for other in others),
            _of_phases(one.limb.background for one in own),
            _of_phases(noise),
            _of_phases(alike),
            _of_phases(sigmas),
            _of_phases(float(np.median(value[value > 0.5 * value.max()])) for value in values),
        )

    def compare(self, places: Sequence[Points], excess: Array, before: Array | None) -> JointComparison:
        """Compare with the other limb at these places of its images.

        Parameters
        ----------
        places : sequence of ndarray, shape [n, 2]
            Of each phase.
        excess : ndarray, shape [phase]
            Variance of the difference beyond noise.
        before : ndarray or None
            Gains of an earlier look, to begin with.
        """
        looked, seen = self._look(places)
        target = looked[..., 0]
        own = np.sum(seen * (self.values**2 / 4 - self.background), axis=1)
        mean = np.maximum(own / np.maximum(np.sum(seen * target, axis=1), 1e-9), 1e-3)[:, None]
        knots = self.basis.shape[1]
        gains = np.repeat(mean, knots, axis=1) if before is None else before
        ridge = (_GAIN_PRIOR_SD * mean) ** -2.0
        of_excess = excess[:, None] * _PATCH
        gain, predicted = self._predict(gains, target)
        for _ in range(2 if before is None else 1):
            residual = self.values - predicted
            variance = self.noise * np.maximum(noisiness(predicted), _LEAST_NOISE) * (1.0 + gain)
            middle = np.median(np.abs(residual), axis=1, keepdims=True)
            spread = np.maximum(1.4826 * middle, np.sqrt(2 * self.noise))
            robust = seen * np.clip(1.0 - (residual / (_ROBUST_CUTOFF * spread)) ** 2, 0.0, None) ** 2
            # A node stands for so many pixels under the smoothing, or for a part of a patch of misfit.
            even = 1.0 / (variance * self.alike + of_excess)
            weights = robust * even
            steep = 2.0 * target / predicted
            weighted = self.basis * (weights * steep)[..., None]
            inner = np.swapaxes(weighted, 1, 2) @ (self.basis * steep[..., None])
            inner += ridge[..., None] * np.eye(knots)
            pull = _sums(weighted, residual) - ridge * (gains - mean)
            gains = gains + np.linalg.solve(inner, pull[..., None])[..., 0]
            gain, predicted = self._predict(gains, target)
        residual = self.values - predicted
        off = np.minimum(residual**2, _NO_MATCH * self.level**2)
        return JointComparison(
            cost=0.5 * float(np.sum(seen * off * even)),
            residual=residual,
            weights=weights,
            robust=robust,
            slope=(2.0 * gain / predicted)[..., None] * looked[..., 1:],
            pretended=self.noise * noisiness(predicted) * gain / (2.0 * self.sigma_mm**2),
            variance=variance,
            gain=gain,
            weighted=weighted,
            inner=inner,
            gains=gains,
        )

    def _look(self, places: Sequence[Points]) -> tuple[Array, Array]:
        """Return the other limb and its slopes at places, [phase, n, 3], and how much each place counts."""
        indices, shares, seen = [], [], []
        for first, grid, place in zip(self.first, self.grids, places, strict=True):
            row, column = grid.pixel_of(place)
            height, width = grid.shape
            inside = (row >= 0) & (column >= 0) & (row <= height - 1) & (column <= width - 1)
            seen.append(np.where(inside, 1.0, _BEYOND_WEIGHT))
            look = Bilinear.at(row, column, grid.shape)
            corner = first + look.index
            indices.append(np.stack([corner, corner + 1, corner + width, corner + width + 1]))
            shares.append(np.stack(look.share))
        corners = self.layers[np.stack(indices)]  # [phase, 4, n, 3]
        return np.einsum("pcn,pcnl->pnl", np.stack(shares), corners), np.stack(seen)

    def _predict(self, gains: Array, target: Array) -> tuple[Array, Array]:
        gain = np.maximum(gains @ self.basis.T, 1e-3)
        return gain, stabilised(gain * target + self.background)


@dataclass(frozen=True)
class JointComparison:
    """One limb in all phases beside what the other predicts of it, and how that answers to movement.

    Everything but the cost begins with an axis of phases.
    """

    cost: float
    residual: Array
    weights: Array
    robust: Array
    slope: Array  # [phase, n, 2] change of the predicted value per mm of the other limb's image
    pretended: Array  # variance of a slope that is noise
    variance: Array  # of the residual that is noise
    gain: Array
    weighted: Array  # basis of the gain, linearised, times weights
    inner: Array
    gains: Array

    @property
    def excess(self) -> Array:
        """Variance of the residual beyond noise."""
        beyond = np.sum(self.robust * (self.residual**2 - self.variance), axis=1)
        return np.asarray(np.maximum(beyond / self.robust.sum(axis=1), 0.0))

    @property
    def dispersion(self) -> Array:
        """Variance of the residual over that of the noise."""
        shown = np.sum(self.robust * self.residual**2, axis=1)
        return np.asarray(shown / np.sum(self.robust * self.variance, axis=1))

    @property
    def beyond_gains(self) -> Array:
        """Residuals times weights, less what the gains still explain of them."""
        left = np.linalg.solve(self.inner, _sums(self.weighted, self.residual)[..., None])
        return np.asarray(self.weights * self.residual - (self.weighted @ left)[..., 0])


def _sums(weighted: Array, values: Array) -> Array:
    """Return the sums over nodes of values times columns."""
    return np.asarray((values[:, None, :] @ weighted)[:, 0])


def _of_phases(values: Iterable[float]) -> Array:
    return np.array(list(values))[:, None]
