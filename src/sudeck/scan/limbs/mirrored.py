"""Whether the limbs of one phase are those of another or their mirror image, by what makes the two unlike.

Two limbs of one person are never quite mirror images: one lies turned, is larger, has its fingers spread
otherwise. Wherever an image has its left and right exchanged, all of that changes sides. What each phase
shows of it is compared: how far the outline of one limb lies beside that of the other laid over it, place by
place, and how the two lie to each other. Bone and blood have other outlines, but alike on both sides, so that
their difference drops out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.limbs.geometry import Grid, Points, Similarity
from sudeck.scan.limbs.poses import PhasePose, Poses

Array = NDArray[np.float64]

_STEP_MM = 5.0  # along an outline
_ALIKE_MM = 30.0  # so far along an outline its deviations hang together: one piece of evidence
_OUTLIER_MM = 6.0
_NOISE_MM2 = 0.5  # of an outline, at best
_TURNS = 12
_STARTS_RAD = (0.0, *np.radians([-15.0, 15.0, -30.0, 30.0]))
# How far a limb moves against the other between phases, as standard deviations of a heavy-tailed law:
# degrees, mm down the image, and mm across where the table stays. Flow and pool are taken without getting up.
_SAME_SITTING = (3.0, 6.0, 15.0)
_OTHER_SITTING = (5.0, 10.0, math.inf)
_SAME_FIELD = 0.02
# Two limbs are of one side if they differ this many times as much mirrored as moved, differences below the
# second counting as none.
_ONE_SIDE_TIMES, _ONE_SIDE_MM2 = 2.0, 2.0
# Limbs are found after smoothing over pixels: so many mm² apart for each mm² by which the areas of their
# pixels differ (up to 0.7 with matrices of 64 beside 128 and 256), and for each mm² of the smaller.
_OF_UNEQUAL_PIXELS, _OF_PIXELS = 0.7, 0.1
_FLIP, _TURN, _STAY = np.diag([-1.0, 1.0]), -np.eye(2), np.eye(2)


def limb_pairs(poses: Poses) -> dict[ScanPhase, LimbPair]:
    """Return for each phase the outlines of both limbs, laid over each other: what the others here compare.

    Parameters
    ----------
    poses : Poses
    """
    return {name: LimbPair.of(pose) for name, pose in poses.phases.items()}


def mirror_evidence(pairs: Mapping[ScanPhase, LimbPair]) -> dict[ScanPhase, float]:
    """Return for each phase how much speaks for its sides as stated, against their exchange in it alone.

    Parameters
    ----------
    pairs : Mapping of phase to LimbPair

    Returns
    -------
    dict of phase to float
        Natural logarithm of the odds, negative where the phase looks mirrored against the others; of two
        phases both have the same. Empty where there is one.
    """
    evidence = dict.fromkeys(pairs, 0.0) if len(pairs) > 1 else {}
    for first, second in combinations(pairs, 2):
        seated = {first, second} == {"vascular", "tissue"}
        found = _compare(pairs[first], pairs[second], _SAME_SITTING if seated else _OTHER_SITTING)
        evidence[first] += found
        evidence[second] += found
    return evidence


def shown_twice(pair: LimbPair) -> bool:
    """Say whether both limbs of a phase have the shape of one side: moved over each other, not mirrored.

    Parameters
    ----------
    pair : LimbPair
    """
    least = _ONE_SIDE_TIMES * max(_apart(pair.affected, pair.healthy, _STAY), _ONE_SIDE_MM2)
    # A hand that lies turned may not be found from upright: its fingers are taken for their neighbours.
    return all(_apart(pair.affected, pair.healthy, _FLIP, angle) > least for angle in _STARTS_RAD)


def outlines_apart(pairs: Mapping[ScanPhase, LimbPair]) -> dict[tuple[ScanPhase, ScanPhase], float]:
    """Return for each pair of phases how far the outlines of their limbs lie apart, in mm².

    Each limb is laid over itself in the other phase, brought to one size, and outliers hardly count; the mean
    of both limbs, less what their pixels do. Bone and blood have other outlines; a foot and a hand differ by
    far more.

    Parameters
    ----------
    pairs : Mapping of phase to LimbPair
    """
    found = {}
    for first, second in combinations(pairs, 2):
        one, other = pairs[first], pairs[second]
        about = _between(one.pose, other.pose)
        # A pixel size that is wrong is another finding.
        larger = math.sqrt(_area_mm2(other.pose) / _area_mm2(one.pose))
        limbs = ((one.affected, other.affected), (one.healthy, other.healthy))
        apart = sum(_apart(own, there.shrunk(larger), about) for own, there in limbs) / 2
        fine, coarse = sorted(each.pose.grid.pixel_mm**2 for each in (one, other))
        found[first, second] = apart - _OF_UNEQUAL_PIXELS * (coarse - fine) - _OF_PIXELS * fine
    return found


def _area_mm2(pose: PhasePose) -> float:
    return float((pose.limbs.labels > 0).sum()) * pose.grid.pixel_mm**2


def _between(first: PhasePose, second: PhasePose) -> Array:
    """Return whether a limb lies in one phase as in another, mirrored or turned round."""
    carried = first.from_reference.inverse().then(second.from_reference)
    return _FLIP if carried.mirrored else _TURN if carried.matrix[0, 0] < 0 else _STAY


def _apart(limb: _Outline, other: _Outline, about: Array, angle: float = 0.0) -> float:
    """Return how far the outlines of two limbs lie apart, laid over each other, in mm²."""
    over = _lay_over(limb, other, about, angle)
    there, _, seen = other.look(over(limb.points))
    back, _, seen_back = limb.look(over.inverse()(other.points))
    apart = np.concatenate([there[seen], back[seen_back]])
    return _spread(apart) if apart.size else math.inf


@dataclass(frozen=True)
class _Outline:
    """The outline of one limb: points along it, and how deep every place lies inside it."""

    grid: Grid
    points: Points
    depth: Array  # mm, negative outside
    slopes: tuple[Array, Array]
    centre: Array

    @classmethod
    def of(cls, mask: NDArray[np.bool_], grid: Grid) -> _Outline:
        from scipy import ndimage
        from skimage.measure import find_contours

        soft = ndimage.gaussian_filter(np.pad(mask.astype(float), 1, mode="edge"), 0.7)
        lines = [line for line in find_contours(soft, 0.5) if len(line) >= 12]
        along = [_evenly(grid.points_of(line[:, 0] - 1, line[:, 1] - 1)) for line in lines]
        points = np.concatenate(along) if along else np.empty((0, 2))
        inside, outside = (
            ndimage.distance_transform_edt(side, sampling=grid.spacing_mm) for side in (mask, ~mask)
        )
        depth = np.where(mask, inside - grid.pixel_mm / 2, grid.pixel_mm / 2 - outside)
        down, across = np.gradient(depth, *grid.spacing_mm)
        centre = grid.points_of(*np.nonzero(mask)).mean(axis=0)
        # Where the field cuts a limb there is no outline.
        return cls(grid, points[grid.contains(points, margin_px=1.5)], depth, (across, down), centre)

    def shrunk(self, times: float) -> _Outline:
        """Return the outline of a limb so many times smaller."""
        height, width = self.grid.spacing_mm
        grid = Grid(self.grid.shape, (height / times, width / times))
        return _Outline(grid, self.points / times, self.depth / times, self.slopes, self.centre / times)

    def look(self, points: Points) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return depth, its slope [n, 2], and whether the image shows the place."""
        row, column = self.grid.pixel_of(points)
        height, width = self.grid.shape
        r = np.clip(np.rint(row), 0, height - 1).astype(np.intp)
        c = np.clip(np.rint(column), 0, width - 1).astype(np.intp)
        place = r * width + c
        slope = np.empty((place.size, 2))
        slope[:, 0], slope[:, 1] = (one.ravel()[place] for one in self.slopes)
        down, across = self.grid.spacing_mm
        depth = self.depth.ravel()[place]
        depth += slope[:, 0] * ((column - c) * across) + slope[:, 1] * ((row - r) * down)
        return depth, slope, self.grid.contains(points, margin_px=1.0)


