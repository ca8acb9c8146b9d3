from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.vocabulary import SCAN_PHASES, SIDES, Side, opposite
from sudeck.synthetic.limbs.plane import apply
from sudeck.synthetic.scan.bone_scan import (
    BoneScanDesign,
    Reposition,
    SyntheticBoneScan,
    random_design,
    simulate_bone_scan,
    write_truth,
)

POSED = BoneScanDesign(
    region="metacarpals",
    VPr=1.6,
    TPr=0.8,
    BPr=2.0,
    rotation_deg=9.0,
    scale=1.05,
    shift_mm=(12.0, -9.0),
    both_rotation_deg=2.0,
    both_shift_mm=(-3.0, 4.0),
    splay_deg=3.0,
    repositioned={"left": Reposition(2.0, (4.0, -3.0)), "right": Reposition(-3.0, (-2.0, 5.0))},
    gap_mm=30.0,
    arrival_s={"left": 18.0, "right": 15.0},
)
DESIGNS = {
    "hands": POSED,
    "soles": replace(POSED, limb="foot", region="midfoot", affected="left", shift_mm=(-8.0, 6.0)),
    "feet from the front": replace(POSED, limb="foot", view="anterior", region="ankle", rotation_deg=-6.0),
    "backs of hands": replace(POSED, view="dorsal", region="whole", shift_mm=(-6.0, 0.0)),
}


