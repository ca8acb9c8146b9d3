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
_GAIN_KNOT_MM = 16.0
_GAIN_PRIOR_SD = 0.5  # of the log gain at one knot around the mean gain
_MARGIN_PX = 8  # of surroundings compared with the limb: its edge is what fixes the pose
# Blur of the camera at the limb (about 7 mm FWHM), which does not grow with a larger limb.
_CAMERA_SIGMA_MM = 3.0
_VARIANCE_OFFSET = 0.1  # keeps the square root smooth where there are no counts
_ROBUST_CUTOFF = 6.0  # residuals beyond this many spreads weigh nothing (Tukey): injection sites, spills
_EXTENDED_WEIGHT = 0.3  # of points whose counterpart lies beyond the field, where edge pixels stand in
_MISFIT_REACH_PX = 4.0  # over which differences between limbs are taken to be alike
_LEAST_SIGNAL = (
    0.1  # of the apparent information on the pose that is taken for real, however noisy the images
)
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
    background : float
        Counts per pixel outside the limbs, which no difference of uptake scales.
    """

    counts: Array
    grid: Grid
    mask: NDArray[np.bool_]
    background: float

    @classmethod
    def alone(cls, counts: Array, grid: Grid, limbs: Limbs, label: int) -> LimbImage:
        """Return one of the two limbs of an image without the other."""
        own = np.where(limbs.territory == label, counts, limbs.background)
        return cls(own, grid, limbs.mask(label), limbs.background)

    @property
    def centre_mm(self) -> Array:
        """Centroid of the limb's area."""
        rows, columns = np.nonzero(self.mask)
        return self.grid.points_of(rows.mean(), columns.mean())


