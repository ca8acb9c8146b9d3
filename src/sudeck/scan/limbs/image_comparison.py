"""Compare one limb with its counterpart in another image: residuals, and how they answer to the pose."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.scan.limbs.geometry import Grid, Points, Similarity
from sudeck.scan.limbs.limb_image import Array, LimbImage, noisiness, stabilised

_GAIN_KNOT_MM = 16.0
_GAIN_PRIOR_SD = 0.5  # of the log gain at one knot around the mean gain
_MARGIN_PX = 8  # of surroundings compared with the limb: its edge is what fixes the pose
_ROBUST_CUTOFF = 6.0  # residuals beyond this many spreads weigh nothing (Tukey): injection sites, spills
_EXTENDED_WEIGHT = 0.3  # of points whose counterpart lies beyond the field, where edge pixels stand in


@dataclass(frozen=True)
class ImageComparison:
    """The linearised comparison in one direction, gains eliminated."""

    jacobian: Array  # [n, 4] orthogonal to the gains
    residual: Array
    weights: Array
    field: Array  # gain of the own counts over the other's, at each point
    noisiness: Array  # variance of the noise as a share of the nominal one, which empty pixels do not reach
    normal: Array
    gradient: Array
    arm: Array  # [n, 2] of each point, about which the parameters turn
    shift: Array  # [n, 2] change of the predicted value per mm of movement along x and y

    @property
    def lever(self) -> Array:
        """Movement (x, y) of each point with the parameters, [n, 2, 4]."""
        lever = np.zeros((self.arm.shape[0], 2, 4))
        lever[:, 0, 0], lever[:, 1, 0] = -self.arm[:, 1], self.arm[:, 0]
        lever[:, :, 1] = self.arm
        lever[:, 0, 2] = lever[:, 1, 3] = 1.0
        return lever


@dataclass(frozen=True)
class GainKnots:
    """Linear B-splines (hats) along a limb: each point lies between a knot and the next."""

    number: int
    knot: NDArray[np.intp]  # [n] the knot before each point
    share: Array  # [n] of the next one

    @classmethod
    def along(cls, points: Points, centre: Array) -> GainKnots:
        """Lay a knot every `_GAIN_KNOT_MM` along the limb's long direction."""
        arm = points - centre
        _, axes = np.linalg.eigh(arm.T @ arm)
        along = arm @ axes[:, -1]
        low, high = float(along.min()), float(along.max())
        number = max(2, round((high - low) / _GAIN_KNOT_MM) + 1)
        place = (along - low) / max(high - low, 1e-9) * (number - 1)
        knot = np.minimum(place.astype(np.intp), number - 2)
        return cls(number, knot, place - knot)

    def field(self, values: Array) -> Array:
        """Return at each point what lies between values at the knots, shape [knots] or [knots, m]."""
        share = self.share if values.ndim == 1 else self.share[:, None]
        before = values[self.knot]
        return np.asarray(before + share * (values[self.knot + 1] - before))

    def sums(self, values: Array) -> Array:
        """Return the sums over points of values times hats."""
        after = self.share * values
        return self._at(0, values - after) + self._at(1, after)

    def squares(self, values: Array) -> Array:
        """Return the sums over points of values times the products of two hats, [knots, knots]."""
        after = self.share * values
        both = after - self.share * after
        found = np.diag(self._at(0, values - after - both) + self._at(1, after - both))
        beside = np.diag(self._at(0, both)[:-1], 1)
        return np.asarray(found + beside + beside.T)

    def _at(self, step: int, values: Array) -> Array:
        return np.asarray(np.bincount(self.knot + step, values, self.number), dtype=np.float64)


