"""What the camera does to a ratio: blur, scatter and background undone for the ratio of uptake per area.

The *image ratio* is that of the counts in the image. Background is added to both limbs alike, scatter carries
counts from the hotter limb to the colder one, and blur from a hot place to its neighbours: all three pull a
ratio towards 1. Here the image is taken for ``b + (1 - s) G * A + s S * A``, with the uptake A of both limbs,
a Gaussian G of the camera's resolution, a broad Gaussian S for the share s that is scattered, and a level
background b. A is found by a few steps of Richardson and Lucy (Richardson, J Opt Soc Am 1972;62:55-59),
its level on each side and b by what the two regions and the field away from both limbs hold.

Blur is as wide on a large limb as on a small one, so that the small one loses the larger part of its counts
across its edge and a limb that is larger as a whole would show a ratio too high. Before all else the larger
limb is therefore blurred on, until blur is to its size what it is to the other's: the two images are then
one image at two sizes, and whatever region is compared, its edges lose alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.limbs.poses import PhasePose

Array = NDArray[np.float64]

_FWHM_PER_SIGMA: Final = 2.0 * math.sqrt(2.0 * math.log(2.0))
_STEPS = 6  # of Richardson and Lucy: enough for limbs, few enough not to build up noise
_CLEARANCE_MM = 15.0  # from both limbs, of what counts as away
_MIN_AWAY_PX = 50
_LARGEST_MATRIX = 160  # larger images are binned by two: the camera resolves no more
SIDES: Final = ("affected", "healthy")


_MEASURED = 0.1  # error of a property of the camera that was measured, as a share of it


@dataclass(frozen=True)
class CameraResponse(Record):
    """Blur and scatter of a camera over a limb, each with its standard error.

    Take the resolution from the acceptance test of the camera (full width at half maximum at the distance of
    the limb, with the collimator in use). The defaults are Sudeck's own: parallel-hole high-resolution
    collimators resolve 6 to 9 mm at 5 to 10 cm, and a hand or foot of 3 to 6 cm scatters a tenth of what a
    20 % window counts, spread over centimetres; no measurement on limbs was found, hence their errors.

    Attributes
    ----------
    fwhm_mm, fwhm_sd_mm : float
        Resolution.
    scatter_share, scatter_share_sd : float
        Share of the counts that were scattered.
    scatter_fwhm_mm, scatter_fwhm_sd_mm : float
        How far they spread.
    """

    fwhm_mm: float = 7.5
    fwhm_sd_mm: float = 1.5
    scatter_share: float = 0.10
    scatter_share_sd: float = 0.05
    scatter_fwhm_mm: float = 70.0
    scatter_fwhm_sd_mm: float = 20.0

    @classmethod
    def stated(cls, *, fwhm_mm: float | None = None, scatter_share: float | None = None) -> CameraResponse:
        """Return what the acceptance test of a camera says, with a tenth of it as error; the defaults else.

        Parameters
        ----------
        fwhm_mm, scatter_share : float, optional

        Examples
        --------
        >>> CameraResponse.stated(fwhm_mm=8.0).fwhm_sd_mm
        0.8
        """
        stated: dict[str, float] = {}
        if fwhm_mm is not None:
            stated |= {"fwhm_mm": fwhm_mm, "fwhm_sd_mm": _MEASURED * fwhm_mm}
        if scatter_share is not None:
            stated |= {"scatter_share": scatter_share, "scatter_share_sd": _MEASURED * scatter_share}
        return cls(**stated)


@dataclass(frozen=True)
class Correction:
    """The log ratio of uptake per area that an image shows, and its errors beyond counting and placement.

    Attributes
    ----------
    value : float
        Natural logarithm of affected over healthy.
    errors : mapping of str to float
        Signed effect of one standard error of each property of the camera, alike in all phases.
    background_se : float
        Standard error from the counts of the background.
    gain : float
        How many times the errors of the image ratio weigh in that of uptake.
    """

    value: float
    errors: Mapping[str, float]
    background_se: float
    gain: float


@dataclass(frozen=True)
class CameraImages:
    """Images of each limb's uptake, sharp and as the camera shows it; the level away from both."""

    phase: ScanPhase
    uptake: Mapping[str, Array]
    unscattered: Mapping[str, Mapping[str, Array]]  # blurred, without scatter: by variant, then side
    seen: Mapping[str, Mapping[str, Array]]  # by variant, then side
    away: NDArray[np.bool_]
    image: Array
    equal_blur: Mapping[str, Array]  # by side: the larger limb blurred on in proportion to its size
    fwhm_error: float  # standard error of the blur, as a share of it
    bins: int


