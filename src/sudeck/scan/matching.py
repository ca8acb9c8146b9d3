"""The Gauss-Newton machinery under registration: two smoothed images, compared in both directions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.scan.geometry import Grid, Points, Similarity
from sudeck.scan.limbs import Limbs

PARAMETERS = ("rotation_rad", "log_scale", "shift_x_mm", "shift_y_mm")
_GAIN_KNOT_MM = 30.0
_GAIN_PRIOR_SD = 0.5  # of the log gain at one knot around the mean gain
_MARGIN_PX = 8  # of surroundings compared with the limb: its edge is what fixes the pose
_VARIANCE_OFFSET = 0.1  # keeps the square root smooth where there are no counts
_ROBUST_CUTOFF = 6.0  # residuals beyond this many spreads weigh nothing (Tukey): injection sites, spills
_EXTENDED_WEIGHT = 0.3  # of points whose counterpart lies beyond the field, where edge pixels stand in
_MISFIT_REACH_PX = 4.0  # over which differences between limbs are taken to be alike
_LARGEST_STEP = np.array([0.15, 0.08, 8.0, 8.0])  # of one iteration, in PARAMETERS
_ARM_MM = 60.0  # half a limb: turns angles into movements of its ends

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LimbImage:
    """One limb as registration sees it.

    Attributes
    ----------
    counts : ndarray, shape [row, column]
        Counts of this limb alone: the other limb's side of the image holds the background level, so
        that the other limb is neither matched nor left out (leaving pixels out rewards shrinking).
    grid : Grid
    mask : ndarray of bool, shape [row, column]
        The pixels of the limb.
    """

    counts: Array
    grid: Grid
    mask: NDArray[np.bool_]

    @classmethod
    def alone(cls, counts: Array, grid: Grid, limbs: Limbs, label: int) -> LimbImage:
        """Return one of the two limbs of an image without the other."""
        return cls(np.where(limbs.territory == label, counts, limbs.background), grid, limbs.mask(label))

    @property
    def centre_mm(self) -> Array:
        """Centroid of the limb's area."""
        rows, columns = np.nonzero(self.mask)
        return self.grid.points_of(rows.mean(), columns.mean())


def moved(transform: Similarity, centre: Array, step: Array) -> Similarity:
    """Return `transform` followed by a turn, a growth and a shift (`PARAMETERS`) about the image of `centre`."""
    middle = transform(centre)
    change = Similarity.about(middle, middle + step[2:], rotation_deg=math.degrees(step[0]), log_scale=float(step[1]))
    return transform.then(change)


@dataclass(frozen=True)
class Fit:
    """What a solved match says about its transform; see `sudeck.scan.registration.Registration`."""

    covariance: Array
    dispersion: float
    inflation: float
    residual: float
    gain: float
    overlap: float