def moved(transform: Similarity, centre: Array, step: Array) -> Similarity:
    """Return `transform` followed by a turn, a growth and a shift (`PARAMETERS`) about the image of `centre`."""
    middle = transform(centre)
    change = Similarity.about(
        middle, middle + step[2:], rotation_deg=math.degrees(step[0]), log_scale=float(step[1])
    )
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
        size: float | None = None,
        thin: int = 1,
    ) -> Match:
        """Smooth both images once for all steps.

        The images are smoothed so that camera and smoothing together blur each limb in proportion to its
        size; equal blur on unequal limbs would make them look more equal than they are.
        """
        thin = max(thin, 2 if sigma > 2.0 else 1)
        grow = math.sqrt(prior.scale if size is None else size)
        blurs = [
            _matched_blur_px(sigma, limb.grid.pixel_mm, times)
            for limb, times in ((first, 1 / grow), (second, grow))
        ]
        images = [_smoothed(limb.counts, blur) for limb, blur in zip((first, second), blurs, strict=True)]
        return cls(
            _View.of(first, second, images[0], images[1], thin),
            _View.of(second, first, images[1], images[0], thin),
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
        noise = self.noise * there.noisiness * (1.0 + there.field)
        dispersion = float(np.sum(there.weights * there.residual**2) / np.sum(there.weights * noise))
        level = float(np.median(self.forward.values[self.forward.values > 0.5 * self.forward.values.max()]))
        beyond = max(0.0, (dispersion - 1.0) * float(np.mean(noise)))
        return Fit(
            covariance=np.linalg.inv(data + np.diag(1.0 / self.prior_sd**2)),
            dispersion=dispersion,
            inflation=inflation,
            residual=2.0 * math.sqrt(beyond) / max(level, 1e-9),
            gain=float(np.sum(there.weights * there.field) / there.weights.sum()),
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
        return (
            self.noise
            * (1.0 + float(np.mean(system.field)))
            * 4
            * math.pi
            * self.sigma**2
            / self.forward.area_px
        )

    def _poisson(self, system: _System) -> Array:
        """Covariance of the pose from Poisson noise, correlated by the smoothing."""
        spread = np.sqrt(self.noise * system.noisiness * (1.0 + system.field))
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
        near = ndimage.gaussian_filter(
            image, (correlation_px, correlation_px, 0), mode="constant", truncate=3.0
        )
        filling = scores.T @ near[row, column] * (2 * math.pi * correlation_px**2)
        bread = np.linalg.inv(self._signal_normal(system))
        return np.asarray(bread @ filling @ bread)

    def _signal_normal(self, system: _System) -> Array:
        """Return the normal matrix without what the slopes of the noise pretend to know about the pose."""
        slope_noise = (
            system.weights
            * system.noisiness
            * system.field
            * self.noise
            / (2.0 * self.sigma**2 * self.forward.grid.pixel_mm**2)
        )
        pretended = np.einsum("nai,n,naj->ij", system.lever, slope_noise, system.lever)
        values, vectors = np.linalg.eigh(
            np.linalg.solve(_root(system.normal), np.linalg.solve(_root(system.normal), pretended).T)
        )
        kept = np.maximum(1.0 - values, _LEAST_SIGNAL)
        root = _root(system.normal) @ vectors
        return np.asarray(root @ np.diag(kept) @ root.T)


@dataclass(frozen=True)
class _System:
    """The linearised comparison in one direction, gains eliminated."""

    jacobian: Array  # [n, 4] orthogonal to the gains
    residual: Array
    weights: Array
    field: Array  # gain of the own counts over the other's, at each point
    noisiness: Array  # variance of the noise as a share of the nominal one, which empty pixels do not reach
    normal: Array
    gradient: Array
    lever: Array  # [n, 2, 4] movement (x, y) of each point with the parameters


@dataclass(frozen=True)
class _View:
    """One limb's surroundings, looking for their counterpart in the other image."""

    points: Points  # [n, 2]
    pixels: tuple[NDArray[np.intp], NDArray[np.intp]]  # their rows and columns, from zero
    values: Array  # [n] stabilised own image
    basis: Array  # [n, knots] of the gain
    target: Array  # smoothed other image, background taken off
    slopes: tuple[Array, Array]  # its slopes along x and y, per mm
    background: float  # of the own image
    grid: Grid  # of the other image
    centre: Array
    area_px: float  # pixels a point stands for

    @classmethod
    def of(cls, limb: LimbImage, other: LimbImage, own_image: Array, other_image: Array, thin: int) -> _View:
        from scipy import ndimage

        near = ndimage.distance_transform_cdt(~limb.mask, metric="taxicab") <= _MARGIN_PX
        near[np.indices(near.shape).sum(axis=0) % thin != 0] = False
        rows, columns = np.nonzero(near)
        points = limb.grid.points_of(rows, columns)
        slope_y, slope_x = np.gradient(other_image)
        return cls(
            points=points,
            pixels=(rows - rows.min(), columns - columns.min()),
            values=_stabilised(own_image[rows, columns]),
            basis=_gain_basis(points, limb.centre_mm),
            target=other_image - other.background,
            slopes=(slope_x / other.grid.spacing_mm[1], slope_y / other.grid.spacing_mm[0]),
            background=limb.background,
            grid=other.grid,
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
        mean = max(
            float(
                np.sum(weights * (self.values**2 / 4 - self.background)) / max(np.sum(weights * target), 1e-9)
            ),
            1e-3,
        )
        gains = np.full(self.basis.shape[1], mean)
        for _ in range(2):
            field, predicted = self._predict(gains, target)
            residual = self.values - predicted
            spread = max(1.4826 * float(np.median(np.abs(residual))), math.sqrt(2 * noise))
            robust = weights * np.clip(1.0 - (residual / (_ROBUST_CUTOFF * spread)) ** 2, 0.0, None) ** 2
            design = self.basis * (2.0 * target / predicted)[:, None]
            weighted = robust[:, None] * design
            ridge = self._ridge(mean, noise)
            inner = design.T @ weighted + ridge * np.eye(gains.size)
            gains = gains + np.linalg.solve(inner, weighted.T @ residual - ridge * (gains - mean))
        field, predicted = self._predict(gains, target)
        residual = self.values - predicted

        arm = moved_points - transform(self.centre)
        gx, gy = look(self.slopes[0]), look(self.slopes[1])
        lever = np.zeros((arm.shape[0], 2, 4))
        lever[:, 0, 0], lever[:, 1, 0] = -arm[:, 1], arm[:, 0]
        lever[:, :, 1] = arm
        lever[:, 0, 2] = lever[:, 1, 3] = 1.0
        pose = (2.0 * field / predicted)[:, None] * (gx[:, None] * lever[:, 0] + gy[:, None] * lever[:, 1])
        # Take out of the pose what the gains can explain, so that both are in effect fitted together.
        jacobian = pose - design @ np.linalg.solve(inner, weighted.T @ pose)
        return _System(
            jacobian=jacobian,
            residual=residual,
            weights=robust,
            field=field,
            noisiness=1.0 - _VARIANCE_OFFSET * 4.0 / predicted**2,
            normal=pose.T @ (robust[:, None] * jacobian),
            gradient=jacobian.T @ (robust * residual),
            lever=lever,
        )

    def _predict(self, gains: Array, target: Array) -> tuple[Array, Array]:
        """Return the gain at each point and the stabilised own image it predicts."""
        field = np.maximum(self.basis @ gains, 1e-3)
        return field, _stabilised(field * target + self.background)

    def _ridge(self, mean: float, noise: float) -> float:
        return 2 * noise / self.area_px / (_GAIN_PRIOR_SD * mean) ** 2


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


def _root(matrix: Array) -> Array:
    return np.asarray(np.linalg.cholesky(0.5 * (matrix + matrix.T)))


def _matched_blur_px(sigma: float, pixel_mm: float, grow: float) -> float:
    """Width of the smoothing that makes the total blur `grow` times that of a limb of average size."""
    camera = _CAMERA_SIGMA_MM / pixel_mm
    return math.sqrt(max((sigma**2 + camera**2) * grow**2 - camera**2, 0.25 * sigma**2))


def _smoothed(counts: Array, sigma: float) -> Array:
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(counts, sigma, truncate=3.0, mode="nearest"))


def _stabilised(counts: Array) -> Array:
    """Return 2 √counts, which gives Poisson noise the same size at every level (Anscombe 1948)."""
    return np.asarray(2.0 * np.sqrt(np.maximum(counts, 0.0) + _VARIANCE_OFFSET))


def _gain_basis(points: Points, centre: Array) -> Array:
    """Linear B-splines (hats) along the limb's long direction, one knot every `_GAIN_KNOT_MM`."""
    arm = points - centre
    _, axes = np.linalg.eigh(arm.T @ arm)
    along = arm @ axes[:, -1]
    low, high = float(along.min()), float(along.max())
    knots = max(2, round((high - low) / _GAIN_KNOT_MM) + 1)
    place = (along - low) / max(high - low, 1e-9) * (knots - 1)
    return np.asarray(np.clip(1.0 - np.abs(place[:, None] - np.arange(knots)[None, :]), 0.0, None))
