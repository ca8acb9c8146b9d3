"""Regions that a person draws on the affected limb: the JSON file, and the region it describes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.storage import parse_json, read_limited
from sudeck.scan.limbs.geometry import Grid, Points
from sudeck.scan.ratios.regions import SAMPLES_PER_PIXEL, Region, make_region, sample_points

_KEYS = {"name", "type", "unit", "points", "centre", "radii", "rotation_deg"}


def drawn_region(shape: Mapping[str, Any], grid: Grid, *, subject: str = "region file") -> Region:
    """Return a region that a person drew on the affected limb.

    Parameters
    ----------
    shape : mapping
        ``{"name", "type": "polygon", "unit": "px" | "mm", "points": [[x, y], …]}`` or
        ``{"name", "type": "ellipse", "unit", "centre": [x, y], "radii": [a, b], "rotation_deg"}``;
        x along the columns, y along the rows, both from the centre of the first pixel, as viewers count.
    grid : Grid
        Of the image it was drawn on: the reference image.

    Raises
    ------
    InputError
        If a field is missing or of the wrong kind, or the region lies outside the image.
    """
    name = str(shape.get("name", "drawn"))
    unknown = sorted(set(shape) - _KEYS)
    if unknown:
        raise InputError(
            subject,
            f"region '{name}' has an unknown key '{unknown[0]}'",
            f"use only {', '.join(sorted(_KEYS))}",
        )
    unit = shape.get("unit")
    if unit not in ("px", "mm"):
        raise InputError(
            subject, f"the unit of region '{name}' is neither px nor mm", 'add "unit": "px" or "mm"'
        )
    pixel_mm = np.array([grid.spacing_mm[1], grid.spacing_mm[0]])
    to_mm = pixel_mm if unit == "px" else np.ones(2)
    first_pixel = grid.points_of(0.0, 0.0)
    samples = sample_points(grid)
    kind = shape.get("type")
    if kind == "polygon":
        corners = numbers_of(shape, "points", subject, least=3) * to_mm + first_pixel
        inside = ((samples >= corners.min(axis=0)) & (samples <= corners.max(axis=0))).all(axis=1)
        inside[inside] = _in_polygon(samples[inside], corners)
    elif kind == "ellipse":
        centre = numbers_of(shape, "centre", subject, most=1)[0] * to_mm + first_pixel
        radii = numbers_of(shape, "radii", subject, most=1)[0] * to_mm
        if (radii <= 0).any():
            raise InputError(
                subject, f"region '{name}' has a radius that is not positive", "correct its radii"
            )
        angle = math.radians(number_of(shape, "rotation_deg", subject))
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        inside = (((samples - centre) @ turn.T / radii) ** 2).sum(axis=1) <= 1.0
    else:
        raise InputError(
            subject,
            f"region '{name}' is neither a polygon nor an ellipse",
            'set "type" to "polygon" or "ellipse"',
        )
    if inside.sum() < 4 * SAMPLES_PER_PIXEL**2:
        raise InputError(
            subject,
            f"region '{name}' covers fewer than four pixels of the image",
            "check its unit and its points",
        )
    points = samples[inside]
    return make_region(name, points, grid, drawn=True, rim=np.zeros(points.shape[0], dtype=bool))


def _in_polygon(points: Points, corners: Points) -> NDArray[np.bool_]:
    from skimage.measure import points_in_poly

    return np.asarray(points_in_poly(points, corners))


def number_of(shape: Mapping[str, Any], key: str, subject: str, *, default: float = 0.0) -> float:
    """Return one number of a drawn shape; refuses what is none."""
    value = shape.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(subject, f'"{key}" is not a number', f'write "{key}" as a number')
    return float(value)


def numbers_of(
    shape: Mapping[str, Any], key: str, subject: str, *, least: int = 1, most: int | None = None
) -> NDArray[np.float64]:
    """Return the points of a drawn shape, shape [n, 2]; refuses what are none."""
    value = shape.get(key)
    try:
        numbers = np.atleast_2d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        numbers = np.empty((0, 2))
    usable = numbers.ndim == 2 and numbers.shape[1] == 2 and bool(np.isfinite(numbers).all())
    if not usable or numbers.shape[0] < least or (most is not None and numbers.shape[0] > most):
        raise InputError(subject, f'"{key}" is not a list of (x, y) numbers', f'write "{key}" as numbers')
    return numbers


def read_region_file(path: Path) -> Mapping[str, Any]:
    """Read the one region of a region file.

    Raises
    ------
    InputError
        If it is not JSON, or does not hold exactly one region.
    """
    data = read_limited(path, subject=path.name)
    try:
        content = parse_json(data, subject=path.name)
    except InputError as error:
        raise InputError(
            path.name, "it is not a JSON file", "see docs/regions.md for how to write one"
        ) from error
    shapes = regions_of_file(content, subject=path.name)
    if len(shapes) > 1:
        raise InputError(path.name, f"it holds {len(shapes)} regions", "measure one region at a time")
    return shapes[0]


def regions_of_file(content: Any, *, subject: str) -> Sequence[Mapping[str, Any]]:
    """Return the region descriptions of a parsed region file: one object, or a list under ``"regions"``."""
    shapes = content.get("regions", [content]) if isinstance(content, Mapping) else content
    if (
        not isinstance(shapes, Sequence)
        or not shapes
        or not all(isinstance(shape, Mapping) for shape in shapes)
    ):
        raise InputError(subject, "it holds no region", 'write one object with "type", "unit" and "points"')
    return list(shapes)
