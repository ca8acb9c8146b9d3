"""Maps of the plane as 3×3 matrices on ``(x, y, 1)``: poses of limbs, and pixels in millimetres."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

FLIP: Matrix = np.diag([-1.0, 1.0, 1.0])  # mirrors left and right about x = 0


def shift(x: float, y: float) -> Matrix:
    """Return the translation by `x` to the right and `y` downwards."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def turn(degrees: float, *, scale: float = 1.0) -> Matrix:
    """Return the rotation about the origin, clockwise as seen on the image (y points down), times `scale`.

    Examples
    --------
    >>> apply(turn(90.0), np.array([[1.0, 0.0]])).round(6).tolist()
    [[0.0, 1.0]]
    """
    c, s = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def about(centre: tuple[float, float], matrix: Matrix) -> Matrix:
    """Return `matrix` carried out about `centre` instead of the origin."""
    return shift(*centre) @ matrix @ shift(-centre[0], -centre[1])


def apply(matrix: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `points` ``[..., 2]`` as ``(x, y)`` mapped by `matrix`."""
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def millimetres_from_pixels(size: int, spacing_mm: float) -> Matrix:
    """Return the map from pixel centres ``(column, row)`` to mm from the centre of a square field."""
    middle = spacing_mm * (size - 1) / 2
    return np.array([[spacing_mm, 0.0, -middle], [0.0, spacing_mm, -middle], [0.0, 0.0, 1.0]])


def size_of(matrix: Matrix) -> float:
    """Return the factor by which a similarity enlarges lengths."""
    return float(math.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def inverse(matrix: Matrix) -> Matrix:
    """Return the map that undoes `matrix`."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