@dataclass(frozen=True)
class View:
    """One limb's surroundings, looking for their counterpart in the other image."""

    points: Points  # [n, 2]
    pixels: tuple[NDArray[np.intp], NDArray[np.intp]]  # their rows and columns, from zero
    values: Array  # [n] stabilised own image
    gains: GainKnots
    target: Array  # smoothed other image, background taken off
    slopes: tuple[Array, Array]  # its slopes along x and y, per mm
    background: float  # of the own image
    grid: Grid  # of the other image
    centre: Array
    area_px: float  # pixels a point stands for

    @classmethod
    def of(cls, limb: LimbImage, other: LimbImage, own_image: Array, other_image: Array, thin: int) -> View:
        """Take every `thin`-th pixel of the limb and its surroundings, to be found in the other image."""
        from scipy import ndimage

        near = ndimage.distance_transform_cdt(~limb.mask, metric="taxicab") <= _MARGIN_PX
        near[np.indices(near.shape).sum(axis=0) % thin != 0] = False
        rows, columns = np.nonzero(near)
        points = limb.grid.points_of(rows, columns)
        slope_y, slope_x = (
            np.gradient(other_image, step, axis=axis) for axis, step in enumerate(other.grid.spacing_mm)
        )
        return cls(
            points=points,
            pixels=(rows - rows.min(), columns - columns.min()),
            values=stabilised(own_image[rows, columns]),
            gains=GainKnots.along(points, limb.centre_mm),
            target=other_image - other.background,
            slopes=(np.asarray(slope_x), np.asarray(slope_y)),
            background=limb.background,
            grid=other.grid,
            centre=limb.centre_mm,
            area_px=float(thin),
        )

    def compare(self, transform: Similarity, noise: float) -> ImageComparison:
        """Compare under a transform, and linearise about it."""
        moved_points = transform(self.points)
        row, column = self.grid.pixel_of(moved_points)
        height, width = self.target.shape
        inside = (row >= 0) & (column >= 0) & (row <= height - 1) & (column <= width - 1)
        look = Bilinear.at(row, column, self.target.shape)
        target = look(self.target)
        weights = np.where(inside, 1.0, _EXTENDED_WEIGHT)
        mean = max(
            float(
                np.sum(weights * (self.values**2 / 4 - self.background)) / max(np.sum(weights * target), 1e-9)
            ),
            1e-3,
        )
        knots = self.gains
        gains = np.full(knots.number, mean)
        ridge = self._ridge(mean, noise)
        field, predicted = self._predict(gains, target)
        for _ in range(2):
            residual = self.values - predicted
            spread = max(1.4826 * float(np.median(np.abs(residual))), math.sqrt(2 * noise))
            robust = weights * np.clip(1.0 - (residual / (_ROBUST_CUTOFF * spread)) ** 2, 0.0, None) ** 2
            steep = 2.0 * target / predicted  # change of the predicted value with the gain
            weighted = robust * steep
            inner = knots.squares(weighted * steep) + ridge * np.eye(gains.size)
            gains = gains + np.linalg.solve(inner, knots.sums(weighted * residual) - ridge * (gains - mean))
            field, predicted = self._predict(gains, target)
        residual = self.values - predicted

        arm = moved_points - transform(self.centre)
        shift = (2.0 * field / predicted)[:, None] * np.stack([look(one) for one in self.slopes], axis=1)
        gx, gy = shift.T
        pose = np.stack([gy * arm[:, 0] - gx * arm[:, 1], gx * arm[:, 0] + gy * arm[:, 1], gx, gy])
        # Take out of the pose what the gains can explain, so that both are in effect fitted together.
        sums = np.stack([knots.sums(weighted * one) for one in pose], axis=1)
        explained = np.asarray(np.linalg.solve(inner, sums), dtype=np.float64)
        jacobian = pose.T - steep[:, None] * knots.field(explained)
        return ImageComparison(
            jacobian=jacobian,
            residual=residual,
            weights=robust,
            field=field,
            noisiness=noisiness(predicted),
            normal=(pose * robust) @ jacobian,
            gradient=jacobian.T @ (robust * residual),
            arm=arm,
            shift=shift,
        )

    def _predict(self, gains: Array, target: Array) -> tuple[Array, Array]:
        """Return the gain at each point and the stabilised own image it predicts."""
        field = np.maximum(self.gains.field(gains), 1e-3)
        return field, stabilised(field * target + self.background)

    def _ridge(self, mean: float, noise: float) -> float:
        return 2 * noise / self.area_px / (_GAIN_PRIOR_SD * mean) ** 2


@dataclass(frozen=True)
class Bilinear:
    """Bilinear look-up at fixed places, for several images; places beyond the edge take the edge."""

    index: NDArray[np.intp]
    columns: int
    share: tuple[Array, Array, Array, Array]

    @classmethod
    def at(cls, row: Array, column: Array, shape: tuple[int, ...]) -> Bilinear:
        """Prepare the look-up at fractional rows and columns."""
        r = np.clip(row, 0, shape[0] - 1.000001)
        c = np.clip(column, 0, shape[1] - 1.000001)
        r0, c0 = r.astype(np.intp), c.astype(np.intp)
        fr, fc = r - r0, c - c0
        shares = ((1 - fr) * (1 - fc), (1 - fr) * fc, fr * (1 - fc), fr * fc)
        return cls(r0 * shape[1] + c0, shape[1], shares)

    def __call__(self, image: Array) -> Array:
        """Look up an image."""
        flat = image.reshape(-1)
        a, b, c, d = self.share
        i = self.index
        return np.asarray(
            a * flat[i] + b * flat[i + 1] + c * flat[i + self.columns] + d * flat[i + self.columns + 1]
        )


def gain_basis(points: Points, centre: Array) -> Array:
    """Return the hats of `GainKnots` at points, [n, knots]."""
    knots = GainKnots.along(points, centre)
    return knots.field(np.eye(knots.number))