@dataclass(frozen=True)
class LimbPair:
    """Both limbs of a phase, the affected one laid over the other: how they lie, and where they differ."""

    pose: PhasePose
    affected: _Outline
    healthy: _Outline
    across: Similarity

    @classmethod
    def of(cls, pose: PhasePose) -> LimbPair:
        """Outline both limbs of a phase and lay the affected one over the other."""
        affected, healthy = (
            _Outline.of(pose.limbs.mask(label), pose.grid)
            for label in (pose.affected_label, pose.healthy_label)
        )
        return cls(pose, affected, healthy, _lay_over(affected, healthy, _FLIP))

    def unlike(self, points: Points) -> tuple[Array, NDArray[np.bool_]]:
        """Return by how much the healthy limb is thicker at places of the affected one, in mm."""
        own, _, seen = self.affected.look(points)
        other, _, seen_there = self.healthy.look(self.across(points))
        return other - own, seen & seen_there

    def placed(self) -> tuple[float, float, float]:
        """Return the turn between the limbs, in degrees, how far one lies lower, and both from the middle."""
        image = self.across(self.affected.centre)
        turn = math.degrees(math.atan2(-self.across.matrix[0, 1], self.across.matrix[1, 1]))
        return (turn, float(image[1] - self.affected.centre[1]), float(image[0] + self.affected.centre[0]))