@dataclass(frozen=True)
class Match:
    """Two limbs at one level of smoothing, compared in both directions.

    One direction alone lets a limb slide off the part of the other that nobody looks at; both together
    also make the result the same whichever limb comes first.
    """

    forward: _View
    backward: _View
    prior: Similarity
    prior_sd: Array
    noise: float  # variance of a stabilised, smoothed pixel
    sigma: float

    @classmethod
    def prepare(
        cls,
        first: LimbImage,
        second: LimbImage,
        sigma: float,
        *,
        prior: Similarity,
        prior_sd: Sequence[float],
        thin: int = 1,
    ) -> Match:
        """Smooth and stabilise both images once for all steps."""
        thin = max(thin, 2 if sigma > 2.0 else 1)
        images = [_stabilised(limb.counts, sigma) for limb in (first, second)]
        return cls(
            _View.of(first, images[0], images[1], second.grid, thin),
            _View.of(second, images[1], images[0], first.grid, thin),
            prior,
            np.asarray(prior_sd, dtype=np.float64),
            1.0 / (4.0 * math.pi * sigma**2),
            sigma,
        )

    @property
    def centre(self) -> Array:
        """Point of the first limb about which rotation and size are counted."""
        return self.forward.centre

    def solve(self, start: Similarity, *, iterations: int = 12) -> Similarity:
        """Walk from `start` to the best transform."""
        transform = start
        inflation = 1.0
        for number in range(iterations):
            there = self.forward.linearise(transform, self.noise)
            back = self.backward.linearise(transform.inverse(), self.noise)
            if number == 2:
                inflation = self._inflation(there)
            link = self._link(transform)
            normal = 0.5 * (there.normal + link.T @ back.normal @ link)
            gradient = 0.5 * (there.gradient + link.T @ back.gradient)
            # Turns a prior precision into the units of the normal matrix; the worse the limbs agree, the
            # less their pixels count against the prior.
            precision = inflation * self._unit(there) / self.prior_sd**2
            step = np.linalg.solve(
                normal + np.diag(precision), gradient - precision * self._departure(transform)
            )
            step = step * min(1.0, float(np.min(_LARGEST_STEP / np.maximum(np.abs(step), 1e-12))))
            transform = moved(transform, self.centre, step)
            change = float(np.max(np.abs(step) * np.array([_ARM_MM, _ARM_MM, 1.0, 1.0])))
            if number >= 2 and change < 0.01 * self.sigma * self.forward.grid.pixel_mm:
                break
        return transform

    def cost(self, transform: Similarity) -> float:
        """Weighted mean square residual of both directions."""
        systems = (
            self.forward.linearise(transform, self.noise),
            self.backward.linearise(transform.inverse(), self.noise),
        )
        return sum(float(np.sum(s.weights * s.residual**2) / s.weights.sum()) for s in systems)

    def report(self, transform: Similarity) -> Fit:
        """Return covariance and quality of a solved transform."""
        there = self.forward.linearise(transform, self.noise)
        inflation = self._inflation(there)
        data = np.linalg.inv(inflation * self._poisson(there))
        noise = self.noise * (1.0 + there.field**2)
        dispersion = float(np.sum(there.weights * there.residual**2) / np.sum(there.weights * noise))
        level = float(np.median(self.forward.values[self.forward.values > 0.5 * self.forward.values.max()]))
        beyond = max(0.0, (dispersion - 1.0) * float(np.mean(noise)))
        return Fit(
            covariance=np.linalg.inv(data + np.diag(1.0 / self.prior_sd**2)),
            dispersion=dispersion,
            inflation=inflation,
            residual=2.0 * math.sqrt(beyond) / max(level, 1e-9),
            gain=float(np.sum(there.weights * there.field) / there.weights.sum()) ** 2,
            overlap=float(self.forward.grid.contains(transform(self.forward.points)).mean()),
        )

    def _link(self, transform: Similarity) -> Array:
        """Matrix that turns a step of the transform into the step of its inverse."""
        inverse = np.linalg.inv(transform.matrix)
        lever = self.backward.centre - transform(self.centre)
        link = np.zeros((4, 4))
        link[0, 0] = 1.0 if transform.mirrored else -1.0
        link[1, 1] = -1.0
        link[2:, 0] = -inverse @ np.array([-lever[1], lever[0]])
        link[2:, 1] = -inverse @ lever
        link[2:, 2:] = -inverse
        return link

    def _departure(self, transform: Similarity) -> Array:
        """How far a transform lies from the prior's centre, in `PARAMETERS`."""
        turn = math.radians((transform.rotation_deg - self.prior.rotation_deg + 180.0) % 360.0 - 180.0)
        size = math.log(transform.scale / self.prior.scale)
        return np.array([turn, size, *(transform(self.centre) - self.prior(self.centre))])

    def _unit(self, system: _System) -> float:
        return self.noise * (1.0 + float(np.mean(system.field)) ** 2) * 4 * math.pi * self.sigma**2 / self.forward.area_px

    def _poisson(self, system: _System) -> Array:
        """Covariance of the pose from Poisson noise, correlated by the smoothing."""
        spread = np.sqrt(self.noise * (1.0 + system.field**2))
        return self._sandwich(system, spread, self.sigma * math.sqrt(2.0))

    def _inflation(self, system: _System) -> float:
        shown = self._sandwich(system, system.residual, _MISFIT_REACH_PX)
        return max(1.0, float(np.trace(np.linalg.solve(self._poisson(system), shown))) / 4)

    def _sandwich(self, system: _System, spread: Array, correlation_px: float) -> Array:
        from scipy import ndimage

        scores = system.jacobian * (system.weights * spread)[:, None]
        row, column = self.forward.pixels
        image = np.zeros((int(row.max()) + 1, int(column.max()) + 1, 4))
        image[row, column] = scores
        near = ndimage.gaussian_filter(image, (correlation_px, correlation_px, 0), mode="constant", truncate=3.0)
        filling = scores.T @ near[row, column] * (2 * math.pi * correlation_px**2)
        bread = np.linalg.inv(system.normal)
        return np.asarray(bread @ filling @ bread)


@dataclass(frozen=True)
class _System:
    """The linearised comparison in one direction, gains eliminated."""

    jacobian: Array  # [n, 4] orthogonal to the gains
    residual: Array
    weights: Array
    field: Array
    normal: Array
    gradient: Array


