"""Analytic shapes in millimetres: signed distances, and the thickness of a rounded body seen in projection.

Every function takes the coordinates `u`, `v` (any broadcastable arrays) and returns one value a point.
Distances are negative inside. A projected body has a smooth edge of its own, so nothing needs anti-aliasing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Point = tuple[float, float]


def capsule_distance(u: Array, v: Array, start: Point, end: Point, radii: tuple[float, float]) -> Array:
    """Return the distance to a rod from `start` to `end` whose radius changes evenly between the two ends."""
    du, dv = end[0] - start[0], end[1] - start[1]
    along = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du * du + dv * dv), 0.0, 1.0)
    away = np.hypot(u - start[0] - along * du, v - start[1] - along * dv)
    return np.asarray(away - (radii[0] + along * (radii[1] - radii[0])))


def chain_distance(u: Array, v: Array, points: Sequence[Point], radii: Sequence[float]) -> Array:
    """Return the distance to a chain of tapered rods through `points`, one radius a point."""
    links = zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True)
    return np.asarray(np.minimum.reduce([capsule_distance(u, v, a, b, (ra, rb)) for a, b, ra, rb in links]))


def blob(u: Array, v: Array, centre: Point, sigma: tuple[float, float], *, turned: float = 0.0) -> Array:
    """Return a Gaussian blob of height 1; `sigma` along u and v, turned by `turned` radians."""
    c, s = np.cos(turned), np.sin(turned)
    a = c * (u - centre[0]) + s * (v - centre[1])
    b = -s * (u - centre[0]) + c * (v - centre[1])
    return np.asarray(np.exp(-0.5 * ((a / sigma[0]) ** 2 + (b / sigma[1]) ** 2)))


def smooth_union(distances: Sequence[Array], *, width: float) -> Array:
    """Return the distance to the union of shapes whose inner corners are filled over `width` mm.

    The exponential blend of distances: exact far from any corner, never discontinuous.
    """
    nearest = np.minimum.reduce(distances)
    total = np.zeros_like(nearest)
    for distance in distances:
        total += np.exp(-(distance - nearest) / width)
    return np.asarray(nearest - width * np.log(total))


def thickness(distance: Array, radius: float) -> Array:
    """Return the relative thickness (0 to 1) of a body with rounded edges of `radius` mm, seen from above.

    A quarter circle rises from the edge to full thickness at the depth `radius`: a rod of that radius seen
    in projection, or a slab with a round rim.
    """
    depth = np.clip(-distance / radius, 0.0, 1.0)
    return np.sqrt(depth * (2.0 - depth))


def step(distance: Array, *, width: float = 1.0) -> Array:
    """Return 1 inside and 0 outside, with a linear edge `width` mm wide centred on the outline."""
    return np.clip(0.5 - distance / width, 0.0, 1.0)