def correct_for_camera(
    responses: CameraImages, weights: Mapping[str, Array], *, whole_limb: bool = False
) -> Correction:
    """Return the log ratio of uptake per area in two regions of an image, with what is not known of it.

    Parameters
    ----------
    responses : CameraImages
        From `camera_images`; it does not depend on the region.
    weights : mapping of str to ndarray, shape [row, column]
        Share of each pixel in the ``"affected"`` and the ``"healthy"`` region.
    whole_limb : bool
        Whether the regions end where the limbs do. What blur takes across the skin it takes from both limbs
        alike, and to undo it would only make more of where the regions end: blur is then left as it is.

    Raises
    ------
    InputError
        If a limb hardly rises above background and scatter.
    """
    shares = {side: _binned(weights[side], responses.bins) for side in SIDES}
    areas = {side: float(shares[side].sum()) for side in SIDES}
    held = {side: float((responses.equal_blur[side] * shares[side]).sum()) / areas[side] for side in SIDES}

    def log_uptake(variant: str, background: float = 0.0) -> float:
        level = _levels(responses, variant, shares, areas, held, background)
        limbs = responses.unscattered[variant] if whole_limb else responses.uptake
        sharp = [
            level[number] * float((limbs[side] * shares[side]).sum()) / areas[side]
            for number, side in enumerate(SIDES)
        ]
        if min(sharp) <= 0:
            raise InputError(
                f"{responses.phase} phase",
                "one limb hardly rises above background and scatter",
                "use the image ratio",
            )
        return math.log(sharp[0] / sharp[1])

    value = log_uptake("nominal")
    errors = {
        name: 0.5 * (log_uptake(f"{name} +") - log_uptake(f"{name} -"))
        for name in ("blur", "scatter", "spread")
    }
    away = responses.image[responses.away]
    errors["blur"] += _of_size(responses, shares, held)
    error = math.sqrt(max(float(away.sum()), 1.0)) / away.size
    background_se = abs(log_uptake("nominal", error) - value)
    level = _levels(responses, "nominal", shares, areas, held, 0.0)
    own = min(
        level[number]
        * float((responses.seen["nominal"][side] * shares[side]).sum())
        / areas[side]
        / held[side]
        for number, side in enumerate(SIDES)
    )
    return Correction(value, errors, background_se, 1.0 / min(max(own, 0.2), 1.0))


def _of_size(responses: CameraImages, shares: Mapping[str, Array], held: Mapping[str, float]) -> float:
    """Return what one standard error of the blur moves by how much the larger limb is blurred on."""
    moved = [
        math.log(held[side] * float(shares[side].sum()) / float((responses.image * shares[side]).sum()))
        for side in SIDES
    ]
    return 2.0 * responses.fwhm_error * (moved[0] - moved[1])  # losses at an edge grow as the square of blur


def _levels(
    responses: CameraImages,
    variant: str,
    shares: Mapping[str, Array],
    areas: Mapping[str, float],
    held: Mapping[str, float],
    background: float,
) -> Array:
    """Return by what the uptake of each limb must be multiplied for the regions to hold what they hold."""
    seen = responses.seen[variant]
    far = {side: float(seen[side][responses.away].mean()) for side in SIDES}
    matrix = np.array(
        [
            [float((seen[source] * shares[side]).sum()) / areas[side] - far[source] for source in SIDES]
            for side in SIDES
        ]
    )
    outside = float(responses.image[responses.away].mean()) + background
    return np.asarray(np.linalg.solve(matrix, np.array([held[side] - outside for side in SIDES])))