@dataclass(frozen=True)
class _View:
    """One limb's surroundings, looking for their counterpart in the other image."""

    points: Points  # [n, 2]
    pixels: tuple[NDArray[np.intp], NDArray[np.intp]]  # their rows and columns, from zero
    values: Array  # [n] stabilised own image
    basis: Array  # [n, knots] of the gain
    target: Array  # stabilised other image
    slopes: tuple[Array, Array]  # its slopes along x and y, per mm
    grid: Grid  # of the other image
    centre: Array
    area_px: float  # pixels a point stands for

    @classmethod
    def of(cls, limb: LimbImage, own: Array, other: Array, grid: Grid, thin: int) -> _View:
        from scipy import ndimage

        reach = math.ceil(_MARGIN_PX)
        near = ndimage.distance_transform_cdt(~limb.mask, metric="taxicab") <= reach
        near[np.indices(near.shape).sum(axis=0) % thin != 0] = False
        rows, columns = np.nonzero(near)
        points = limb.grid.points_of(rows, columns)
        slope_y, slope_x = np.gradient(other)
        return cls(
            points=points,
            pixels=(rows - rows.min(), columns - columns.min()),
            values=own[rows, columns],
            basis=_gain_basis(points, limb.centre_mm),
            target=other,
            slopes=(slope_x / grid.spacing_mm[1], slope_y / grid.spacing_mm[0]),
            grid=grid,
            centre=limb.centre_mm,
            area_px=float(thin),
        )

    def linearise(self, transform: Similarity, noise: float) -> _System:
        moved_points = transform(self.points)
        row, column = self.grid.pixel_of(moved_points)
        height, width = self.target.shape
        inside = (row >= 0) & (column >= 0) & (row <= height - 1) & (column <= width - 1)
        look = _Bilinear.at(row, column, self.target.shape)
        target = look(self.target)
        weights = np.where(inside, 1.0, _EXTENDED_WEIGHT)
        gains = self._gains(target, weights, noise)
        residual = self.values - (self.basis @ gains) * target
        spread = max(1.4826 * float(np.median(np.abs(residual))), math.sqrt(2 * noise))
        weights = weights * np.clip(1.0 - (residual / (_ROBUST_CUTOFF * spread)) ** 2, 0.0, None) ** 2
        gains = self._gains(target, weights, noise)
        field = self.basis @ gains
        residual = self.values - field * target

        arm = moved_points - transform(self.centre)
        gx, gy = look(self.slopes[0]), look(self.slopes[1])
        pose = field[:, None] * np.stack(
            [gy * arm[:, 0] - gx * arm[:, 1], gx * arm[:, 0] + gy * arm[:, 1], gx, gy], axis=1
        )
        design = self.basis * target[:, None]
        weighted = weights[:, None] * design
        inner = design.T @ weighted + self._ridge(float(gains.mean()), noise) * np.eye(design.shape[1])
        # Take out of the pose what the gains can explain, so that both are in effect fitted together.
        jacobian = pose - design @ np.linalg.solve(inner, weighted.T @ pose)
        return _System(
            jacobian=jacobian,
            residual=residual,
            weights=weights,
            field=field,
            normal=pose.T @ (weights[:, None] * jacobian),
            gradient=jacobian.T @ (weights * residual),
        )

    def _ridge(self, mean: float, noise: float) -> float:
        # The gain acts on square roots, hence half the log spread.
        return 2 * noise / self.area_px / (0.5 * _GAIN_PRIOR_SD * mean) ** 2

    def _gains(self, target: Array, weights: Array, noise: float) -> Array:
        """Fit the smooth gain by ridge regression towards one common gain."""
        mean = float(np.sum(weights * target * self.values) / max(np.sum(weights * target**2), 1e-12))
        design = self.basis * target[:, None]
        weighted = weights[:, None] * design
        normal = design.T @ weighted + self._ridge(mean, noise) * np.eye(design.shape[1])
        return np.asarray(mean + np.linalg.solve(normal, weighted.T @ (self.values - mean * target)))


@dataclass(frozen=True)
class _Bilinear:
    """Bilinear look-up at fixed places, for several images; places beyond the edge take the edge."""

    index: NDArray[np.intp]
    columns: int
    share: tuple[Array, Array, Array, Array]

    @classmethod
    def at(cls, row: Array, column: Array, shape: tuple[int, ...]) -> _Bilinear:
        r = np.clip(row, 0, shape[0] - 1.000001)
        c = np.clip(column, 0, shape[1] - 1.000001)
        r0, c0 = r.astype(np.intp), c.astype(np.intp)
        fr, fc = r - r0, c - c0
        shares = ((1 - fr) * (1 - fc), (1 - fr) * fc, fr * (1 - fc), fr * fc)
        return cls(r0 * shape[1] + c0, shape[1], shares)

    def __call__(self, image: Array) -> Array:
        flat = image.reshape(-1)
        a, b, c, d = self.share
        i = self.index
        return np.asarray(
            a * flat[i] + b * flat[i + 1] + c * flat[i + self.columns] + d * flat[i + self.columns + 1]
        )


def _stabilised(counts: Array, sigma: float) -> Array:
    """Smooth, then take 2 √, which gives Poisson noise the same size at every level (Anscombe 1948)."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(counts, sigma, truncate=3.0, mode="nearest")
    return np.asarray(2.0 * np.sqrt(np.maximum(smooth, 0.0) + _VARIANCE_OFFSET))


def _gain_basis(points: Points, centre: Array) -> Array:
    """Linear B-splines (hats) along the limb's long direction, one knot every `_GAIN_KNOT_MM`."""
    arm = points - centre
    _, axes = np.linalg.eigh(arm.T @ arm)
    along = arm @ axes[:, -1]
    low, high = float(along.min()), float(along.max())
    knots = max(2, round((high - low) / _GAIN_KNOT_MM) + 1)
    place = (along - low) / max(high - low, 1e-9) * (knots - 1)
    return np.asarray(np.clip(1.0 - np.abs(place[:, None] - np.arange(knots)[None, :]), 0.0, None))
