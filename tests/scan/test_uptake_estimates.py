"""Blur, scatter and background taken out: what the image pulls towards 1 comes back, with its error."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.scan.measurement import MeasureSettings, measure_region, measure_scan
from sudeck.scan.posing import pose_scan
from sudeck.scan.ratios.camera_response import CameraResponse, camera_images
from support.phantoms import as_bone_scan, synthetic

TRUE = {"VPr": 0.5, "TPr": 1.0, "BPr": 2.2}
CAMERA = {"scatter_fraction": 0.14, "background_fraction": 0.06, "fwhm_mm": 8.5}


@pytest.fixture(scope="module", params=["hand", "foot"])
def strong(request: pytest.FixtureRequest):
    return synthetic(8, limb=request.param, **TRUE, **CAMERA)


def test_what_the_image_hides_comes_back(strong) -> None:
    result = measure_scan(as_bone_scan(strong), affected="right")
    truth = strong.truth.uptake_ratios("whole")
    for name in PHASE_RATIOS.values():
        image, uptake = (found[name] for found in (result.estimates, result.uptake_estimates))
        assert uptake.low < truth[name] < uptake.high
        if name != "TPr":
            pulled, left = (abs(math.log(one.value / truth[name])) for one in (image, uptake))
            assert left < 0.6 * pulled
        assert uptake.se >= image.se
    assert result.to_dict()["uptake_estimates"].keys() == result.estimates.keys()
    assert result.provenance.settings["camera"]["fwhm_mm"] == 7.5


def test_a_camera_without_faults_changes_little(strong) -> None:
    clean = synthetic(
        8, limb=strong.design.limb, **TRUE, scatter_fraction=0.0, background_fraction=0.0, fwhm_mm=4.0
    )
    known = CameraResponse(4.0, 0.1, 0.0, 0.0)
    result = measure_scan(as_bone_scan(clean), affected="right", settings=MeasureSettings(camera=known))
    for name, uptake in result.uptake_estimates.items():
        assert uptake.value == pytest.approx(result.estimates[name].value, rel=0.015)


def test_a_worse_known_camera_widens_the_interval(strong) -> None:
    posed = pose_scan(as_bone_scan(strong), affected="right")
    widths = []
    for sd in (0.01, 0.09):
        camera = CameraResponse(scatter_share_sd=sd)
        found = measure_region(posed, settings=MeasureSettings(camera=camera)).uptake_estimates["BPr"]
        widths.append(found.se)
    assert widths[1] > widths[0]


def test_where_no_background_is_seen_there_is_no_ratio_of_uptake(strong) -> None:
    pose = pose_scan(as_bone_scan(strong), affected="right").poses.phases["bone"]
    everywhere = replace(pose.limbs, labels=pose.limbs.territory)
    with pytest.raises(InputError, match="away from both limbs"):
        camera_images(replace(pose, limbs=everywhere), CameraResponse())


def test_a_limb_that_is_larger_loses_less_across_its_edge() -> None:
    swollen = synthetic(
        3,
        scale=1.18,
        VPr=1.0,
        TPr=1.0,
        BPr=1.0,
        counts_per_limb=dict.fromkeys(PHASE_RATIOS, 2e7),
        scatter_fraction=0.0,
        background_fraction=0.0,
        fwhm_mm=9.0,
    )
    known = CameraResponse(9.0, 0.1, 0.0, 0.0)
    result = measure_scan(as_bone_scan(swollen), affected="right", settings=MeasureSettings(camera=known))
    for name in PHASE_RATIOS.values():
        image, uptake = (found[name].value for found in (result.estimates, result.uptake_estimates))
        assert image > 1.003
        assert abs(math.log(uptake)) < 0.5 * math.log(image)
