"""A delayed image of another time is a measure of its own, and changes nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sudeck.core.flags import Flag
from sudeck.report.scan.page import scan_report
from sudeck.scan.measurement import MeasureSettings, measure_scan
from sudeck.scan.phases.phase_series import BoneScan, OtherDelayedSeries
from sudeck.scan.result import ScanResult
from sudeck.scan.tables import estimate_rows
from support.page_outline import outline_of
from support.phantoms import as_bone_scan, synthetic

POSE = {"limb": "foot", "view": "plantar", "affected": "right", "rotation_deg": 5.0}
LATE = Flag(
    "phase-time-outside-guideline", "The bone phase starts 24.0 h after injection.", "caution", "bone"
)


@pytest.fixture(scope="module")
def scan() -> BoneScan:
    """BPr 1.5 after 3 h, and 1.8 in an image of 24 h with a fifth of the counts."""
    first = as_bone_scan(synthetic(3, VPr=0.9, TPr=1.2, BPr=1.5, **POSE))
    second = as_bone_scan(
        synthetic(4, BPr=1.8, counts_per_limb=dict.fromkeys(first.phases, 20_000.0), **POSE)
    )
    late = replace(second.phases["bone"], start_s=np.array([24 * 3600.0]))
    return replace(first, other_delayed=(OtherDelayedSeries(late, (LATE,)),))


@pytest.fixture(scope="module")
def result(scan: BoneScan) -> ScanResult:
    return measure_scan(scan, affected="right")


def test_it_has_its_own_ratio_of_image_and_uptake_named_with_its_time(result: ScanResult) -> None:
    (other,) = result.other_delayed
    image, uptake = other.estimates["BPr"], other.uptake_estimates["BPr"]
    assert image.name == uptake.name == "BPr at 24.0 h"
    assert uptake.low < 1.8 < uptake.high
    assert image.value == pytest.approx(1.8, rel=0.05)
    assert (image.se or 0.0) > (result.estimates["BPr"].se or 0.0)  # fewer counts
    assert not other.refused
    assert LATE in other.flags
    written = result.to_dict()["other_delayed"][0]
    assert written["estimates"]["BPr"]["value"] == image.value
    assert (written["time"], written["start_s"]) == ("24.0 h", 86_400.0)


def test_the_six_ratios_and_their_flags_are_what_they_are_without_it(
    scan: BoneScan, result: ScanResult
) -> None:
    alone = measure_scan(replace(scan, other_delayed=()), affected="right")
    assert alone.estimates == result.estimates
    assert alone.uptake_estimates == result.uptake_estimates
    assert alone.flags == result.flags
    assert alone.to_dict()["other_delayed"] == []


def test_table_and_page_show_it_beside_the_others(result: ScanResult) -> None:
    estimate = result.other_delayed[0].estimates["BPr"]
    row = estimate_rows(result)[-1]
    assert (row["measure"], row["value"]) == ("BPr at 24.0 h", estimate.value)
    words = outline_of(scan_report(result)).words
    assert "BPr at 24.0 h" in words
    assert f"{estimate.value:.3f}" in words
    assert f"{estimate.low:.3f} to {estimate.high:.3f}" in words
    assert "Delayed image at 24.0 h" in words
    assert LATE.message in words


def test_a_mirrored_one_is_refused_alone(scan: BoneScan, result: ScanResult) -> None:
    (other,) = scan.other_delayed
    flipped = replace(other, series=replace(other.series, counts=other.series.counts[..., ::-1]))
    found = measure_scan(replace(scan, other_delayed=(flipped,)), affected="right")
    assert found.estimates == result.estimates
    (late,) = found.other_delayed
    assert not late.estimates
    assert "its asymmetry is opposite to that of the bone phase" in late.refused["BPr"]
    assert "Not measured" in outline_of(scan_report(found)).words


def test_a_region_drawn_on_the_bone_phase_is_not_laid_on_another_image(scan: BoneScan) -> None:
    image = scan.phases["bone"].counts.sum(axis=0)
    spacing = scan.phases["bone"].spacing_mm
    assert spacing is not None
    rows, columns = np.nonzero(image > np.percentile(image, 97))
    right = (
        columns > image.shape[1] / 2
        if scan.phases["bone"].image_left == "left"
        else columns < image.shape[1] / 2
    )
    y, x = rows[right].mean(), columns[right].mean()
    corners = [[x - 4, y - 4], [x + 4, y - 4], [x + 4, y + 4], [x - 4, y + 4]]
    drawn = {"name": "spot", "type": "polygon", "unit": "px", "points": corners}
    result = measure_scan(scan, affected="right", settings=MeasureSettings(drawn=drawn))
    assert "BPr" in result.estimates
    assert "places are not those of this image" in result.other_delayed[0].refused["BPr"]