def camera_images(pose: PhasePose, camera: CameraResponse, *, image: Array | None = None) -> CameraImages:
    """Find the uptake of both limbs of a phase, and how the camera shows it.

    Parameters
    ----------
    pose : PhasePose
    camera : CameraResponse
    image : ndarray, optional
        Counts, where not those of `pose`: without hot spots.

    Raises
    ------
    InputError
        If too little of the image lies away from both limbs to know its background.
    """
    from scipy import ndimage

    counts = pose.image if image is None else image
    bins = 2 if max(counts.shape) > _LARGEST_MATRIX else 1
    binned = _binned(counts, bins) / bins**2
    pixel_mm = pose.grid.pixel_mm * bins
    labels = {"affected": pose.affected_label, "healthy": pose.healthy_label}
    masks = {side: _binned(pose.limbs.mask(label).astype(float), bins) > 0 for side, label in labels.items()}
    distance = ndimage.distance_transform_edt(~(masks["affected"] | masks["healthy"])) * pixel_mm
    away = np.asarray(distance > _CLEARANCE_MM)
    away[:2, :] = away[-2:, :] = away[:, :2] = away[:, -2:] = False
    if away.sum() < _MIN_AWAY_PX:
        raise InputError(
            f"{pose.phase} phase",
            f"only {int(away.sum())} pixels lie {_CLEARANCE_MM:g} mm away from both limbs, so background and "
            "scatter are not known",
            "use the image ratio",
        )
    level = float(binned[away].mean())
    sigma = camera.fwhm_mm / _FWHM_PER_SIGMA / pixel_mm
    size = {"affected": 1.0 / pose.mirror.transform.scale, "healthy": 1.0}
    wider = {side: size[side] / min(size.values()) for side in SIDES}
    equal = {
        side: _smooth(binned, math.sqrt(wider[side] ** 2 - 1.0) * sigma) if wider[side] > 1.0 else binned
        for side in SIDES
    }
    uptake = {
        side: _sharpened(np.maximum(equal[side] - level, 0.0), mask, wider[side] * sigma)
        for side, mask in masks.items()
    }
    both = {
        "nominal": (0.0, 0.0, 0.0),
        "blur +": (1.0, 0.0, 0.0),
        "blur -": (-1.0, 0.0, 0.0),
        "scatter +": (0.0, 1.0, 0.0),
        "scatter -": (0.0, -1.0, 0.0),
        "spread +": (0.0, 0.0, 1.0),
        "spread -": (0.0, 0.0, -1.0),
    }
    sharp = {
        step: _blurred(uptake, camera.fwhm_mm + step * camera.fwhm_sd_mm, pixel_mm, wider)
        for step in (0, 1, -1)
    }
    alike = dict.fromkeys(SIDES, 1.0)
    broad = {
        step: _blurred(uptake, camera.scatter_fwhm_mm + step * camera.scatter_fwhm_sd_mm, pixel_mm, alike)
        for step in (0, 1, -1)
    }
    seen, unscattered = {}, {}
    for name, (blur, scatter, spread) in both.items():
        unscattered[name] = sharp[round(blur)]
        share = float(np.clip(camera.scatter_share + scatter * camera.scatter_share_sd, 0.0, 0.9))
        seen[name] = {
            side: (1 - share) * sharp[round(blur)][side] + share * broad[round(spread)][side]
            for side in SIDES
        }
    fwhm_error = camera.fwhm_sd_mm / camera.fwhm_mm
    return CameraImages(pose.phase, uptake, unscattered, seen, away, binned, equal, fwhm_error, bins)


def _sharpened(image: Array, mask: NDArray[np.bool_], sigma: float) -> Array:
    """Undo the blur inside a limb by a few steps of Richardson and Lucy."""
    box = _box(mask)  # outside the limb there is nothing to find, nor anything that adds to it
    limb = np.where(mask[box], image[box], 0.0)
    found = limb
    for _ in range(_STEPS):
        blurred = np.maximum(_smooth(found, sigma), 1e-9)
        found = found * _smooth(limb / blurred, sigma)
    whole = np.zeros_like(image)
    whole[box] = found
    return whole


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns that hold something of a mask."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _blurred(
    uptake: Mapping[str, Array], fwhm_mm: float, pixel_mm: float, wider: Mapping[str, float]
) -> dict[str, Array]:
    sigma = max(fwhm_mm, 1.0) / _FWHM_PER_SIGMA / pixel_mm
    return {side: _blurred_limb(image, wider[side] * sigma) for side, image in uptake.items()}


def _blurred_limb(image: Array, sigma: float) -> Array:
    """Blur an image that is empty but for one limb: along the rows only those that hold something."""
    from scipy import ndimage

    rows, _ = _box(image > 0)
    along = np.zeros_like(image)
    if rows.stop > rows.start:
        along[rows] = ndimage.gaussian_filter1d(image[rows], sigma, axis=1, mode="constant", truncate=3.0)
    return np.asarray(ndimage.gaussian_filter1d(along, sigma, axis=0, mode="constant", truncate=3.0))


def _smooth(image: Array, sigma: float) -> Array:
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(image, sigma, mode="constant", truncate=3.0))


def _binned(image: Array, bins: int) -> Array:
    if bins == 1:
        return image
    rows, columns = (size // bins * bins for size in image.shape)
    return np.asarray(
        image[:rows, :columns].reshape(rows // bins, bins, columns // bins, bins).sum(axis=(1, 3))
    )
