"""One fit of both limbs in all phases: size, place and posture, with the error of each.

In the frame of the affected limb on the reference image a place x has its counterpart in phase p at
``H_p(M(E_p(x + u(x))))``: u is the difference of posture, M the mirror transform with one size for all
phases, E_p a small rigid movement, H_p the healthy limb's way there from the reference. Both limbs are
smoothed and variance-stabilised and look for each other, the affected limb at the nodes of a grid over it,
the healthy one at nodes over itself; a gain along the limb is fitted with them and taken out.

A point weighs by the variance of its difference: noise, and what this study shows beyond noise, alike over
some millimetres. So the inverse of the normal matrix is the covariance of what was fitted. What the slopes of
the noise pretend to know is taken off it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.limbs.digit_turns import PolarPair, Sector, digit_turns
from sudeck.scan.limbs.geometry import Grid, Points, Similarity
from sudeck.scan.limbs.image_comparison import Bilinear, gain_basis
from sudeck.scan.limbs.limb_image import (
    Array,
    LimbImage,
    matched_blur_px,
    noisiness,
    same_blur_px,
    smoothed,
    stabilised,
)
from sudeck.scan.limbs.posture_modes import STEP_MM, DisplacementGrid, LimbFrame

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Fields = NDArray[np.float32]  # displacements of many places: half as long to multiply

# Before the images are seen: rotation, log size, shifts about the start; log size about none.
_MIRROR_SD = np.array([math.radians(15.0), 0.06, 15.0, 15.0])
_RIGID_SD = np.array([math.radians(2.0), 2.0, 2.0])  # rotation and shifts of one phase beside the others
MARGIN_MM = 16.0  # of surroundings compared with the limb: its edge tells the most
_MISFIT_REACH_MM = 8.0  # over which differences beyond noise are alike
_GAIN_PRIOR_SD = 0.5
_ROBUST_CUTOFF = 6.0
_BEYOND_WEIGHT = 0.3  # of points whose counterpart lies beyond the field
_KEPT_READINGS = 6
_STRETCH = (0.2, 5.0)  # of areas: less or more is a fold
_LEAST_NOISE = 0.1  # of the nominal variance, where there are no counts
_MOST_STEPS = 8
_STILL_MM = 0.1  # a step that moves no place farther than this is the last
_LARGEST_STEP_MM = 8.0
_TURNED_MM = 4.0  # of the first guess of turned digits, from which it is tried
_TRIAL_STEPS = 2
_BUILT_ANEW = (0, 1, 3)  # the steps before which the normal matrix is built anew
_NO_MATCH = 0.25  # of the level of stabilised values, squared: so far off is no match, and farther no less
_TURNED_POINT_MM = 10.0  # error of a place of the first guess of turned digits: many places make a digit
_INTERPOLATED_PX2 = 1.0 / 6.0  # variance that bilinear look-up adds to a smoothing, on average


@dataclass(frozen=True)
class PhaseLimbs:
    """Both limbs of a phase, and how each came there from the reference image.

    Attributes
    ----------
    affected, healthy : LimbImage
    carry_affected, carry_healthy : Similarity
    smoothing_px : float
        In pixels of this phase.
    """

    affected: LimbImage
    healthy: LimbImage
    carry_affected: Similarity
    carry_healthy: Similarity
    smoothing_px: float


@dataclass(frozen=True)
class _Reading:
    """What was read at points: kept with them, so that their memory holds nothing else."""

    points: Points
    matrix: csr_array
    displaced: Points
    stretched: Array


@dataclass(frozen=True)
class JointFit:
    """What the joint fit found.

    Attributes
    ----------
    grid : DisplacementGrid
        Over the affected limb on the reference image.
    modes : ndarray, shape [2, node, mode]
        Displacements of one standard deviation, in mm.
    centre_mm : ndarray, shape [2]
        About which rotation and size are counted.
    values : ndarray, shape [mode + 4 + 3 for each phase]
        Modes, mirror, rigid movements.
    covariance : ndarray
        Of `values`.
    phases : tuple of str
        In the order of their movements.
    mirrors : mapping of phase to Similarity
        From the reference frame of the affected limb, after the displacement, to the healthy limb.
    residual : mapping of phase to float
        Root mean square difference beyond noise, as a share of the limb's level.
    dispersion : mapping of phase to float
        Variance of the difference over that of the noise.
    gain : mapping of phase to float
        Affected over healthy.
    girth : int
        How many of the modes, the first ones, make palm and forearm thicker.
    trunk : ndarray of bool, shape [node]
        The nodes on palm and forearm.
    place_sd_mm : float
        How far places still lie beside their counterparts, along one direction, root mean square.
    readings : dict
        The last places that were read, which several phases ask for.
    """

    grid: DisplacementGrid
    modes: Fields
    centre_mm: Array
    values: Array
    covariance: Array
    phases: tuple[ScanPhase, ...]
    mirrors: Mapping[ScanPhase, Similarity]
    residual: Mapping[ScanPhase, float]
    dispersion: Mapping[ScanPhase, float]
    gain: Mapping[ScanPhase, float]
    girth: int
    trunk: NDArray[np.bool_]
    place_sd_mm: float
    readings: dict[tuple[Any, ...], _Reading] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def displacement(self) -> Array:
        """Displacement at the nodes, shape [node, 2]."""
        values = self.values[: self.modes.shape[2]].astype(np.float32)
        return np.stack([one @ values for one in self.modes], axis=1).astype(np.float64)

    def counterpart(self, phase: ScanPhase, points: Points) -> Points:
        """Return where places of the affected limb on the reference image lie on the healthy one."""
        return self.mirrors[phase](self._read(points).displaced)

    def _read(self, points: Points) -> _Reading:
        """Read displacement and stretch at points, once for all phases."""
        key = (points.__array_interface__["data"][0], points.shape, points.strides)
        if key not in self.readings:
            reading = self.grid.reading(points)
            while len(self.readings) >= _KEPT_READINGS:
                self.readings.pop(next(iter(self.readings)))
            self.readings[key] = _Reading(
                points, reading, points + reading @ self.displacement, reading @ self._stretched
            )
        return self.readings[key]

    @cached_property
    def _stretched(self) -> Array:
        return self._enlarged(self.displacement)

    def _enlarged(self, displacement: Array) -> Array:
        """Return how many times displacements enlarge the area at each node."""
        nodes = displacement.reshape(*self.grid.shape, 2)
        down, across = (np.asarray(np.gradient(nodes, STEP_MM, axis=axis)) for axis in (0, 1))
        area = (1.0 + across[..., 0]) * (1.0 + down[..., 1]) - down[..., 0] * across[..., 1]
        return np.asarray(np.clip(area, *_STRETCH).ravel(), dtype=np.float64)

    @cached_property
    def swelling(self) -> tuple[float, float]:
        """By how much palm and forearm of the affected limb are wider than what lies inside, and its error.

        Log of area.
        """
        if not self.trunk.any():
            return 0.0, 0.0

        def wider(values: Array) -> float:
            displacement = np.stack([one[:, : self.girth] @ values for one in self.modes], axis=1)
            return -float(np.log(self._enlarged(displacement)[self.trunk]).mean())

        values = self.values[: self.girth]
        found = wider(values)
        slope = np.array([wider(values + step) - found for step in np.eye(self.girth)])
        return found, math.sqrt(slope @ self.covariance[: self.girth, : self.girth] @ slope)

    def stretch(self, points: Points) -> Array:
        """Return how many times the difference of posture enlarges the area at places of the reference."""
        return self._read(points).stretched

    @cached_property
    def causes(self) -> Array:
        """Square root of the covariance: columns of one standard deviation, independent of each other."""
        return np.asarray(np.linalg.cholesky(self.covariance))

    def mirror_covariance(self, phase: ScanPhase) -> Array:
        """Return the covariance of the mirror of a phase: rotation, log size, shift along x and y."""
        common = self.modes.shape[2]
        own = common + 4 + 3 * self.phases.index(phase)
        both = np.zeros((4, self.values.size))
        both[:, common : common + 4] = np.eye(4)
        both[[0, 2, 3], [own, own + 1, own + 2]] = 1.0
        return np.asarray(both @ self.covariance @ both.T)

    def effects(self, phase: ScanPhase, points: Points, slopes: Array) -> Array:
        """Return the effect of each of the `causes` on a sum over points of the healthy limb.

        Parameters
        ----------
        phase : str
        points : ndarray, shape [n, 2]
            On the reference image.
        slopes : ndarray, shape [n, 2]
            Change of the sum with the place of each point, per mm of the reference frame.
        """
        at_nodes = (self._read(points).matrix.T @ slopes).astype(np.float32)
        by_mode = sum(one.T @ at_nodes[:, axis] for axis, one in enumerate(self.modes))
        arm = points - self.centre_mm
        turned = np.stack([-arm[:, 1], arm[:, 0]], axis=1)
        shift = slopes.sum(axis=0)
        rotation, size = float((turned * slopes).sum()), float((arm * slopes).sum())
        change = np.zeros(self.values.size)
        change[: self.modes.shape[2]] = by_mode
        common = self.modes.shape[2]
        change[common : common + 4] = rotation, size, *shift
        own = common + 4 + 3 * self.phases.index(phase)
        change[own : own + 3] = rotation, *shift
        return np.asarray(self.causes.T @ change)


@dataclass(frozen=True)
class _Look:
    """One limb of one phase at nodes of its own, looking for its counterpart on the other limb."""

    values: Array
    basis: Array
    image: Array  # of the other limb, smoothed, its background taken off
    slopes: tuple[Array, Array]
    background: float
    grid: Grid
    noise: float  # variance of a stabilised, smoothed pixel
    pixels: float  # that a node stands for
    sigma_mm: float
    level: float

    @classmethod
    def of(
        cls,
        own: Array,
        limb: LimbImage,
        place: Points,
        nodes: Points,
        other: Array,
        other_limb: LimbImage,
        sigma_px: float,
        size: float,
    ) -> _Look:
        values = stabilised(Bilinear.at(*limb.grid.pixel_of(place), own.shape)(own))
        down, across = (
            np.gradient(other, step, axis=axis) for axis, step in enumerate(other_limb.grid.spacing_mm)
        )
        variance_px = sigma_px**2 + _INTERPOLATED_PX2
        return cls(
            values,
            gain_basis(nodes, nodes.mean(axis=0)),
            other - other_limb.background,
            (np.asarray(across), np.asarray(down)),
            limb.background,
            other_limb.grid,
            1.0 / (4.0 * math.pi * variance_px),
            (STEP_MM / size / limb.grid.pixel_mm) ** 2,
            math.sqrt(variance_px) * limb.grid.pixel_mm,
            float(np.median(values[values > 0.5 * values.max()])),
        )

    def compare(self, place: Points, excess: float) -> _Comparison:
        """Compare with the other limb at these places of its image."""
        row, column = self.grid.pixel_of(place)
        height, width = self.image.shape
        inside = (row >= 0) & (column >= 0) & (row <= height - 1) & (column <= width - 1)
        look = Bilinear.at(row, column, self.image.shape)
        target = look(self.image)
        seen = np.where(inside, 1.0, _BEYOND_WEIGHT)
        own = float(np.sum(seen * (self.values**2 / 4 - self.background)))
        mean = max(own / max(float(np.sum(seen * target)), 1e-9), 1e-3)
        gains = np.full(self.basis.shape[1], mean)
        for _ in range(2):
            gain, predicted = self._predict(gains, target)
            residual = self.values - predicted
            variance = self.noise * np.maximum(noisiness(predicted), _LEAST_NOISE) * (1.0 + gain)
            spread = max(1.4826 * float(np.median(np.abs(residual))), math.sqrt(2 * self.noise))
            robust = seen * np.clip(1.0 - (residual / (_ROBUST_CUTOFF * spread)) ** 2, 0.0, None) ** 2
            # A node stands for so many pixels under the smoothing, or for a part of a patch of misfit.
            alike = 1.0 / (self.noise * self.pixels)
            patch = 2 * math.pi * (_MISFIT_REACH_MM / STEP_MM) ** 2
            weights = robust / (variance * alike + excess * patch)
            design = self.basis * (2.0 * target / predicted)[:, None]
            weighted = weights[:, None] * design
            ridge = 1.0 / (_GAIN_PRIOR_SD * mean) ** 2
            inner = design.T @ weighted + ridge * np.eye(gains.size)
            gains = gains + np.linalg.solve(inner, weighted.T @ residual - ridge * (gains - mean))
        gain, predicted = self._predict(gains, target)
        slope = (2.0 * gain / predicted)[:, None] * np.stack([look(one) for one in self.slopes], axis=1)
        pretended = self.noise * noisiness(predicted) * gain / (2.0 * self.sigma_mm**2)
        off = np.minimum((self.values - predicted) ** 2, _NO_MATCH * self.level**2)
        cost = 0.5 * float(np.sum(seen * off / (variance * alike + excess * patch)))
        return _Comparison(
            cost, self.values - predicted, weights, robust, slope, pretended, variance, gain, weighted, inner
        )

    def _predict(self, gains: Array, target: Array) -> tuple[Array, Array]:
        gain = np.maximum(self.basis @ gains, 1e-3)
        return gain, stabilised(gain * target + self.background)


@dataclass(frozen=True)
class _Comparison:
    cost: float
    residual: Array
    weights: Array
    robust: Array
    slope: Array  # [n, 2] change of the predicted value per mm of the other limb's image
    pretended: Array  # variance of a slope that is noise
    variance: Array  # of the residual that is noise
    gain: Array
    weighted: Array  # basis of the gain, linearised, times weights
    inner: Array

    @property
    def excess(self) -> float:
        """Variance of the residual beyond noise."""
        total = float(self.robust.sum())
        return max(float(np.sum(self.robust * (self.residual**2 - self.variance))) / total, 0.0)


@dataclass
class _System:
    """Normal matrix and gradient of all parameters."""

    normal: Array
    pretended: Array
    gradient: Array


class _Problem:
    """Both limbs of all phases with the state of the fit."""

    def __init__(
        self,
        limbs: Mapping[ScanPhase, PhaseLimbs],
        start: Similarity,
        grid: DisplacementGrid,
        modes: Array,
        near: NDArray[np.bool_],
        healthy_nodes: Points,
    ) -> None:
        self.phases = tuple(limbs)
        self.limbs = limbs
        self.start = start
        self.grid = grid
        self.modes = modes.astype(np.float32)
        self.count = modes.shape[2]
        self.rigid = [self.count, self.count + 2, self.count + 3]  # rotation and shifts
        self.points = grid.nodes[near]
        self.centre = self.points.mean(axis=0)
        self.healthy_nodes = healthy_nodes
        self.values = np.zeros(self.count + 4 + 3 * len(self.phases))
        self.excess = {(name, way): 0.0 for name in self.phases for way in (0, 1)}
        forward = self.modes[:, near]
        self.fields = self._with_similarity(forward, self.points)
        grow = math.sqrt(start.scale)
        self.looks: dict[tuple[ScanPhase, int], _Look] = {}
        for name, phase in limbs.items():
            images, sigmas = [], []
            for limb, times in ((phase.affected, 1 / grow), (phase.healthy, grow)):
                sigma = same_blur_px(phase.smoothing_px, phase.affected.grid, limb.grid)
                sigmas.append(matched_blur_px(sigma, limb.grid.pixel_mm, times))
                images.append(smoothed(limb.counts, sigmas[-1]))
            self.looks[name, 0] = _Look.of(
                images[0], phase.affected, phase.carry_affected(self.points), self.points,
                images[1], phase.healthy, phase.smoothing_px, 1.0,
            )  # fmt: skip
            self.looks[name, 1] = _Look.of(
                images[1], phase.healthy, phase.carry_healthy(healthy_nodes), healthy_nodes,
                images[0], phase.affected, phase.smoothing_px, 1.0,
            )  # fmt: skip
        precision = np.ones(self.values.size)
        precision[self.count : self.count + 4] = _MIRROR_SD**-2.0
        precision[self.count + 4 :] = np.tile(_RIGID_SD**-2.0, len(self.phases))
        self.precision = precision
        self.aim = np.zeros(self.values.size)
        self.aim[self.count + 1] = -math.log(start.scale)
        self.near = near
        self._read_back(start.inverse()(healthy_nodes))

    def begin(self, values: Array) -> None:
        """Start from these parameters."""
        self.values = values
        self.settle_back()

    def cost(self, excess: Mapping[tuple[ScanPhase, int], float]) -> float:
        """Half the weighted squares of residuals, cut off where they are no match, and of the modes."""
        self.excess = dict(excess)
        _, seen = self.system(matrix=False)
        off = self.values - self.aim
        return 0.5 * float(self.precision @ off**2) + 0.5 * sum(one.cost for one in seen.values())

    def turned(self, frame: LimbFrame, sectors: Sequence[Sector]) -> Array | None:
        """Return the parameters with the digits where they are likely to be, as far as the modes can.

        None where that is close to where they are.
        """
        places, turns = [], []
        for sector in sectors:
            found = digit_turns(frame, sector, [self._polar_pair(name) for name in self.phases])
            places.append(found[0])
            turns.append(found[1])
        points, turn = np.concatenate(places), np.concatenate(turns)
        reading = self.grid.reading(points)
        fields = np.stack([reading @ one for one in self.modes])
        arm = points - frame.centre_mm
        wanted = (-turn * arm[:, 1], turn * arm[:, 0])
        weight = _TURNED_POINT_MM**-2.0
        normal = weight * sum(one.T @ one for one in fields) + np.eye(self.count)
        pull = weight * sum(one.T @ aim for one, aim in zip(fields, wanted, strict=True))
        values = self.values.copy()
        values[: self.count] = np.linalg.solve(normal, pull)
        moves = max(float(np.abs(one @ values[: self.count]).max()) for one in fields)
        return values if moves > _TURNED_MM else None

    def _polar_pair(self, name: ScanPhase) -> PolarPair:
        phase, look = self.limbs[name], self.looks[name, 0]
        to_other = self.start.then(phase.carry_healthy)

        def affected(points: Points) -> Array:
            image = self.looks[name, 1].image  # of the affected limb, which the healthy one looks at
            return stabilised(
                Bilinear.at(*phase.affected.grid.pixel_of(phase.carry_affected(points)), image.shape)(image)
            )

        def healthy(points: Points) -> Array:
            return stabilised(
                Bilinear.at(*phase.healthy.grid.pixel_of(to_other(points)), look.image.shape)(look.image)
            )

        return PolarPair(affected, healthy, 2.0 * look.noise, look.sigma_mm)

    def _with_similarity(self, fields: Fields, points: Points) -> Fields:
        """Add to the modes what rotation, size and shift do to each place."""
        arm = points - self.centre
        extra = np.zeros((2, points.shape[0], 4), dtype=np.float32)
        extra[0, :, 0], extra[1, :, 0] = -arm[:, 1], arm[:, 0]
        extra[:, :, 1] = arm.T
        extra[0, :, 2] = extra[1, :, 3] = 1.0
        return np.concatenate([fields, extra], axis=2)

    @property
    def displacement(self) -> Array:
        values = self.values[: self.count].astype(np.float32)
        return np.stack([one @ values for one in self.modes], axis=1).astype(np.float64)

    def mirror(self, number: int) -> Similarity:
        """From the displaced affected to the healthy limb, both on the reference image, as in a phase."""
        turn, size, *shift = self.values[self.count : self.count + 4]
        own = self.values[self.count + 4 + 3 * number :][:3]
        common = Similarity.about(
            self.centre, self.centre + shift, rotation_deg=math.degrees(turn), log_scale=float(size)
        )
        rigid = Similarity.about(self.centre, self.centre + own[1:], rotation_deg=math.degrees(own[0]))
        return rigid.then(common).then(self.start)

    def system(
        self, *, matrix: bool, noise: bool = False
    ) -> tuple[_System, dict[tuple[ScanPhase, int], _Comparison]]:
        """Compare all phases both ways; the mean of both ways is one system of equations."""
        size = self.values.size
        found = _System(np.zeros((size, size)), np.zeros((size, size)), np.zeros(size))
        displacement = self.displacement
        displaced = self.points + displacement[self.near]
        moved_back = self.back_reading @ displacement
        comparisons: dict[tuple[ScanPhase, int], _Comparison] = {}
        for number, name in enumerate(self.phases):
            phase, mirror = self.limbs[name], self.mirror(number)
            to_other = mirror.then(phase.carry_healthy)
            ahead = self.looks[name, 0].compare(to_other(displaced), self.excess[name, 0])
            self._add(found, self.fields, number, ahead, ahead.slope @ to_other.matrix, matrix)
            place = mirror.inverse()(self.healthy_nodes) - moved_back
            back = self.looks[name, 1].compare(phase.carry_affected(place), self.excess[name, 1])
            self._add(
                found, self.back_fields, number, back, -back.slope @ phase.carry_affected.matrix, matrix
            )
            if noise:
                self._pretend(found, self.fields, number, ahead, to_other.scale**2)
                self._pretend(found, self.back_fields, number, back, 1.0)
            comparisons[name, 0], comparisons[name, 1] = ahead, back
        return found, comparisons

    def _add(
        self, found: _System, fields: Fields, number: int, seen: _Comparison, slope: Array, matrix: bool
    ) -> None:
        slope = slope.astype(np.float32)
        change = slope[:, :1] * fields[0]
        change += slope[:, 1:] * fields[1]
        by_gain = seen.weighted.T.astype(np.float32) @ change
        taken = np.linalg.solve(seen.inner, by_gain)
        pull = change.T @ (seen.weights * seen.residual).astype(np.float32)
        pull = pull - taken.T @ (seen.weighted.T @ seen.residual)
        common = self.count + 4
        own = slice(common + 3 * number, common + 3 * number + 3)
        found.gradient[:common] += 0.5 * pull
        found.gradient[own] += 0.5 * pull[self.rigid]
        if matrix:
            change *= np.sqrt(seen.weights).astype(np.float32)[:, None]
            self._place(found.normal, number, change.T @ change - by_gain.T @ taken)

    def _pretend(
        self, found: _System, fields: Fields, number: int, seen: _Comparison, stretch: float
    ) -> None:
        root = np.sqrt(seen.weights * seen.pretended * stretch).astype(np.float32)[:, None]
        along_x, along_y = root * fields[0], root * fields[1]
        self._place(found.pretended, number, along_x.T @ along_x + along_y.T @ along_y)

    def _place(self, target: Array, number: int, block: Array) -> None:
        """Add the normal matrix of one phase and way: what is common, and what is the phase's own."""
        common = self.count + 4
        own = slice(common + 3 * number, common + 3 * number + 3)
        target[:common, :common] += 0.5 * block
        target[own, :common] += 0.5 * block[self.rigid]
        target[:common, own] += 0.5 * block[:, self.rigid]
        target[own, own] += 0.5 * block[np.ix_(self.rigid, self.rigid)]

    def settle_back(self) -> None:
        """Find anew where the healthy nodes lie on the affected limb, and what the modes do there."""
        aimed = self.mirror(0).inverse()(self.healthy_nodes)
        place = aimed
        for _ in range(2):
            place = aimed - self.grid.reading(place) @ self.displacement
        self._read_back(place)

    def _read_back(self, places: Points) -> None:
        self.back_reading = self.grid.reading(places)
        reading = self.back_reading.astype(np.float32)
        self.back_fields = self._with_similarity(np.stack([reading @ one for one in self.modes]), places)


