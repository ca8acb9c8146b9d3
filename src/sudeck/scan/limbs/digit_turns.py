"""A first guess of how far each digit of one limb is turned against its counterpart.

A fit that walks downhill takes a finger for its neighbour once they lie closer to each other than to their
own counterparts. Here both limbs are drawn in polar coordinates about the wrist and the angles of one are
stretched and squeezed until they meet those of the other: the best path through all turns at all angles
(Viterbi), which holds neighbours together and lets nothing turn very far.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.scan.limbs.geometry import Points
from sudeck.scan.limbs.posture_modes import LimbFrame

Array = NDArray[np.float64]
# A look at stabilised values of one limb at places of the affected limb on the reference image.
Sampler = Callable[[Points], Array]

_BIN_RAD = math.radians(1.0)
_STEP_MM = 4.0
_MOST_RAD = math.radians(24.0)
_TURN_SD = math.radians(8.0)
_NEIGHBOUR_SD = math.radians(1.8)  # of the turns of places one bin apart
_MISFIT = 0.10  # difference of stabilised values that limbs show beyond noise, as a share of their level
_MISFIT_REACH_MM = 8.0
_PRESENT = 0.6  # of the level of stabilised values: tissue


@dataclass(frozen=True)
class Sector:
    """Part of a limb whose turns are looked for: distances in mm, angles in rad."""

    distance_mm: tuple[float, float]
    angle_rad: tuple[float, float]


@dataclass(frozen=True)
class PolarPair:
    """How both limbs of a phase are seen: samplers of stabilised values, their noise and smoothing."""

    affected: Sampler
    healthy: Sampler
    variance: float  # of the difference
    sigma_mm: float


def digit_turns(frame: LimbFrame, sector: Sector, pairs: Sequence[PolarPair]) -> tuple[Points, Array]:
    """Return places on the digits of the affected limb and by how many rad their counterparts are turned."""
    low, high = sector.distance_mm
    distance = np.arange(low, high, _STEP_MM) + _STEP_MM / 2
    angle = np.arange(sector.angle_rad[0], sector.angle_rad[1], _BIN_RAD) + _BIN_RAD / 2
    reach = round(_MOST_RAD / _BIN_RAD)
    turns = np.arange(-reach, reach + 1) * _BIN_RAD
    wide = np.concatenate([angle[0] + turns[:reach], angle, angle[-1] + turns[reach + 1 :]])
    places, beyond = (_places(frame, distance, angles) for angles in (angle, wide))

    cost = np.zeros((angle.size, turns.size))
    present = np.zeros(places.shape[:2], dtype=bool)
    area = distance * _BIN_RAD * _STEP_MM
    for pair in pairs:
        own = pair.affected(places.reshape(-1, 2)).reshape(places.shape[:2])
        other = pair.healthy(beyond.reshape(-1, 2)).reshape(beyond.shape[:2])
        level = float(np.percentile(own, 75))
        other = other * (level / max(float(np.percentile(other, 75)), 1e-9))
        present |= own > _PRESENT * level
        shifted = np.lib.stride_tricks.sliding_window_view(other, turns.size, axis=0)  # [angle, r, turn]
        variance = (
            pair.variance * 4 * math.pi * pair.sigma_mm**2
            + (_MISFIT * level) ** 2 * 2 * math.pi * _MISFIT_REACH_MM**2
        )
        difference = own[:, :, None] - shifted
        cost += 0.5 * np.einsum("arm,arm,r->am", difference, difference, area / variance)
    cost += 0.5 * (turns / _TURN_SD) ** 2 / (_TURN_SD / _BIN_RAD)
    change = (turns[None, :] - turns[:, None]) / _BIN_RAD  # of a place and the next
    # No finger passes another: the next place lies no nearer than on the same spot.
    penalty = np.where(change < -1.5, np.inf, 0.5 * (change * _BIN_RAD / _NEIGHBOUR_SD) ** 2)
    found = _best_path(cost, penalty)
    return places[present], np.broadcast_to(turns[found][:, None], present.shape)[present]


def _places(frame: LimbFrame, distance: Array, angle: Array) -> Points:
    """Return places [angle, distance, 2] in mm."""
    normal = np.array([-frame.distal[1], frame.distal[0]])
    outwards = np.cos(angle)[:, None] * frame.distal + np.sin(angle)[:, None] * normal
    return np.asarray(frame.centre_mm + distance[None, :, None] * outwards[:, None, :])


def _best_path(cost: Array, change: Array) -> NDArray[np.intp]:
    """Return the column of each row that makes the sum of costs and changes least."""
    total = cost[0]
    came = np.empty(cost.shape, dtype=np.intp)
    for row in range(1, cost.shape[0]):
        ways = total[:, None] + change
        came[row] = ways.argmin(axis=0)
        total = ways.min(axis=0) + cost[row]
    path = np.empty(cost.shape[0], dtype=np.intp)
    path[-1] = int(total.argmin())
    for row in range(cost.shape[0] - 1, 0, -1):
        path[row - 1] = came[row, path[row]]
    return path
