from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import REGIONS, SCAN_PHASES, SIDES, Side, opposite
from sudeck.synthetic.limbs.limb_maps import limb_map
from sudeck.synthetic.limbs.plane import apply, inverse
from sudeck.synthetic.scan.random_designs import random_design, unlike_design
from sudeck.synthetic.scan.scan_design import BoneScanDesign, Reposition
from sudeck.synthetic.scan.scan_pose import fits_the_field, place_limbs


def test_random_designs_span_the_ranges_and_fit() -> None:
    rng = np.random.default_rng(4)
    designs = [random_design(rng) for _ in range(60)]
    assert {design.limb for design in designs} == {"hand", "foot"}
    assert {design.affected for design in designs} == set(SIDES)
    assert {design.region for design in designs} == {name for names in REGIONS.values() for name in names}
    for design in designs:
        assert fits_the_field(design)
        assert abs(design.rotation_deg) <= 15
        assert 0.93 <= design.scale <= 1.07
        assert np.abs(design.shift_mm).max() <= 12 * 2.7
        assert all(0.6 <= design.ratio(phase) <= 2.2 for phase in SCAN_PHASES)
        assert all(2e3 <= design.counts_per_limb[phase] <= 2e5 for phase in SCAN_PHASES)
    assert max(abs(design.rotation_deg) for design in designs) > 12
    assert max(np.abs(design.shift_mm).max() for design in designs) > 8 * 2.7


def test_random_design_obeys_what_is_chosen_and_the_seed() -> None:
    chosen = random_design(np.random.default_rng(1), limb="foot", counts=2000, region="midfoot")
    assert (chosen.limb, chosen.region, chosen.counts_per_limb["bone"]) == ("foot", "midfoot", 2000)
    assert chosen == random_design(np.random.default_rng(1), limb="foot", counts=2000, region="midfoot")


def test_poses_that_leave_the_field_or_overlap_do_not_fit() -> None:
    assert fits_the_field(BoneScanDesign())
    assert not fits_the_field(BoneScanDesign(shift_mm=(0.0, -80.0)))
    assert not fits_the_field(BoneScanDesign(affected="right", shift_mm=(40.0, 0.0)))


@pytest.mark.parametrize(("limb", "view"), [("hand", "palmar"), ("foot", "plantar"), ("foot", "anterior")])
@pytest.mark.parametrize("gap", [0.0, 25.0])
def test_gap_is_the_distance_between_the_outlines(limb: str, view: str, gap: float) -> None:
    design = BoneScanDesign(limb=limb, view=view, gap_mm=gap)  # type: ignore[arg-type]
    skin = limb_map(design.limb, design.seen_from).contour
    for phase in SCAN_PHASES:
        placed = place_limbs(design, phase)
        half = 0.5 * design.matrix_of(phase) * design.spacing_of(phase)
        x = {}
        for side in SIDES:
            points = apply(placed[side], skin)
            x[side] = points[np.abs(points[:, 1]) < half, 0]
        assert x["left"].min() - x["right"].max() == pytest.approx(gap, abs=1e-9)


def test_repositioning_moves_the_delayed_image_only() -> None:
    still = BoneScanDesign()
    moved = BoneScanDesign(repositioned={"left": Reposition(4.0, (3.0, -2.0))})
    for phase in SCAN_PHASES:
        before, after = place_limbs(still, phase), place_limbs(moved, phase)
        np.testing.assert_array_equal(before["right"], after["right"])
        step = after["left"] @ inverse(before["left"])
        turned = np.degrees(np.arctan2(step[1, 0], step[0, 0]))
        assert turned == pytest.approx(4.0 if phase == "bone" else 0.0)


def test_impossible_designs_are_refused() -> None:
    with pytest.raises(InputError, match="no such region of a hand"):
        BoneScanDesign(region="ankle")
    with pytest.raises(InputError, match="not a positive number"):
        BoneScanDesign(BPr=0.0)
    with pytest.raises(InputError, match="counts in the bone phase"):
        BoneScanDesign(counts_per_limb={"vascular": 1.0, "tissue": 1.0, "bone": float("nan")})


@pytest.mark.parametrize("affected", SIDES)
def test_pose_of_the_affected_limb_means_what_it_says(affected: Side) -> None:
    plain = BoneScanDesign(affected=affected)
    posed = replace(plain, rotation_deg=10.0, scale=1.05, shift_mm=(7.0, -4.0))
    before, after = place_limbs(plain, "tissue"), place_limbs(posed, "tissue")
    np.testing.assert_array_equal(before[opposite(affected)], after[opposite(affected)])
    centre = np.array(limb_map("hand", "palmar").anatomy.pivot)
    moved = apply(after[affected], centre) - apply(before[affected], centre)
    np.testing.assert_allclose(moved, [7.0, -4.0], atol=1e-9)
    # Fingers point up; a turn clockwise takes their tips to the right, on either side of the image.
    tip = np.add(centre, (0.0, 100.0))
    up_before = apply(before[affected], tip) - apply(before[affected], centre)
    up_after = apply(after[affected], tip) - apply(after[affected], centre)
    np.testing.assert_allclose(up_before, [0.0, -100.0], atol=1e-9)
    np.testing.assert_allclose(
        up_after, [105 * np.sin(np.radians(10)), -105 * np.cos(np.radians(10))], atol=1e-9
    )


def test_hard_scans_have_limbs_unlike_in_shape_and_now_and_then_few_counts():
    rng = np.random.default_rng(0)
    designs = []
    for _ in range(60):
        plain = random_design(rng, counts=100_000.0, region="whole")
        designs.append(unlike_design(plain, rng))
    for design in designs:
        unlike = design.postures if design.limb == "hand" else design.scale != 1.0
        assert unlike
    few = [design for design in designs if design.counts_per_limb["bone"] == pytest.approx(20_000)]
    assert 10 <= len(few) <= 32
    assert 3 <= sum(design.injection_site is not None for design in designs) <= 20
