"""The Gauss-Newton walk under registration: two smoothed limbs, compared in both directions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sudeck.scan.limbs.geometry import Similarity
from sudeck.scan.limbs.image_comparison import ImageComparison, View
from sudeck.scan.limbs.limb_image import Array, LimbImage, matched_blur_px, same_blur_px, smoothed

PARAMETERS = ("rotation_rad", "log_scale", "shift_x_mm", "shift_y_mm")
_MISFIT_REACH_PX = 4.0  # over which differences between limbs are taken to be alike
_LEAST_SIGNAL = (
    0.1  # of the apparent information on the pose that is taken for real, however noisy the images
)
_LARGEST_STEP = np.array([0.15, 0.08, 8.0, 8.0])  # of one iteration, in PARAMETERS
_ARM_MM = 60.0  # half a limb: turns angles into movements of its ends
_ARMS = np.array([_ARM_MM, _ARM_MM, 1.0, 1.0])


def moved(transform: Similarity, centre: Array, step: Array) -> Similarity:
    """Return `transform`, then a turn, a growth and a shift (`PARAMETERS`) about the image of `centre`."""
    middle = transform(centre)
    change = Similarity.about(
        middle, middle + step[2:], rotation_deg=math.degrees(step[0]), log_scale=float(step[1])
    )
    return transform.then(change)


@dataclass(frozen=True)
class Fit:
    """What a solved match says about its transform; see `sudeck.scan.limbs.registration.Registration`."""

    covariance: Array
    dispersion: float
    inflation: float
    residual: float
    gain: float
    overlap: float
    misfit: float
    misfit_sd: float
    slope: float


@dataclass(frozen=True)
class Match:
    """Two limbs at one level of smoothing, compared in both directions.

    One direction alone lets a limb slide off the part of the other that nobody looks at; both together
    also make the result the same whichever limb comes first.
    """

    forward: View
    backward: View
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
        thin: int = 2,
    ) -> Match:
        """Smooth both images once for all steps.

        The images are smoothed so that camera and smoothing together blur each limb in proportion to its
        size; equal blur on unequal limbs would make them look more equal than they are. `sigma` counts in
        pixels of the first image; the second, whatever its pixels, is smoothed by as many millimetres.
        """
        grow = math.sqrt(prior.scale if size is None else size)
        blurs = [
            matched_blur_px(same_blur_px(sigma, first.grid, limb.grid), limb.grid.pixel_mm, times)
            for limb, times in ((first, 1 / grow), (second, grow))
        ]
        images = [smoothed(limb.counts, blur) for limb, blur in zip((first, second), blurs, strict=True)]
        return cls(
            View.of(first, second, images[0], images[1], thin),
            View.of(second, first, images[1], images[0], thin),
            prior,
            np.asarray(prior_sd, dtype=np.float64),
            1.0 / (4.0 * math.pi * sigma**2),
            sigma,
        )

    @property
    def centre(self) -> Array:
        """Point of the first limb about which rotation and size are counted."""
        return self.forward.centre

    def solve(self, start: Similarity, *, iterations: int = 12, heed_misfit: bool = False) -> Similarity:
        """Walk from `start` to the best transform.

        With `heed_misfit`, pixels count the less against the prior the worse the limbs agree.
        """
        transform = start
        inflation = 1.0
        for number in range(iterations):
            there = self.forward.compare(transform, self.noise)
            back = self.backward.compare(transform.inverse(), self.noise)
            if heed_misfit and number == 1:
                inflation = self._inflation(there)
            link = self._link(transform)
            normal = 0.5 * (there.normal + link.T @ back.normal @ link)
            gradient = 0.5 * (there.gradient + link.T @ back.gradient)
            precision = inflation * self._unit(there) / self.prior_sd**2
            pull = gradient - precision * self._departure(transform)
            step: Array = np.linalg.solve(normal + np.diag(precision), pull).astype(np.float64)
            step = step * min(1.0, float(np.min(_LARGEST_STEP / np.maximum(np.abs(step), 1e-12))))
            transform = moved(transform, self.centre, step)
            change = float(np.max(np.abs(step) * _ARMS))
            if number >= 1 and change < 0.02 * self.sigma * self.forward.grid.pixel_mm:
                break
        return transform

    def cost(self, transform: Similarity) -> float:
        """Weighted mean square residual of both directions."""
        systems = (
            self.forward.compare(transform, self.noise),
            self.backward.compare(transform.inverse(), self.noise),
        )
        return sum(float(np.sum(s.weights * s.residual**2) / s.weights.sum()) for s in systems)

    def report(self, transform: Similarity) -> Fit:
        """Return covariance and quality of a solved transform."""
        there = self.forward.compare(transform, self.noise)
        poisson, shown = self._fillings(there)
        inflation = max(1.0, float(np.trace(np.linalg.solve(poisson, shown))) / 4)
        bread = np.linalg.inv(self._signal_normal(there))
        data = np.linalg.inv(inflation * (bread @ poisson @ bread))
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
            misfit=(dispersion - 1.0) * float(np.sum(there.weights * noise) / np.sum(noise)),
            misfit_sd=self._misfit_sd(there, noise),
            slope=self._slope(there, noise),
        )

    def _misfit_sd(self, there: ImageComparison, noise: Array) -> float:
        """How far from nothing noise alone leaves the misfit: squares of smoothed noise hang together."""
        alike = max(2.0 * math.pi * self.sigma**2 / self.forward.area_px, 1.0)
        return math.sqrt(2.0 * alike * float(np.sum(np.square(there.weights * noise)))) / float(np.sum(noise))

    def _slope(self, there: ImageComparison, noise: Array) -> float:
        """Mean squared slope along one direction over the noise, less the slopes of the noise."""
        shown = np.sum(np.square(there.shift), axis=1) / 2.0
        pretended = (
            self.noise
            * there.noisiness
            * there.field
            / (2.0 * (self.sigma * self.forward.grid.pixel_mm) ** 2)
        )
        return float(np.sum(there.weights * (shown - pretended)) / np.sum(noise))

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

    def _unit(self, system: ImageComparison) -> float:
        return (
            self.noise
            * (1.0 + float(np.mean(system.field)))
            * 4
            * math.pi
            * self.sigma**2
            / self.forward.area_px
        )

    def _inflation(self, there: ImageComparison) -> float:
        poisson, shown = self._fillings(there)
        return max(1.0, float(np.trace(np.linalg.solve(poisson, shown))) / 4)

    def _fillings(self, there: ImageComparison) -> tuple[Array, Array]:
        """Variance of the gradient, from Poisson noise under the smoothing, and from the residuals."""
        spread = np.sqrt(self.noise * there.noisiness * (1.0 + there.field))
        return (
            self._filling(there, spread, self.sigma * math.sqrt(2.0)),
            self._filling(there, there.residual, _MISFIT_REACH_PX),
        )

    def _filling(self, there: ImageComparison, spread: Array, correlation_px: float) -> Array:
        from scipy import ndimage

        scores = there.jacobian * (there.weights * spread)[:, None]
        row, column = self.forward.pixels
        image = np.zeros((4, int(row.max()) + 1, int(column.max()) + 1))
        image[:, row, column] = scores.T
        near = np.stack(
            [ndimage.gaussian_filter(layer, correlation_px, mode="constant", truncate=3.0) for layer in image]
        )
        return np.asarray(near[:, row, column] @ scores * (2 * math.pi * correlation_px**2))

    def _signal_normal(self, there: ImageComparison) -> Array:
        """Return the normal matrix without what the slopes of the noise pretend to know about the pose."""
        slope_noise = (
            there.weights
            * there.noisiness
            * there.field
            * self.noise
            / (2.0 * self.sigma**2 * self.forward.grid.pixel_mm**2)
        )
        pretended = sum(
            there.lever[:, axis].T @ (slope_noise[:, None] * there.lever[:, axis]) for axis in (0, 1)
        )
        root = _root(there.normal)
        values, vectors = np.linalg.eigh(np.linalg.solve(root, np.linalg.solve(root, pretended).T))
        turned = root @ vectors
        return np.asarray(turned @ np.diag(np.maximum(1.0 - values, _LEAST_SIGNAL)) @ turned.T)


def _root(matrix: Array) -> Array:
    return np.asarray(np.linalg.cholesky(0.5 * (matrix + matrix.T)))
