from dataclasses import replace

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.scan.measurement import MeasureSettings, measure_scan
from sudeck.scan.phases.spacing import settle_spacing
from support.phantoms import as_bone_scan, synthetic


@pytest.fixture(scope="module")
def scan():
    return as_bone_scan(synthetic(8, limb="foot", view="plantar", affected="right"))


def without_spacing(scan, *names):
    phases = {n: replace(s, spacing_mm=None) if n in names else s for n, s in scan.phases.items()}
    return replace(scan, phases=phases)


@pytest.mark.parametrize(
    "names", [("bone",), ("tissue",), ("vascular", "tissue"), ("vascular", "tissue", "bone")]
)
def test_missing_pixel_sizes_of_one_matrix_change_no_ratio(scan, names) -> None:
    whole = measure_scan(scan, affected="right")
    found = measure_scan(without_spacing(scan, *names), affected="right")
    for name in PHASE_RATIOS.values():
        assert found.estimates[name].value == pytest.approx(whole.estimates[name].value, rel=0.01)
    expected = "no-pixel-size" if len(names) == 3 else "pixel-size-assumed"
    assert [flag.subject for flag in found.flags if flag.code == expected] == list(names)


def test_another_matrix_without_pixel_size_is_refused(scan) -> None:
    coarse = scan.phases["tissue"].counts.reshape(1, 64, 2, 64, 2).sum(axis=(2, 4))
    phases = {**scan.phases, "tissue": replace(scan.phases["tissue"], counts=coarse, spacing_mm=None)}
    found = measure_scan(replace(scan, phases=phases), affected="right")
    assert "no pixel size" in found.refused["TPr"]
    assert {"VPr", "BPr", "BPr/VPr"} <= set(found.estimates)


def test_lengths_need_a_pixel_size(scan) -> None:
    blind = without_spacing(scan, "vascular", "tissue", "bone")
    for settings in (
        MeasureSettings(region="midfoot"),
        MeasureSettings(drawn={"type": "ellipse", "unit": "mm", "centre": [90, 90], "radii": [20, 20]}),
    ):
        with pytest.raises(InputError, match="no file states a pixel size"):
            measure_scan(blind, affected="right", settings=settings)


def test_stated_sizes_are_left_alone(scan) -> None:
    settled = settle_spacing(scan.phases)
    assert not settled.flags
    assert not settled.in_pixels
    assert all(np.shares_memory(settled.phases[n].counts, s.counts) for n, s in scan.phases.items())
