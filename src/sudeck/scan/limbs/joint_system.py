"""All phases of both limbs as one system of equations: modes of posture, mirror, a movement of each phase."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.limbs.digit_turns import PolarPair, Sector, digit_turns
from sudeck.scan.limbs.geometry import Points, Similarity
from sudeck.scan.limbs.image_comparison import Bilinear
from sudeck.scan.limbs.joint_looks import JointComparison, JointLook, PhaseLimbs
from sudeck.scan.limbs.limb_image import Array, matched_blur_px, same_blur_px, smoothed, stabilised
from sudeck.scan.limbs.posture_modes import DisplacementGrid, LimbFrame

Fields = NDArray[np.float32]  # displacements of many places: half as long to multiply

# Before the images are seen: rotation, log size, shifts about the start; log size about none.
_MIRROR_SD = np.array([math.radians(15.0), 0.06, 15.0, 15.0])
_RIGID_SD = np.array([math.radians(2.0), 2.0, 2.0])  # rotation and shifts of one phase beside the others
_TURNED_MM = 4.0  # of the first guess of turned digits, from which it is tried
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
        self.looks: dict[tuple[ScanPhase, int], JointLook] = {}
        for name, phase in limbs.items():
            images, sigmas = [], []
            for limb, times in ((phase.affected, 1 / grow), (phase.healthy, grow)):
                sigma = same_blur_px(phase.smoothing_px, phase.affected.grid, limb.grid)
                sigmas.append(matched_blur_px(sigma, limb.grid.pixel_mm, times))
                images.append(smoothed(limb.counts, sigmas[-1]))
            self.looks[name, 0] = JointLook.of(
                images[0], phase.affected, phase.carry_affected(self.points), self.points,
                images[1], phase.healthy, phase.smoothing_px, 1.0,
            )  # fmt: skip
            self.looks[name, 1] = JointLook.of(
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
        """Displacement at the nodes, shape [node, 2]."""
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
    ) -> tuple[JointSystem, dict[tuple[ScanPhase, int], JointComparison]]:
        """Compare all phases both ways; the mean of both ways is one system of equations."""
        size = self.values.size
        found = JointSystem(np.zeros((size, size)), np.zeros((size, size)), np.zeros(size))
        displacement = self.displacement
        displaced = self.points + displacement[self.near]
        moved_back = self.back_reading @ displacement
        comparisons: dict[tuple[ScanPhase, int], JointComparison] = {}
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
        self,
        found: JointSystem,
        fields: Fields,
        number: int,
        seen: JointComparison,
        slope: Array,
        matrix: bool,
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
        self, found: JointSystem, fields: Fields, number: int, seen: JointComparison, stretch: float
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
