"""Fingers spread unequally or skin swollen: places meet their counterparts, and what is unknown is said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.scan import measure_scan, pose_scan
from sudeck.scan.limbs.digit_turns import PolarPair, Sector, digit_turns
from sudeck.scan.limbs.joint_fit import mean_above_zero, noise_of_squares
from sudeck.scan.limbs.posture_modes import DisplacementGrid, LimbFrame, posture_modes
from sudeck.synthetic.limbs.limb_maps import limb_map
from sudeck.synthetic.limbs.plane import apply
from sudeck.synthetic.limbs.posture import Posture
from sudeck.synthetic.scan.scan_pose import place_limbs
from support.phantoms import as_bone_scan, synthetic

UP = LimbFrame(np.zeros(2), np.array([0.0, -1.0]), 90.0, 35.0, 1)
COUNTS = dict.fromkeys(PHASE_RATIOS, 1e5)
TURNED = Posture(turns_deg=(0.0, 7.0, -2.0, -1.0, -5.0))


def test_modes_move_fingertips_far_and_the_palm_hardly() -> None:
    grid = DisplacementGrid.over(np.array([[-60.0, -185.0], [60.0, 60.0]]), 5.0)
    modes, girth = posture_modes(UP, grid.nodes, np.ones(grid.nodes.shape[0], dtype=bool))
    sd = np.sqrt(np.sum(modes[0, :, girth:] ** 2, axis=1))
    along, across = -grid.nodes[:, 1], np.abs(grid.nodes[:, 0])
    axis = across < 10
    assert sd[axis & (along > 50) & (along < 80)].mean() == pytest.approx(0.6, abs=0.25)
    assert sd[axis & (along > 165)].mean() == pytest.approx(0.6 + 0.10 * 80, rel=0.15)


def test_nodes_give_back_what_is_linear() -> None:
    grid = DisplacementGrid.over(np.array([[0.0, 0.0], [40.0, 60.0]]), 0.0)
    points = np.array([[3.0, 7.5], [31.0, 52.0]])
    assert grid.reading(points) @ (grid.nodes @ [2.0, -1.0]) == pytest.approx(points @ [2.0, -1.0])


def test_squares_of_smoothed_noise_spread_as_half_as_many_would() -> None:
    from scipy.ndimage import gaussian_filter

    sigma, rng = 3.0, np.random.default_rng(0)
    noise = gaussian_filter(rng.normal(size=(400, 96, 96)), (0, sigma, sigma), mode="wrap")
    weight = 1.0 / (4 * math.pi * sigma**2 * noise.var())
    both_ways = 2 * weight * np.sum(noise**2, axis=(1, 2))
    assert both_ways.std() == pytest.approx(noise_of_squares(float(both_ways.mean())), rel=0.08)


def test_a_finger_is_found_beyond_its_neighbour() -> None:
    """Four fingers 11 degrees apart; one lies 8 degrees on, nearer to where its neighbour was."""
    own, other = np.radians([-16.0, -5.0, 6.0, 17.0]), np.radians([-16.0, -5.0, 14.0, 24.0])

    def hand(fingers):
        def look(points):
            angle = UP.polar(points)[1]
            return 2.0 + 20.0 * np.exp(-0.5 * ((angle[:, None] - fingers) / 0.045) ** 2).sum(axis=1)

        return look

    pair = PolarPair(hand(own), hand(other), 0.1, 4.0)
    places, turns = digit_turns(UP, Sector((120.0, 180.0), (-0.45, 0.45)), [pair])
    angle = UP.polar(places)[1]
    for finger, counterpart in zip(own, other, strict=True):
        near = np.abs(angle - finger) < 0.02
        assert turns[near].mean() == pytest.approx(counterpart - finger, abs=math.radians(1.1))


@pytest.mark.parametrize("found", [-1.5, 0.0, 2.0])
def test_what_can_not_be_negative_has_the_mean_of_what_lies_above_nothing(found: float) -> None:
    draws = np.random.default_rng(1).normal(found, 0.7, 400_000)
    assert mean_above_zero(found, 0.7) == pytest.approx(draws[draws > 0].mean(), rel=0.03)
    assert mean_above_zero(found, 0.0) == max(found, 0.0)


@pytest.fixture(scope="module")
def spread():
    return synthetic(3, gap_mm=40.0, counts_per_limb=COUNTS, postures={"right": TURNED})


@pytest.mark.parametrize(("size", "pixel_mm"), [(128, 2.7), (64, 7.0)])
def test_fingers_meet_their_counterparts(size: int, pixel_mm: float) -> None:
    """On 64 pixels smoothed as far as on 128 the fingers ran together, and lay 3 to 7 mm beside."""
    spread = synthetic(
        3,
        gap_mm=40.0,
        counts_per_limb=COUNTS,
        postures={"right": TURNED},
        matrix=dict.fromkeys(PHASE_RATIOS, size),
        spacing_mm=dict.fromkeys(PHASE_RATIOS, pixel_mm),
    )
    posed = pose_scan(as_bone_scan(spread), affected="right")
    reference = posed.poses.phases[posed.poses.reference]
    placed = place_limbs(spread.design, reference.phase)
    ends = {}
    for side in ("right", "left"):
        digits = limb_map("hand", "palmar", 0, spread.design.posture(side)).anatomy.digits
        ends[side] = apply(placed[side], np.array([rod.points[-1] for rod in digits]))
    off = np.linalg.norm(reference.counterpart(ends["right"]) - ends["left"], axis=1)
    alike = np.linalg.norm(reference.to_healthy(ends["right"]) - ends["left"], axis=1)
    assert alike.max() > 6.0
    assert off.max() < 2.0


def test_a_joint_fit_widens_what_it_does_not_know(spread) -> None:
    found = measure_scan(as_bone_scan(spread), affected="right")
    for name, true in spread.truth.image_ratios("whole").items():
        assert found.estimates[name].low < true < found.estimates[name].high
        assert found.estimates[name].value == pytest.approx(true, rel=0.02)


@pytest.mark.parametrize("soft", [1.1, 1.16])
def test_swollen_skin_is_seen_said_and_inside_the_interval(soft: float) -> None:
    hands = synthetic(
        4,
        gap_mm=40.0,
        counts_per_limb=COUNTS,
        postures={"right": Posture(soft=soft)},
    )
    found = measure_scan(as_bone_scan(hands), affected="right")
    assert any("soft tissue swells" in flag.message for flag in found.flags)
    for name, true in hands.truth.image_ratios("whole").items():
        assert found.estimates[name].low < true < found.estimates[name].high
        assert found.estimates[name].value == pytest.approx(true, rel=0.03)


def test_limbs_alike_are_not_called_swollen() -> None:
    hands = synthetic(5, counts_per_limb=COUNTS, scale=1.1, gap_mm=40.0)
    posed = pose_scan(as_bone_scan(hands), affected="right")
    assert posed.poses.joint is not None
    assert abs(posed.poses.joint.swelling[0]) < 0.01
    assert not any("soft tissue swells" in flag.message for flag in posed.whole_flags)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_finger_is_not_laid_on_the_neighbour_of_one_that_is_missing(side: str) -> None:
    few = dict.fromkeys(PHASE_RATIOS, 2e4)
    study = synthetic(
        8, limb="hand", postures={side: Posture(missing=(1,))}, gap_mm=25.0, counts_per_limb=few
    )
    (found,) = [
        flag
        for flag in measure_scan(as_bone_scan(study), affected="right").flags
        if flag.code == "no-counterpart"
    ]
    assert f"of the {'affected' if side == 'left' else 'healthy'} limb" in found.message
    assert found.value == pytest.approx(0.07, abs=0.03)
