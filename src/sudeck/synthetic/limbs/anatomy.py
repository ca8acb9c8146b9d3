"""How a limb is described: rods and blobs in millimetres, before anything is drawn.

Coordinates of every limb: `u` points to the middle of the body, `v` towards the fingertips or toes. The
other limb is the mirror image, so one description serves both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sudeck.synthetic.limbs.shapes import Point


@dataclass(frozen=True)
class Rod:
    """A chain of tapered rods: a bone, a vessel or a piece of the outline.

    Attributes
    ----------
    points : sequence of (u, v)
        Ends and bends, in mm.
    radii : sequence of float
        One radius a point, in mm.
    uptake : float
        Relative uptake of the thickest part; the outline has none.
    """

    points: Sequence[Point]
    radii: Sequence[float]
    uptake: float = 1.0


@dataclass(frozen=True)
class Blob:
    """A joint or a small bone: a Gaussian spot of relative height `uptake`, `sigma` in mm along u and v."""

    centre: Point
    sigma: tuple[float, float]
    uptake: float = 1.0


@dataclass(frozen=True)
class Anatomy:
    """One limb in one view.

    Attributes
    ----------
    outline : sequence of Rod
        Their smooth union is the skin.
    bones, vessels : sequence of Rod
        Shafts, and arteries with their veins.
    spots : sequence of Blob
        Small bones: carpals, tarsals.
    joints : sequence of Blob
        Joints, which light up in the bone phase and, inflamed, more so.
    bands : mapping of str to (float, float)
        Named regions as intervals of `v`, in mm.
    extent : (u_low, u_high, v_low, v_high)
        Rectangle that holds the limb, in mm.
    pivot : (u, v)
        Centre of the part in the field: poses turn and scale about it.
    rim_mm : float
        Depth below the skin at which the soft tissue reaches its full thickness.
    hot_spot : (u, v)
        Where an injection into this limb leaves its mark.
    digits : sequence of Rod
        Thumb to little finger from the knuckle on, there or not; none where digits are never told apart.
    """

    outline: Sequence[Rod]
    bones: Sequence[Rod]
    vessels: Sequence[Rod]
    spots: Sequence[Blob]
    joints: Sequence[Blob]
    bands: Mapping[str, tuple[float, float]]
    extent: tuple[float, float, float, float]
    pivot: Point
    rim_mm: float
    hot_spot: Point
    digits: Sequence[Rod] = ()


def ray(start: Point, degrees: float, length: float) -> Point:
    """Return the point `length` mm from `start`; 0 degrees points along v, positive angles towards u."""
    return (
        start[0] + length * math.sin(math.radians(degrees)),
        start[1] + length * math.cos(math.radians(degrees)),
    )


def between(a: Point, b: Point, fraction: float) -> Point:
    """Return the point `fraction` of the way from `a` to `b`."""
    return (a[0] + fraction * (b[0] - a[0]), a[1] + fraction * (b[1] - a[1]))


class Variation:
    """Small differences between people, the same for the same number; number 0 is the average person."""

    def __init__(self, variant: int) -> None:
        self._rng = np.random.default_rng(variant) if variant else None

    def scaled(self, value: float, relative: float) -> float:
        """Return `value` times a factor whose standard deviation is `relative`, cut at two of them."""
        return value * (1 + relative * self._normal())

    def moved(self, value: float, spread: float) -> float:
        """Return `value` plus a difference of standard deviation `spread`, cut at two of them."""
        return value + spread * self._normal()

    def _normal(self) -> float:
        if self._rng is None:
            return 0.0
        return float(np.clip(self._rng.standard_normal(), -2.0, 2.0))
