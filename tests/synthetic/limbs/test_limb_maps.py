from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import REGIONS, SCAN_PHASES
from sudeck.synthetic.limbs.limb_maps import TAPER_MM, VIEWS, LimbMap, asymmetry, limb_map

SHOWN = [(limb, view) for limb, views in VIEWS.items() for view in views]


@pytest.fixture(params=SHOWN, ids=lambda pair: "-".join(pair))
def body(request: pytest.FixtureRequest) -> LimbMap:
    return limb_map(*request.param)


def test_bands_are_the_named_regions_and_adjoin(body: LimbMap) -> None:
    limb = next(limb for limb, names in REGIONS.items() if set(body.anatomy.bands) < set(names))
    assert ("whole", *body.anatomy.bands) == REGIONS[limb]
    edges = list(body.anatomy.bands.values())
    assert all(low[1] == high[0] for low, high in pairwise(edges))


def test_nothing_is_emitted_outside_the_skin(body: LimbMap) -> None:
    for phase in SCAN_PHASES:
        activity = body.activity(phase)
        assert activity[body.distance > 0].max() == 0
        assert activity[body.distance < -4].min() > 0


def test_skin_is_one_piece_with_room_to_the_edge(body: LimbMap) -> None:
    from scipy.ndimage import label

    inside = body.distance < 0
    assert label(inside)[1] == 1
    assert not inside[-1].any()
    assert not inside[:, [0, -1]].any()


def test_phases_look_different(body: LimbMap) -> None:
    images = [body.activity(phase)[body.distance < 0] for phase in SCAN_PHASES]
    correlations = np.corrcoef(images)
    assert correlations[0, 1] < 0.95  # flow and pool share the soft tissue
    assert correlations[2, :2].max() < 0.85
    contrast = [np.percentile(image, 98) / np.median(image) for image in images]
    assert contrast[1] < min(contrast[0], contrast[2])  # the pool image is the flat one


def test_joints_are_the_hottest_of_the_bone_phase() -> None:
    body = limb_map("hand", "palmar")
    bone = body.activity("bone")
    knuckles = np.array([joint.centre for joint in body.anatomy.joints])
    assert body.sample(bone, knuckles).mean() > 2.5 * bone[body.distance < 0].mean()


def test_sampling_meets_the_grid_exactly(body: LimbMap) -> None:
    np.testing.assert_allclose(body.sample(body.distance, body.points), body.distance, atol=1e-9)


def test_variants_are_people_who_differ_a_little() -> None:
    average, other = limb_map("foot", "plantar"), limb_map("foot", "plantar", 3)
    assert limb_map("foot", "plantar", 3) is other
    overlap = ((average.distance < 0) & (other.distance < 0)).sum() / (average.distance < 0).sum()
    assert 0.95 < overlap < 1
    assert not np.array_equal(average.activity("bone"), other.activity("bone"))


def test_asymmetry_is_even_in_the_region_and_gone_beyond_the_taper() -> None:
    v = np.linspace(-60, 60, 2401)
    factor = asymmetry(v, (-20.0, 30.0), 1.8)
    assert np.all(factor[(v >= -20) & (v <= 30)] == 1.8)
    assert np.all(factor[(v <= -20 - TAPER_MM) | (v >= 30 + TAPER_MM)] == 1.0)
    assert np.abs(np.diff(factor)).max() < 0.01
    assert np.all(asymmetry(v, None, 0.7) == 0.7)


def test_a_view_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="no plantar view"):
        limb_map("hand", "plantar")
