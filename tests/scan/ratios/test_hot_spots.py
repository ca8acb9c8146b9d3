"""An injection beside the vein: masked on both sides, counted, or its phase refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.scan.limbs.geometry import Grid
from sudeck.scan.measurement import MeasureSettings, measure_scan
from sudeck.scan.posing import pose_scan
from sudeck.scan.ratios.hot_spots import find_hot_spots, without_spots
from support.phantoms import as_bone_scan, synthetic

SETTINGS = {"limb": "hand", "VPr": 1.2, "TPr": 1.4, "BPr": 1.6}


@pytest.mark.parametrize("amount", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("side", ["left", "right"])
def test_what_is_left_beside_a_spot_is_right(side: str, amount: float) -> None:
    truth = synthetic(5, **SETTINGS).truth.image_ratios("whole")
    result = measure_scan(
        as_bone_scan(synthetic(5, **SETTINGS, injection_site=side, hot_spot=amount)), affected="right"
    )
    for name, estimate in result.estimates.items():
        if name in PHASE_RATIOS.values():
            assert abs(math.log(estimate.value / truth[name])) < 0.03
    masked = [flag for flag in result.flags if flag.code == "hot-spot-masked"]
    assert "vascular" in {flag.subject for flag in masked}
    assert not [flag for flag in result.flags if flag.severity == "serious"]
    if side == "right" and amount > 0.05:
        # The generator gives the spot this share of the counts of the healthy hand.
        assert masked[0].value == pytest.approx(amount * 40_000, rel=0.25)


def test_a_spot_that_outshines_the_limbs_costs_its_phase() -> None:
    scan = synthetic(5, **SETTINGS, injection_site="left", hot_spot=6.0)
    with pytest.raises(InputError, match=r"a spot of .* no mask makes it right"):
        measure_scan(as_bone_scan(scan), affected="right")


def test_a_spot_over_most_of_the_region_costs_its_phase() -> None:
    scan = as_bone_scan(synthetic(5, **SETTINGS, injection_site="right", hot_spot=1.0))
    with pytest.raises(InputError, match=r"covers \d\d % of the region .* measure a region away from it"):
        measure_scan(scan, affected="right", settings=MeasureSettings(region="wrist"))


def test_limbs_without_a_spot_have_none() -> None:
    scan = synthetic(5, **SETTINGS, periarticular=0.6)
    for phase in ("vascular", "tissue", "bone"):
        image = scan.counts[phase].sum(axis=0).astype(float).reshape(128, 128)
        assert find_hot_spots(image, Grid(image.shape, (2.7, 2.7)), phase) is None
    assert find_hot_spots(np.zeros((32, 32)), Grid((32, 32), (4.0, 4.0)), "bone") is None


def test_a_spot_is_filled_with_what_surrounds_it() -> None:
    scan = synthetic(5, **SETTINGS, injection_site="left", hot_spot=0.5)
    clean = synthetic(5, **SETTINGS).expected["tissue"]
    image = scan.counts["tissue"].sum(axis=0).astype(float).reshape(128, 128)
    grid = Grid(image.shape, (2.7, 2.7))
    spots = find_hot_spots(image, grid, "tissue")
    assert spots is not None
    filled = without_spots(image, spots, grid)
    assert filled[spots.core].mean() < 2.5 * clean[spots.core].mean()
    assert (filled[spots.excess == 0] == image[spots.excess == 0]).mean() > 0.99


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_spot_too_weak_to_be_told_from_a_limb_widens_the_interval(side: str) -> None:
    settings = {"limb": "hand", "VPr": 1.6, "TPr": 1.5, "BPr": 1.8}
    truth = synthetic(5, **settings).truth.image_ratios("whole")
    weak = as_bone_scan(synthetic(5, **settings, injection_site=side, hot_spot=0.03))
    result = measure_scan(weak, affected="right")
    assert not [flag for flag in result.flags if flag.code == "hot-spot-masked"]
    assert "vascular" in {flag.subject for flag in result.flags if flag.code == "warm-place"}
    for name in ("VPr", "TPr"):
        assert result.estimates[name].low < truth[name] < result.estimates[name].high


def test_limbs_without_a_spot_have_no_warm_places() -> None:
    focal = synthetic(5, limb="hand", region="wrist", VPr=1.6, TPr=2.0, BPr=2.2)
    posed = pose_scan(as_bone_scan(focal), affected="right")
    assert posed.warm == {}