def fit_jointly(
    limbs: Mapping[ScanPhase, PhaseLimbs],
    start: Similarity,
    grid: DisplacementGrid,
    modes: Array,
    near: NDArray[np.bool_],
    healthy_nodes: Points,
    frame: LimbFrame,
    sectors: Sequence[Sector],
    girth: int,
    trunk: NDArray[np.bool_],
) -> JointFit:
    """Lay the affected limb over the healthy one in all phases at once.

    Parameters
    ----------
    limbs : mapping of phase to PhaseLimbs
        The reference phase first.
    start : Similarity
        From the affected to the healthy limb on the reference image.
    grid : DisplacementGrid
        Over the affected limb on the reference image.
    modes : ndarray, shape [2, node, mode]
        From `sudeck.scan.limbs.posture_modes.posture_modes`.
    near : ndarray of bool, shape [node]
        The nodes on and around the affected limb.
    healthy_nodes : ndarray, shape [n, 2]
        Nodes on and around the healthy limb on the reference image.
    """
    problem = _Problem(limbs, start, grid, modes, near, healthy_nodes)
    at_rest = problem.values
    if sectors:
        turned = problem.turned(frame, sectors)
        if turned is not None:
            problem.values = at_rest = _walk(problem, _TRIAL_STEPS)
            excess = problem.excess
            cost = problem.cost(excess)
            problem.begin(turned)
            problem.values = _walk(problem, _TRIAL_STEPS)
            if problem.cost(excess) > cost:
                problem.begin(at_rest)
    problem.values = _walk(problem, _MOST_STEPS)
    system, seen = problem.system(matrix=True, noise=True)
    return _report(problem, system, seen, girth, trunk)


