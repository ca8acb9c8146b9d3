"""The counterpart as a person sets it: which place of the healthy limb answers to which of the affected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.storage import parse_json, read_limited
from sudeck.scan.limbs.geometry import Grid, Similarity
from sudeck.scan.limbs.poses import PhasePose, Poses
from sudeck.scan.limbs.registration import judge
from sudeck.scan.ratios.drawn_regions import number_of, numbers_of

_KEYS = {"unit", "centre", "counterpart", "rotation_deg", "scale", "error"}
_ERROR_KEYS = {"shift", "rotation_deg", "scale"}
# What is taken for the error of a hand where the person states none. Sudeck's own.
_HAND_SHIFT_MM = 2.0
_HAND_ROTATION_DEG = 2.0
_HAND_SCALE = 0.02
# How well a limb's silhouette is followed from the reference image to another phase, both limbs together.
_CARRY_SD = (math.radians(0.7), 0.0, 1.0, 1.0)
_LARGEST_SCALE = 2.0
_LEAST_ON_LIMB = 0.5  # of the affected limb, on the healthy one


@dataclass(frozen=True)
class SetMirror:
    """A mirror transform set by a person on the reference image.

    Attributes
    ----------
    transform : Similarity
        From the affected to the healthy limb, in mm.
    centre_mm : ndarray, shape [2]
        The point of the affected limb about which rotation and size are counted.
    sd : tuple of 4 floats
        Error stated by the person, in `sudeck.scan.limbs.matching.PARAMETERS`: one for all phases.
    """

    transform: Similarity
    centre_mm: NDArray[np.float64]
    sd: tuple[float, float, float, float]


def set_mirror(shape: Mapping[str, Any], grid: Grid, *, subject: str = "mirror") -> SetMirror:
    """Return the counterpart that a person set.

    Parameters
    ----------
    shape : mapping
        ``{"unit": "px" | "mm", "centre": [x, y], "counterpart": [x, y], "rotation_deg", "scale", "error"}``.
        `centre` lies on the affected limb of the reference image, `counterpart` is the same place of the
        healthy limb, both as `sudeck.scan.ratios.drawn_regions.drawn_region` counts points. The affected
        limb is mirrored left to right, turned clockwise by `rotation_deg` (0) and enlarged by `scale` (1).
        ``"error": {"shift", "rotation_deg", "scale"}`` states standard errors, the shift in `unit`.
    grid : Grid
        Of the reference image.

    Raises
    ------
    InputError
        If a field is missing or can not be.
    """
    unknown = sorted(set(shape) - _KEYS)
    if unknown:
        raise InputError(
            subject, f"it has an unknown key '{unknown[0]}'", f"use only {', '.join(sorted(_KEYS))}"
        )
    unit = shape.get("unit")
    if unit not in ("px", "mm"):
        raise InputError(subject, "its unit is neither px nor mm", 'add "unit": "px" or "mm"')
    to_mm = np.array([grid.spacing_mm[1], grid.spacing_mm[0]]) if unit == "px" else np.ones(2)
    first_pixel = grid.points_of(0.0, 0.0)
    centre, image = (
        numbers_of(shape, key, subject, most=1)[0] * to_mm + first_pixel for key in ("centre", "counterpart")
    )
    scale = number_of(shape, "scale", subject, default=1.0)
    if not 1 / _LARGEST_SCALE <= scale <= _LARGEST_SCALE:
        raise InputError(
            subject, f"a scale of {scale:g} is none of two limbs of one person", "write scale about 1"
        )
    transform = Similarity.about(
        centre,
        image,
        rotation_deg=number_of(shape, "rotation_deg", subject),
        log_scale=math.log(scale),
        mirrored=True,
    )
    return SetMirror(transform, centre, _stated_error(shape.get("error", {}), float(to_mm.mean()), subject))


def read_mirror_file(path: Path) -> Mapping[str, Any]:
    """Read the counterpart that a file holds, as `set_mirror` takes it.

    Raises
    ------
    InputError
        If it is no JSON object.
    """
    content = parse_json(read_limited(path, subject=path.name), subject=path.name)
    if not isinstance(content, Mapping):
        raise InputError(path.name, "it is no JSON object", "see docs/regions.md for how to write one")
    return content


def describe_mirror(transform: Similarity, centre_mm: NDArray[np.float64], grid: Grid) -> dict[str, Any]:
    """Return a mirror transform as `set_mirror` takes it, for a person to begin with; in pixels."""
    to_px = 1.0 / np.array([grid.spacing_mm[1], grid.spacing_mm[0]])
    first_pixel = grid.points_of(0.0, 0.0)
    return {
        "unit": "px",
        "centre": ((centre_mm - first_pixel) * to_px).tolist(),
        "counterpart": ((transform(centre_mm) - first_pixel) * to_px).tolist(),
        "rotation_deg": transform.rotation_deg,
        "scale": transform.scale,
    }


def lay_over(poses: Poses, mirror: SetMirror, *, subject: str = "mirror") -> Poses:
    """Return the poses of all phases with the counterpart that a person set instead of the one found.

    In the other phases it follows each limb by its silhouette.

    Raises
    ------
    InputError
        If the affected limb does not come to lie on the healthy one.
    """
    return Poses(
        poses.reference,
        {
            name: _with_mirror(pose, mirror, subject, carried=name != poses.reference)
            for name, pose in poses.phases.items()
        },
        poses.refused,
    )


def _with_mirror(pose: PhasePose, mirror: SetMirror, subject: str, *, carried: bool) -> PhasePose:
    there = pose.from_reference.inverse().then(mirror.transform).then(pose.healthy_from_reference)
    grid = pose.grid
    limb = there(grid.centres()[pose.limbs.mask(pose.affected_label)])
    seen = limb[grid.contains(limb)]
    row, column = (np.rint(place).astype(int) for place in grid.pixel_of(seen))
    share = float(pose.limbs.mask(pose.healthy_label)[row, column].mean()) if seen.size else 0.0
    if share < _LEAST_ON_LIMB:
        raise InputError(
            subject,
            f"only {100 * share:.0f} % of the affected limb comes to lie on the healthy one "
            f"in the {pose.phase} phase",
            "set centre and counterpart on the same place of the two limbs of the reference image",
        )
    found = judge(pose.affected(), pose.healthy(), there)
    carry = np.square(_CARRY_SD) if carried else np.zeros(4)
    return replace(
        pose,
        joint=None,
        mirror=replace(
            found,
            transform=there,
            centre_mm=pose.from_reference(mirror.centre_mm),
            covariance=np.diag(np.square(mirror.sd) + carry),
            set_sd=mirror.sd,
        ),
    )


def _stated_error(stated: Any, unit_mm: float, subject: str) -> tuple[float, float, float, float]:
    if not isinstance(stated, Mapping) or set(stated) - _ERROR_KEYS:
        raise InputError(
            subject,
            '"error" does not state its errors',
            'write {"shift": 2, "rotation_deg": 2, "scale": 0.02}',
        )
    shift = number_of(stated, "shift", subject, default=_HAND_SHIFT_MM / unit_mm) * unit_mm
    turn = number_of(stated, "rotation_deg", subject, default=_HAND_ROTATION_DEG)
    scale = number_of(stated, "scale", subject, default=_HAND_SCALE)
    if shift <= 0 or turn < 0 or scale < 0 or scale >= 1:
        raise InputError(subject, "an error it states can not be", "state errors above 0, scale below 1")
    return (math.radians(turn), scale, shift, shift)