def _compare(first: LimbPair, second: LimbPair, moves: tuple[float, float, float]) -> float:
    """Return the log odds that both phases show the limbs the same way round, as they are stated to."""
    about = _between(first.pose, second.pose)
    carry = _lay_over(first.affected, second.affected, about)
    points = np.concatenate([first.affected.points, first.across.inverse()(first.healthy.points)])
    here, seen = first.unlike(points)
    there, seen_there = second.unlike(carry(points))
    both = seen & seen_there
    if both.sum() < 10:
        return 0.0
    alike, exchanged = (_spread(there[both] - sign * here[both]) for sign in (1.0, -1.0))
    pieces = both.sum() * _STEP_MM / _ALIKE_MM / 2
    shape = 0.5 * pieces * math.log((exchanged + _NOISE_MM2) / (alike + _NOISE_MM2))
    fields = [np.multiply(one.pose.grid.shape, one.pose.grid.spacing_mm) for one in (first, second)]
    same_field = bool((np.abs(fields[0] / fields[1] - 1) < _SAME_FIELD).all())
    turn, lower, aside = second.placed()
    if about is not _STAY:  # seen from the other side, or turned round
        turn, lower, aside = (-turn, lower, -aside) if about is _FLIP else (turn, -lower, -aside)
    place: float = 0.0
    for before, after, sd in zip(first.placed(), (turn, lower, aside), moves, strict=True):
        if sd < math.inf and (same_field or sd is not moves[2]):
            place += _unlikely((after + before) / sd) - _unlikely((after - before) / sd)
    return float(shape + place)


def _spread(distance: Array) -> float:
    """Return a mean square in which outliers hardly count, in mm²."""
    return float(np.mean(_OUTLIER_MM**2 * np.log1p((distance / _OUTLIER_MM) ** 2)))


def _unlikely(deviation: float) -> float:
    """Return minus the log density of Student's t with two degrees of freedom, up to a constant."""
    return 1.5 * math.log1p(deviation**2 / 2)


def _lay_over(limb: _Outline, other: _Outline, about: Array, angle: float = 0.0) -> Similarity:
    """Lay the outline of a limb over another, turned and shifted, after it was mirrored or not by `about`.

    The walk begins at `angle`, in rad.
    """
    place = other.centre
    flat = (limb.points - limb.centre) @ about.T
    for _ in range(_TURNS):
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        arm = flat @ turn.T
        depth, slope, seen = other.look(arm + place)
        back = other.points - place
        depth_back, slope_back, seen_back = limb.look(back @ turn @ about + limb.centre)
        slope_back = slope_back @ about.T @ turn.T
        jacobian = np.concatenate([_levers(slope, arm), -_levers(slope_back, back)])
        residual = np.concatenate([depth, depth_back])
        weight = np.concatenate([seen, seen_back]) / (1 + (residual / _OUTLIER_MM) ** 2) ** 2
        inner = jacobian.T @ (weight[:, None] * jacobian) + np.diag([1e-3, 1e-6, 1e-6])
        step = -np.linalg.solve(inner, jacobian.T @ (weight * residual))
        angle += float(np.clip(step[0], -0.2, 0.2))
        place = place + step[1:]
        if abs(step[0]) < 1e-3 and np.abs(step[1:]).max() < 0.05:
            break
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = turn @ about
    return Similarity(matrix, place - matrix @ limb.centre)


def _levers(slope: Array, arm: Array) -> Array:
    """Return how the depth under points answers to a turn and to shifts along x and y."""
    return np.column_stack([slope[:, 1] * arm[:, 0] - slope[:, 0] * arm[:, 1], slope])


def _evenly(line: Points) -> Points:
    """Return points along a line, `_STEP_MM` apart."""
    lengths = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.linspace(0.0, along[-1], max(int(along[-1] / _STEP_MM), 4), endpoint=False)
    return np.column_stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)])
