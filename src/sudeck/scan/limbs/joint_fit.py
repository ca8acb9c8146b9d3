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
from sudeck.scan.limbs.digit_turns import Sector
from sudeck.scan.limbs.geometry import Points, Similarity
from sudeck.scan.limbs.joint_looks import JointComparison, PhaseLimbs
from sudeck.scan.limbs.joint_system import Fields, JointProblem, JointSystem
from sudeck.scan.limbs.limb_image import Array
from sudeck.scan.limbs.posture_modes import STEP_MM, DisplacementGrid, LimbFrame

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MARGIN_MM = 16.0  # of surroundings compared with the limb: its edge tells the most
_KEPT_READINGS = 6
_STRETCH = (0.2, 5.0)  # of areas: less or more is a fold
_MOST_STEPS = 8
_STILL_MM = 0.1  # a step that moves no place farther than this is the last
_LARGEST_STEP_MM = 8.0
_TRIAL_STEPS = 2
_MOVED_MM = 0.5  # a step that moved a place farther than this asks for a new normal matrix
_ALIKE_DISPERSION = 0.9  # 1 is noise; what is fitted takes a quarter of it


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
        values = self.values[: self.modes.shape[2]]
        return np.stack([one @ values for one in self.modes], axis=1)

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
        at_nodes = self._read(points).matrix.T @ slopes
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
    problem = JointProblem(limbs, start, grid, modes, near, healthy_nodes)
    walk = _Walk(problem)
    if sectors:
        walk.go(_TRIAL_STEPS)
        # Where limbs differ no more than noise lets them, no digit lies on its neighbour.
        if max(float(one.dispersion.max()) for one in walk.seen) > _ALIKE_DISPERSION:
            walk.try_from(problem.turned(frame, sectors))
    walk.go(_MOST_STEPS)
    system, seen = problem.system(matrix=True, noise=True)
    return _report(problem, system, seen, girth, trunk)


class _Walk:
    """Gauss-Newton steps of a problem."""

    def __init__(self, problem: JointProblem) -> None:
        self.problem = problem
        self.number = 0
        self.moved = math.inf  # mm, by the last step
        self.still = False
        self.seen = self.problem.compare()

    def go(self, steps: int) -> None:
        """Take steps until so many were taken, or one moves hardly any place."""
        problem = self.problem
        while self.number < steps and not self.still:
            problem.excess = np.stack([one.excess for one in self.seen])
            anew = self.number < _TRIAL_STEPS or self.moved > _MOVED_MM
            if anew and self.number:
                problem.settle_back()
            system, self.seen = problem.system(matrix=anew)
            if anew:
                self.full = system.normal + np.diag(problem.precision)
            pull = system.gradient - problem.precision * (problem.values - problem.aim)
            step = np.asarray(np.linalg.solve(self.full, pull), dtype=np.float64)
            self.moved = problem.moves(step)
            problem.values = problem.values + step * min(1.0, _LARGEST_STEP_MM / max(self.moved, 1e-9))
            self.number += 1
            self.still = self.moved < _STILL_MM and self.number > _TRIAL_STEPS

    def try_from(self, values: Array) -> None:
        """Walk as far from other parameters, and go on from there where they explain the images better."""
        problem, steps = self.problem, self.number
        here, excess = problem.values, problem.excess
        cost = problem.cost(problem.compare())
        problem.begin(values)
        other = _Walk(problem)
        other.go(steps)
        problem.excess = excess
        if problem.cost(problem.compare()) > cost:
            problem.begin(here)
            return
        self.full, self.seen, self.moved = other.full, other.seen, other.moved


def _report(
    problem: JointProblem,
    system: JointSystem,
    seen: tuple[JointComparison, JointComparison],
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
    phases = problem.phases
    ahead = seen[0]
    residual = 2.0 * np.sqrt(ahead.excess) / np.maximum(problem.looks[0].level[:, 0], 1e-9)
    gain = np.sum(ahead.robust * ahead.gain, axis=1) / ahead.robust.sum(axis=1)
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
        residual=dict(zip(phases, residual.tolist(), strict=True)),
        dispersion=dict(zip(phases, ahead.dispersion.tolist(), strict=True)),
        gain=dict(zip(phases, gain.tolist(), strict=True)),
        girth=girth,
        trunk=trunk,
        place_sd_mm=_beside(problem, seen, float(np.trace(shown))),
    )


def _beside(problem: JointProblem, seen: tuple[JointComparison, JointComparison], fitted: float) -> float:
    """Return how far places still lie beside their counterparts, root mean square along one direction, in mm.

    What the limbs differ by beyond noise, over the squares of their slopes. The parameters and gains fitted
    have taken noise out of the differences, one unit each.

    Parameters
    ----------
    fitted : float
        How many parameters the images settle; those that the prior settles take no noise.
    """
    misfit = noise = slope = 0.0
    for scale, one in zip((problem.start.scale**2, 1.0), seen, strict=True):
        phases, _, knots = one.weighted.shape
        misfit += float(np.sum(one.weights * (one.residual**2 - one.variance))) + fitted + phases * knots
        noise += float(np.sum(one.weights * one.variance))
        squares = np.sum(one.slope**2, axis=2) / 2.0 - one.pretended
        slope += scale * float(np.sum(one.weights * squares))
    return math.sqrt(mean_above_zero(misfit, noise_of_squares(noise)) / max(slope, 1e-12))


def mean_above_zero(found: float, sd: float) -> float:
    """Return the mean of what can not be negative and was found to a standard error, perhaps below zero.

    That of the part of a normal law above zero.
    """
    from scipy import special

    if sd <= 0:
        return max(found, 0.0)
    standard = found / sd
    below = float(special.log_ndtr(standard))
    return max(found + sd * math.exp(-0.5 * standard**2 - below) / math.sqrt(2.0 * math.pi), 0.0)


def noise_of_squares(number: float) -> float:
    """Return the standard deviation that noise alone gives to the sum of weighted squares of both ways.

    Squares of smoothed noise hang together over half the area that the noise does, so that twice as many
    count. Both ways see the same noise, so that the variance of their sum is four times that of one.

    Parameters
    ----------
    number : float
        Expected sum: so many independent values both ways together.
    """
    return math.sqrt(2.0 * number)