def simulate(design: BoneScanDesign, seed: int = 0) -> SyntheticBoneScan:
    return simulate_bone_scan(design, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module", params=DESIGNS.values(), ids=DESIGNS)
def scan(request: pytest.FixtureRequest) -> SyntheticBoneScan:
    return simulate(request.param)


@pytest.fixture(scope="module", params=DESIGNS.values(), ids=DESIGNS)
def bare(request: pytest.FixtureRequest) -> SyntheticBoneScan:
    """The same limbs through a camera that blurs, scatters and adds nothing, on fine pixels."""
    perfect = replace(
        request.param,
        matrix=400,
        spacing_mm=2.7 * 128 / 400,
        fwhm_mm=1e-3,
        scatter_fraction=0.0,
        background_fraction=0.0,
        flow_frames=2,
    )
    return simulate(perfect)


def test_same_seed_same_study_other_seed_other_noise() -> None:
    first, again, other = simulate(POSED), simulate(POSED), simulate(POSED, seed=1)
    for phase in SCAN_PHASES:
        np.testing.assert_array_equal(first.counts[phase], again.counts[phase])
        assert not np.array_equal(first.counts[phase], other.counts[phase])
        np.testing.assert_array_equal(first.expected[phase], other.expected[phase])


def test_counts_are_poisson_about_the_expectation(scan: SyntheticBoneScan) -> None:
    for phase in SCAN_PHASES:
        expected, summed = scan.expected[phase], scan.counts[phase].sum(axis=0, dtype=float)
        assert abs(summed.sum() - expected.sum()) < 4 * np.sqrt(expected.sum())
        chi2 = ((summed - expected) ** 2 / expected).mean()
        assert chi2 == pytest.approx(1.0, abs=0.05)


def test_healthy_limb_holds_the_chosen_counts(scan: SyntheticBoneScan) -> None:
    design = scan.design
    number = 1 + (opposite(design.affected) != design.image_left)
    for phase in SCAN_PHASES:
        inside = scan.expected[phase][scan.truth.phases[phase].labels == number].sum()
        assert inside == pytest.approx(design.counts_per_limb[phase], rel=0.02)


def test_uptake_ratio_is_the_chosen_one_in_its_region(scan: SyntheticBoneScan) -> None:
    assert scan.truth.uptake_ratios() == pytest.approx(
        {"VPr": scan.design.VPr, "TPr": scan.design.TPr, "BPr": scan.design.BPr}, rel=1e-9
    )


def test_truth_meets_a_direct_integration_of_the_activity(bare: SyntheticBoneScan) -> None:
    for phase in SCAN_PHASES:
        for name, region in bare.truth.phases[phase].regions.items():
            density = {}
            for side in SIDES:
                weight = region.coverage[side].astype(float)
                density[side] = (bare.expected[phase] * weight).sum() / weight.sum()
            direct = density[bare.design.affected] / density[opposite(bare.design.affected)]
            assert region.uptake_ratio == pytest.approx(direct, rel=3e-3), (phase, name)
            assert region.image_ratio == pytest.approx(direct, rel=1e-6)


def test_transform_leads_to_the_homologous_point(bare: SyntheticBoneScan) -> None:
    from scipy.ndimage import map_coordinates

    size = bare.design.matrix_of("bone")
    for phase in SCAN_PHASES:
        truth, expected = bare.truth.phases[phase], bare.expected[phase]
        region = truth.regions[bare.truth.region]
        rows, columns = np.nonzero(region.coverage[bare.design.affected] == 1)
        here = np.stack([columns, rows], axis=1).astype(float)
        there = apply(truth.to_healthy_px, here)
        mirrored = apply(truth.to_mirrored_healthy_px, here)
        np.testing.assert_allclose(mirrored, np.stack([size - 1 - there[:, 0], there[:, 1]], axis=1))
        values = map_coordinates(expected, there.T[::-1], order=1)
        ratio = expected[rows, columns] / values
        assert np.median(ratio) == pytest.approx(bare.design.ratio(phase), rel=2e-3)
        assert (
            np.percentile(np.abs(ratio / np.median(ratio) - 1), 90) < 0.07
        )  # pixels across the edges of vessels differ


def test_transform_is_a_similarity_in_millimetres(scan: SyntheticBoneScan) -> None:
    for phase in SCAN_PHASES:
        truth = scan.truth.phases[phase]
        linear = truth.to_mirrored_healthy_mm[:2, :2]
        np.testing.assert_allclose(linear @ linear.T, np.eye(2) / scan.design.scale**2, atol=1e-12)
        assert np.linalg.det(linear) > 0
        np.testing.assert_allclose(linear, truth.to_mirrored_healthy_px[:2, :2], atol=1e-12)
        turned = np.degrees(np.arctan2(linear[1, 0], linear[0, 0]))
        if phase == "bone":
            assert abs(turned) != pytest.approx(abs(scan.design.rotation_deg), abs=0.1)


def test_blur_and_background_pull_the_image_ratio_to_one(scan: SyntheticBoneScan) -> None:
    for phase in SCAN_PHASES:
        region = scan.truth.phases[phase].regions[scan.truth.region]
        assert abs(np.log(region.image_ratio)) < abs(np.log(region.uptake_ratio))
        assert abs(np.log(region.image_ratio / region.uptake_ratio)) < 0.08


def test_mirrored_design_gives_the_mirrored_image(scan: SyntheticBoneScan) -> None:
    design = scan.design

    def mirrored(moved: Reposition) -> Reposition:
        return Reposition(-moved.rotation_deg, (-moved.shift_mm[0], moved.shift_mm[1]))

    twin = replace(
        design,
        affected=opposite(design.affected),
        rotation_deg=-design.rotation_deg,
        shift_mm=(-design.shift_mm[0], design.shift_mm[1]),
        both_rotation_deg=-design.both_rotation_deg,
        both_shift_mm=(-design.both_shift_mm[0], design.both_shift_mm[1]),
        repositioned={opposite(side): mirrored(moved) for side, moved in design.repositioned.items()},
        arrival_s={opposite(side): arrival for side, arrival in design.arrival_s.items()},
    )
    seen = simulate(twin)
    for phase in SCAN_PHASES:
        np.testing.assert_allclose(seen.expected[phase][:, ::-1], scan.expected[phase], atol=1e-9)
        labels = scan.truth.phases[phase].labels[:, ::-1]
        np.testing.assert_array_equal(seen.truth.phases[phase].labels, np.choose(labels, [0, 2, 1]))
    assert seen.truth.image_ratios() == pytest.approx(scan.truth.image_ratios(), rel=1e-9)


@pytest.mark.parametrize(
    ("view", "left"), [("palmar", "right"), ("dorsal", "left"), ("plantar", "right"), ("anterior", "right")]
)
def test_side_at_the_image_left(view: str, left: Side) -> None:
    limb = "hand" if view in ("palmar", "dorsal") else "foot"
    design = BoneScanDesign(limb=limb, view=view, affected=left, VPr=2.0, TPr=2.0, BPr=2.0)  # type: ignore[arg-type]
    scan = simulate(design)
    assert scan.truth.image_left == left
    for phase in SCAN_PHASES:
        half = scan.design.matrix_of(phase) // 2
        assert scan.expected[phase][:, :half].sum() > 1.7 * scan.expected[phase][:, half:].sum()
        assert set(np.unique(scan.truth.phases[phase].labels[:, :half])) == {0, 1}


def test_affected_limb_is_where_its_ratio_shows() -> None:
    base = replace(POSED, VPr=1.0, TPr=1.0, BPr=1.0)
    bright = simulate(replace(base, VPr=2.0, TPr=2.0, BPr=2.0))
    even = simulate(base)
    for phase in SCAN_PHASES:
        difference = bright.expected[phase] - even.expected[phase]
        weight = bright.truth.phases[phase].regions["metacarpals"].coverage["right"]
        assert (difference * weight).sum() > 0.7 * difference.sum()


def test_flow_arrives_as_chosen_and_sums_to_the_ratio() -> None:
    design = replace(
        POSED, region="whole", VPr=1.5, arrival_s={"left": 30.0, "right": 14.0}, scatter_fraction=0.0
    )
    bright = dict.fromkeys(SCAN_PHASES, 4e6)
    scan = simulate(replace(design, counts_per_limb=bright, background_fraction=0.0))
    region = scan.truth.phases["vascular"].regions["whole"]
    curves = {
        side: (scan.counts["vascular"] * (region.coverage[side] == 1)).sum(axis=(1, 2)) for side in SIDES
    }
    first = {side: int(np.flatnonzero(curve > 0.02 * curve.max())[0]) * 2.0 for side, curve in curves.items()}
    assert first["right"] == pytest.approx(14.0 + 2, abs=2.0)
    assert first["left"] == pytest.approx(30.0 + 2, abs=2.0)
    assert region.uptake_ratio == pytest.approx(1.5)
    measured = curves["right"].sum() / curves["left"].sum() * region.area_px["left"] / region.area_px["right"]
    assert measured == pytest.approx(1.5, rel=0.03)


def test_periarticular_uptake_raises_the_bone_ratio_alone() -> None:
    plain, inflamed = simulate(POSED), simulate(replace(POSED, periarticular=0.5))
    assert inflamed.truth.uptake_ratios()["BPr"] > 1.05 * plain.truth.uptake_ratios()["BPr"]
    assert inflamed.truth.uptake_ratios()["VPr"] == plain.truth.uptake_ratios()["VPr"]


def test_hot_spot_lies_on_the_injected_side() -> None:
    plain, injected = simulate(POSED), simulate(replace(POSED, injection_site="left"))
    for phase in SCAN_PHASES:
        added = injected.expected[phase] / plain.expected[phase]
        row, column = np.unravel_index(added.argmax(), added.shape)
        assert added.max() > 1.5
        assert injected.truth.phases[phase].labels[row, column] == 2
        assert row > 80  # the forearm, below


def test_phases_may_differ_in_matrix_and_pixel_size() -> None:
    scan = simulate(
        replace(
            POSED,
            repositioned={},
            matrix={"vascular": 64, "tissue": 128, "bone": 256},
            spacing_mm={"vascular": 5.4, "tissue": 2.7, "bone": 1.35},
        )
    )
    assert [scan.counts[phase].shape for phase in SCAN_PHASES] == [
        (60, 64, 64), (1, 128, 128), (1, 256, 256)
    ]  # fmt: skip
    area = [scan.truth.phases[p].regions["whole"].area_px["left"] * s**2 for p, s in
            zip(SCAN_PHASES, (5.4, 2.7, 1.35), strict=True)]  # fmt: skip
    assert area == pytest.approx([area[1]] * 3, rel=5e-3)
    transforms = [scan.truth.phases[phase].to_mirrored_healthy_mm for phase in SCAN_PHASES]
    np.testing.assert_allclose(transforms[0], transforms[2])


def test_opposed_detector_sees_the_mirror_image() -> None:
    scan = simulate(replace(POSED, opposed=True, counts_per_limb=dict.fromkeys(SCAN_PHASES, 3e6)))
    first = scan.counts["bone"][0].astype(float)
    second = scan.opposed_counts["bone"][0, :, ::-1].astype(float)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.98
    assert second.sum() / first.sum() == pytest.approx(0.85, abs=0.01)


def test_polygons_enclose_the_region(scan: SyntheticBoneScan) -> None:
    region = scan.truth.phases["bone"].regions[scan.truth.region]
    for side in SIDES:
        x, y = region.polygons(side)[0].T
        area = 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
        assert area == pytest.approx(region.area_px[side], rel=0.03)
        assert region.mask(side).sum() == pytest.approx(region.area_px[side], rel=0.03)


def test_cramer_rao_bound_counts_both_regions(scan: SyntheticBoneScan) -> None:
    region = scan.truth.phases["bone"].regions[scan.truth.region]
    summed = {side: (scan.expected["bone"] * region.coverage[side]).sum() for side in SIDES}
    assert region.cramer_rao_log_se == pytest.approx(np.sqrt(sum(1 / n for n in summed.values())), rel=1e-6)


def test_truth_file_can_be_read_back(tmp_path: Path) -> None:
    scan = simulate(POSED)
    write_truth(scan, tmp_path / "truth.json")
    stored = json.loads((tmp_path / "truth.json").read_text())
    assert stored["truth"]["uptake_ratios"] == pytest.approx(scan.truth.uptake_ratios())
    assert stored["design"]["region"] == "metacarpals"
    labels = np.load(tmp_path / "truth.npz")
    np.testing.assert_array_equal(labels["bone"], scan.truth.phases["bone"].labels)


def test_random_studies_keep_their_promises() -> None:
    rng = np.random.default_rng(20)
    for _ in range(6):
        scan = simulate(random_design(rng, counts=20_000))
        for phase in SCAN_PHASES:
            truth = scan.truth.phases[phase]
            assert set(np.unique(truth.labels)) == {0, 1, 2}
            region = truth.regions[scan.truth.region]
            assert region.uptake_ratio == pytest.approx(scan.design.ratio(phase), rel=1e-9)
            areas = region.area_px[scan.design.affected] / region.area_px[scan.truth.healthy]
            assert areas == pytest.approx(scan.design.scale**2, rel=0.01)