def _walk(problem: _Problem, steps: int) -> Array:
    """Return the parameters after so many Gauss-Newton steps."""
    _, seen = problem.system(matrix=False)
    for number in range(steps):
        problem.excess = {key: one.excess for key, one in seen.items()}
        if number in (1, 3):
            problem.settle_back()
        anew = number in _BUILT_ANEW
        system, seen = problem.system(matrix=anew)
        if anew:
            full = system.normal + np.diag(problem.precision)
        pull = system.gradient - problem.precision * (problem.values - problem.aim)
        step = np.linalg.solve(full, pull)
        moves = float(np.abs(problem.fields @ step[: problem.count + 4]).max())
        step *= min(1.0, _LARGEST_STEP_MM / max(moves, 1e-9))
        problem.values = problem.values + step
        if moves < _STILL_MM and number >= 2:
            break
    return problem.values


def _report(
    problem: _Problem,
    system: _System,
    seen: Mapping[tuple[ScanPhase, int], _Comparison],
    girth: int,
    trunk: NDArray[np.bool_],
) -> JointFit:
    prior = np.diag(problem.precision)
    # In the metric of normal matrix and prior, what noise pretends is at most a share of what is known.
    root = np.linalg.cholesky(system.normal + prior)
    shown = np.linalg.solve(root, np.linalg.solve(root, system.normal).T)
    less = np.linalg.solve(root, np.linalg.solve(root, system.pretended).T)
    values, vectors = np.linalg.eigh(0.5 * (shown - less + (shown - less).T))
    real = root @ (vectors * np.maximum(values, 0.0)) @ vectors.T @ root.T
    covariance = np.linalg.inv(0.5 * (real + real.T) + prior)
    misfit = slope = 0.0
    for (_, way), one in seen.items():
        scale = 1.0 if way else problem.start.scale**2
        misfit += float(np.sum(one.weights * (one.residual**2 - one.variance)))
        squares = np.sum(one.slope**2, axis=1) / 2.0 - one.pretended
        slope += scale * float(np.sum(one.weights * squares))
    phases = problem.phases
    ahead = {name: seen[name, 0] for name in phases}
    return JointFit(
        grid=problem.grid,
        modes=problem.modes,
        centre_mm=problem.centre,
        values=problem.values,
        covariance=0.5 * (covariance + covariance.T),
        phases=phases,
        mirrors={
            name: problem.mirror(number).then(problem.limbs[name].carry_healthy)
            for number, name in enumerate(phases)
        },
        residual={
            name: 2.0 * math.sqrt(one.excess) / max(problem.looks[name, 0].level, 1e-9)
            for name, one in ahead.items()
        },
        dispersion={
            name: float(np.sum(one.robust * one.residual**2) / np.sum(one.robust * one.variance))
            for name, one in ahead.items()
        },
        gain={name: float(np.sum(one.robust * one.gain) / one.robust.sum()) for name, one in ahead.items()},
        girth=girth,
        trunk=trunk,
        place_sd_mm=math.sqrt(max(misfit, 0.0) / max(slope, 1e-12)),
    )
