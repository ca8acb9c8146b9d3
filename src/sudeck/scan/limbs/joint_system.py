"""All phases of both limbs as one system of equations: modes of posture, mirror, a movement of each phase."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.limbs.digit_turns import PolarPair, Sector, digit_turns
from sudeck.scan.limbs.geometry import Grid, Points, Similarity
from sudeck.scan.limbs.image_comparison import Bilinear
from sudeck.scan.limbs.joint_looks import JointComparison, JointLooks, PhaseLimbs, Smoothed
from sudeck.scan.limbs.limb_image import Array, matched_blur_px, same_blur_px, smoothed, stabilised
from sudeck.scan.limbs.posture_modes import DisplacementGrid, LimbFrame

# Displacements of many places. Not in single precision: BLAS libraries round its products unlike each other,
# and the fit then rests where the first of them led it.
Fields = NDArray[np.float64]

# Before the images are seen: rotation, log size, shifts about the start; log size about none.
_MIRROR_SD = np.array([math.radians(15.0), 0.06, 15.0, 15.0])
_RIGID_SD = np.array([math.radians(2.0), 2.0, 2.0])  # rotation and shifts of one phase beside the others
COARSE_MM = 4.5  # pixels larger than this are drawn finer once they are smooth
_FINER = 2
_TURNED_POINT_MM = 10.0  # error of a place of the first guess of turned digits: many places make a digit


@dataclass
class JointSystem:
    """Normal matrix and gradient of all parameters."""

    normal: Array
    pretended: Array
    gradient: Array


class JointProblem:
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
        self.modes = modes
        self.count = modes.shape[2]
        self.rigid = [self.count, self.count + 2, self.count + 3]  # rotation and shifts
        self.points = grid.nodes[near]
        self.centre = self.points.mean(axis=0)
        self.healthy_nodes = healthy_nodes
        self.values = np.zeros(self.count + 4 + 3 * len(self.phases))
        self.excess = np.zeros((2, len(self.phases)))
        self.fields = self._with_similarity(self.modes[:, near], self.points)
        affected, healthy = (
            [_smooth(phase, side, start.scale) for phase in limbs.values()] for side in (0, 1)
        )
        # Ahead: the affected limb looks at the healthy one. Back: the other way round.
        self.looks = (
            JointLooks.of(affected, healthy, self.points),
            JointLooks.of(healthy, affected, healthy_nodes),
        )
        self.gains: list[Array | None] = [None, None]
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

    def cost(self, seen: Sequence[JointComparison]) -> float:
        """Half the weighted squares of residuals, cut off where they are no match, and of the modes."""
        off = self.values - self.aim
        return 0.5 * float(self.precision @ off**2) + 0.5 * sum(one.cost for one in seen)

    def turned(self, frame: LimbFrame, sectors: Sequence[Sector]) -> Array:
        """Return the parameters with the digits where they are likely to be, as far as the modes can."""
        pairs = [self._polar_pair(number) for number in range(len(self.phases))]
        found = [digit_turns(frame, sector, pairs) for sector in sectors]
        points, turn = (np.concatenate(parts) for parts in zip(*found, strict=True))
        reading = self.grid.reading(points)
        fields = np.stack([reading @ one for one in self.modes])
        arm = points - frame.centre_mm
        wanted = np.stack([-turn * arm[:, 1], turn * arm[:, 0]])
        weight = _TURNED_POINT_MM**-2.0
        normal = weight * sum(one.T @ one for one in fields) + np.eye(self.count)
        pull = weight * sum(one.T @ aim for one, aim in zip(fields, wanted, strict=True))
        values = self.values.copy()
        values[: self.count] = np.linalg.solve(normal, pull)
        return values

    def _polar_pair(self, number: int) -> PolarPair:
        phase = self.limbs[self.phases[number]]
        to_other = self.start.then(phase.carry_healthy)
        ahead, back = self.looks

        def affected(points: Points) -> Array:
            image = back.images[number]  # of the affected limb, which the healthy one looks at
            place = back.grids[number].pixel_of(phase.carry_affected(points))
            return stabilised(Bilinear.at(*place, image.shape)(image))

        def healthy(points: Points) -> Array:
            image = ahead.images[number]
            return stabilised(
                Bilinear.at(*ahead.grids[number].pixel_of(to_other(points)), image.shape)(image)
            )

        return PolarPair(
            affected, healthy, 2.0 * float(ahead.noise[number, 0]), float(ahead.sigma_mm[number, 0])
        )

    def _with_similarity(self, fields: Fields, points: Points) -> Fields:
        """Add to the modes what rotation, size and shift do to each place."""
        arm = points - self.centre
        extra = np.zeros((2, points.shape[0], 4))
        extra[0, :, 0], extra[1, :, 0] = -arm[:, 1], arm[:, 0]
        extra[:, :, 1] = arm.T
        extra[0, :, 2] = extra[1, :, 3] = 1.0
        return np.concatenate([fields, extra], axis=2)

    @property
    def displacement(self) -> Array:
        """Displacement at the nodes, shape [node, 2]."""
        values = self.values[: self.count]
        return (self.modes @ values).T

    def moves(self, step: Array) -> float:
        """Return how far a step moves any place along x or y, in mm."""
        return float(np.abs(self.fields @ step[: self.count + 4]).max())

    def mirror(self, number: int) -> Similarity:
        """From the displaced affected to the healthy limb, both on the reference image, as in a phase."""
        turn, size, *shift = self.values[self.count : self.count + 4]
        own = self.values[self.count + 4 + 3 * number :][:3]
        common = Similarity.about(
            self.centre, self.centre + shift, rotation_deg=math.degrees(turn), log_scale=float(size)
        )
        rigid = Similarity.about(self.centre, self.centre + own[1:], rotation_deg=math.degrees(own[0]))
        return rigid.then(common).then(self.start)

    def compare(self) -> tuple[JointComparison, JointComparison]:
        """Compare all phases ahead and back."""
        displacement = self.displacement
        displaced = self.points + displacement[self.near]
        moved_back = self.back_reading @ displacement
        ahead, back = [], []
        for number, name in enumerate(self.phases):
            phase, mirror = self.limbs[name], self.mirror(number)
            ahead.append(mirror.then(phase.carry_healthy)(displaced))
            back.append(phase.carry_affected(mirror.inverse()(self.healthy_nodes) - moved_back))
        seen = (
            self.looks[0].compare(ahead, self.excess[0], self.gains[0]),
            self.looks[1].compare(back, self.excess[1], self.gains[1]),
        )
        self.gains = [one.gains for one in seen]
        return seen

    def system(
        self, *, matrix: bool, noise: bool = False
    ) -> tuple[JointSystem, tuple[JointComparison, JointComparison]]:
        """Compare all phases both ways; the mean of both ways is one system of equations."""
        size = self.values.size
        found = JointSystem(np.zeros((size, size)), np.zeros((size, size)), np.zeros(size))
        seen = self.compare()
        for way, one in enumerate(seen):
            turn, stretch = [], []
            for number, name in enumerate(self.phases):
                to_other = self.mirror(number).then(self.limbs[name].carry_healthy)
                turn.append(-self.limbs[name].carry_affected.matrix if way else to_other.matrix)
                stretch.append(1.0 if way else to_other.scale**2)
            slope = one.slope @ np.stack(turn)
            fields = self.back_fields if way else self.fields
            self._add_gradient(found.gradient, fields, slope, one)
            if matrix:
                self._add_normal(found.normal, fields, slope, one)
            if noise:
                weights = one.weights * one.pretended * np.array(stretch)[:, None]
                self._add_squares(found.pretended, fields, weights)
        return found, seen

    def _add_gradient(self, gradient: Array, fields: Fields, slope: Fields, seen: JointComparison) -> None:
        pulls = slope * seen.beyond_gains[..., None]  # [phase, n, 2]
        by_phase = 0.5 * sum(field.T @ pulls[..., axis].T for axis, field in enumerate(fields))
        common = self.count + 4
        gradient[:common] += by_phase.sum(axis=1)
        gradient[common:] += by_phase[self.rigid].T.ravel()

    def _add_normal(self, normal: Array, fields: Fields, slope: Fields, seen: JointComparison) -> None:
        """Add slopes times fields, squared and weighted, less what the gains explain of them."""
        weights = seen.weights
        by_x, by_y = slope[..., 0], slope[..., 1]
        # The squares of all phases at a node are those of two movements: of the Cholesky factor.
        xx, xy, yy = (np.sum(weights * a * b, axis=0) for a, b in ((by_x, by_x), (by_x, by_y), (by_y, by_y)))
        first = np.sqrt(np.maximum(xx, 1e-20))
        across = xy / first
        rest = np.sqrt(np.maximum(yy - across**2, 0.0))
        both = np.concatenate(
            [first[:, None] * fields[0] + across[:, None] * fields[1], rest[:, None] * fields[1]]
        )
        square = both.T @ both
        # Of each phase: with its own movement, and with its gains.
        phases, nodes, knots = seen.weighted.shape
        change = by_x[..., None] * fields[0][:, self.rigid] + by_y[..., None] * fields[1][:, self.rigid]
        columns = np.concatenate([weights[..., None] * change, seen.weighted], axis=2)
        turned = slope[..., None] * columns[:, :, None, :]  # [phase, n, 2, rigid and knots]
        beside = sum(
            field.T @ turned[:, :, axis].transpose(1, 0, 2).reshape(nodes, -1)
            for axis, field in enumerate(fields)
        )
        beside = beside.reshape(-1, phases, 3 + knots)
        common = self.count + 4
        normal[:common, :common] += 0.5 * square
        for number in range(phases):
            cross, by_gain = beside[:, number, :3], beside[:, number, 3:]
            taken = np.linalg.solve(seen.inner[number], by_gain.T)
            normal[:common, :common] -= 0.5 * (by_gain @ taken)
            self._add_own(normal, number, 0.5 * (cross - by_gain @ taken[:, self.rigid]))

    def _add_squares(self, target: Array, fields: Fields, weights: Fields) -> None:
        """Add the squares of fields, weighted by phase and node."""
        common = self.count + 4
        root = np.sqrt(weights.sum(axis=0))[:, None]
        for field in fields:
            scaled = root * field
            target[:common, :common] += 0.5 * (scaled.T @ scaled)
        for number, weight in enumerate(weights):
            cross = sum(field.T @ (weight[:, None] * field[:, self.rigid]) for field in fields)
            self._add_own(target, number, 0.5 * cross)

    def _add_own(self, target: Array, number: int, cross: Array) -> None:
        """Add what one phase's own movement shares with all parameters, and with itself."""
        common = self.count + 4
        own = slice(common + 3 * number, common + 3 * number + 3)
        target[:common, own] += cross
        target[own, :common] += cross.T
        target[own, own] += cross[self.rigid]

    def settle_back(self) -> None:
        """Find anew where the healthy nodes lie on the affected limb, and what the modes do there."""
        aimed = self.mirror(0).inverse()(self.healthy_nodes)
        place = aimed
        displacement = self.displacement
        for _ in range(2):
            place = aimed - self.grid.reading(place) @ displacement
        self._read_back(place)

    def _read_back(self, places: Points) -> None:
        self.back_reading = self.grid.reading(places)
        fields = np.stack([self.back_reading @ one for one in self.modes])
        self.back_fields = self._with_similarity(fields, places)


def _smooth(phase: PhaseLimbs, side: int, scale: float) -> Smoothed:
    """Smooth one limb of a phase so that camera and smoothing blur both in proportion to their sizes."""
    from scipy import ndimage

    grow = math.sqrt(scale)
    limb, carry, times = (
        (phase.healthy, phase.carry_healthy, grow)
        if side
        else (phase.affected, phase.carry_affected, 1 / grow)
    )
    sigma = same_blur_px(phase.smoothing_px, phase.affected.grid, limb.grid)
    image = smoothed(limb.counts, matched_blur_px(sigma, limb.grid.pixel_mm, times))
    grid = limb.grid
    if grid.pixel_mm > COARSE_MM:
        # Between coarse pixels a straight line blurs by as much as the camera does, here more and there less.
        image = np.asarray(ndimage.zoom(image, _FINER, order=3, mode="nearest", grid_mode=True))
        grid = Grid(image.shape, (grid.spacing_mm[0] / _FINER, grid.spacing_mm[1] / _FINER))
    return Smoothed(limb, image, grid, carry, phase.smoothing_px)
