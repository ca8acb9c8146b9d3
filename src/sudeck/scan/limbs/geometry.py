"""Points, pixels and similarity transforms, in millimetres of the image plane.

One convention everywhere: a point is ``(x, y)`` in mm from the centre of the field of view, x along the
columns to the right, y along the rows downwards. Images of another matrix or zoom of the same camera then
show the same place at the same point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # [..., 2] as (x, y) in mm


@dataclass(frozen=True)
class Grid:
    """The pixel grid of an image: its shape and the size of a pixel.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    spacing_mm : tuple of float
        Height and width of a pixel (DICOM order: row spacing, column spacing).
    """

    shape: tuple[int, int]
    spacing_mm: tuple[float, float]

    @property
    def pixel_mm(self) -> float:
        """Side of the square that has the area of one pixel."""
        return math.sqrt(self.spacing_mm[0] * self.spacing_mm[1])

    @property
    def centre_px(self) -> tuple[float, float]:
        """Fractional (row, column) of the centre of the field."""
        return (self.shape[0] - 1) / 2, (self.shape[1] - 1) / 2

    def pixel_of(self, points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return fractional (row, column) of points in mm."""
        row, column = self.centre_px
        return points[..., 1] / self.spacing_mm[0] + row, points[..., 0] / self.spacing_mm[1] + column

    def points_of(self, rows: Any, columns: Any) -> Points:
        """Return points in mm of (fractional) rows and columns."""
        return np.stack(
            [
                (np.asarray(columns, dtype=float) - self.centre_px[1]) * self.spacing_mm[1],
                (np.asarray(rows, dtype=float) - self.centre_px[0]) * self.spacing_mm[0],
            ],
            axis=-1,
        )

    def centres(self) -> Points:
        """Return the pixel centres in mm, shape ``[row, column, 2]``."""
        rows, columns = np.mgrid[: self.shape[0], : self.shape[1]]
        return self.points_of(rows, columns)

    def contains(self, points: Points, *, margin_px: float = 0.0) -> NDArray[np.bool_]:
        """Tell which points lie inside the field of view, `margin_px` away from its edge."""
        row, column = self.pixel_of(points)
        return (
            (row >= margin_px)
            & (row <= self.shape[0] - 1 - margin_px)
            & (column >= margin_px)
            & (column <= self.shape[1] - 1 - margin_px)
        )


@dataclass(frozen=True)
class Similarity:
    """Rotation, uniform scaling, shift and, where asked, a left-right mirror: ``y = matrix @ x + offset``.

    Attributes
    ----------
    matrix : ndarray of shape (2, 2)
    offset : ndarray of shape (2,)
        In mm.

    Examples
    --------
    >>> turn = Similarity.about(np.zeros(2), np.zeros(2), rotation_deg=90)
    >>> turn(np.array([1.0, 0.0])).round(6)
    array([0., 1.])
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]

    @classmethod
    def identity(cls) -> Similarity:
        """Return the transform that moves nothing."""
        return cls(np.eye(2), np.zeros(2))

    @classmethod
    def about(
        cls,
        centre: NDArray[np.float64],
        image: NDArray[np.float64],
        *,
        rotation_deg: float = 0.0,
        log_scale: float = 0.0,
        mirrored: bool = False,
    ) -> Similarity:
        """Return the transform that takes `centre` to `image`, mirrors in x first, then turns and scales."""
        angle = math.radians(rotation_deg)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        matrix = math.exp(log_scale) * turn @ np.diag([-1.0 if mirrored else 1.0, 1.0])
        return cls(matrix, np.asarray(image, dtype=float) - matrix @ np.asarray(centre, dtype=float))

    def __call__(self, points: Points) -> Points:
        """Move points, shape [..., 2] in mm."""
        (xx, xy), (yx, yy) = self.matrix.tolist()
        right, down = self.offset.tolist()
        x, y = points[..., 0], points[..., 1]
        # Column by column: a product with two by two numbers takes a matrix library twice as long.
        moved = np.empty(points.shape)
        moved[..., 0] = xx * x + xy * y + right
        moved[..., 1] = yx * x + yy * y + down
        return moved

    def then(self, after: Similarity) -> Similarity:
        """Return this transform followed by `after`."""
        return Similarity(after.matrix @ self.matrix, after.matrix @ self.offset + after.offset)

    def inverse(self) -> Similarity:
        """Return the transform back."""
        matrix = np.asarray(np.linalg.inv(self.matrix), dtype=np.float64)
        return Similarity(matrix, -matrix @ self.offset)

    @property
    def mirrored(self) -> bool:
        """Whether the transform swaps left and right."""
        return bool(np.linalg.det(self.matrix) < 0)

    @property
    def scale(self) -> float:
        """Linear magnification."""
        return float(math.sqrt(abs(np.linalg.det(self.matrix))))

    @property
    def rotation_deg(self) -> float:
        """Rotation that follows the mirror, in degrees, positive from x towards y."""
        return math.degrees(math.atan2(self.matrix[0, 1] * -1.0, self.matrix[1, 1]))

    def to_dict(self) -> dict[str, Any]:
        """Return the transform as plain JSON-ready values."""
        return {
            "matrix": self.matrix.tolist(),
            "offset_mm": self.offset.tolist(),
            "mirrored": self.mirrored,
            "rotation_deg": self.rotation_deg,
            "scale": self.scale,
        }
