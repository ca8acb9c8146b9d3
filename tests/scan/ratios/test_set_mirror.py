import math

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.scan.limbs.geometry import Grid
from sudeck.scan.measurement import MeasureSettings, measure_region, measure_scan
from sudeck.scan.posing import pose_scan
from sudeck.scan.ratios.set_mirror import describe_mirror, set_mirror
from support.phantoms import as_bone_scan, synthetic

GRID = Grid((128, 128), (2.7, 2.7))


@pytest.fixture(scope="module")
def hands():
    return synthetic(2, limb="hand", rotation_deg=7.0, scale=1.03, VPr=0.9, TPr=1.2, BPr=1.6)


@pytest.fixture(scope="module")
def posed(hands):
    return pose_scan(as_bone_scan(hands), affected="right")


def as_drawn(hands) -> dict:
    """Return the true counterpart, as a person with a sure hand would set it."""
    matrix = hands.truth.phases["bone"].to_healthy_px
    centre = np.array([40.0, 60.0])
    turn = math.degrees(math.atan2(-matrix[0, 1], matrix[1, 1]))
    return {
        "unit": "px",
        "centre": centre.tolist(),
        "counterpart": (matrix[:2, :2] @ centre + matrix[:2, 2]).tolist(),
        "rotation_deg": turn,
        "scale": math.sqrt(abs(np.linalg.det(matrix[:2, :2]))),
    }


def test_a_counterpart_set_by_hand_is_used_with_its_error(hands, posed) -> None:
    sure = {**as_drawn(hands), "error": {"shift": 0.2, "rotation_deg": 0.2, "scale": 0.002}}
    found, result = measure_region(posed), measure_region(posed, mirror=sure)
    for phase, name in PHASE_RATIOS.items():
        truth = hands.truth.phases[phase].regions["whole"].image_ratio
        estimate = result.estimates[name]
        assert estimate.low < truth < estimate.high
        assert estimate.value == pytest.approx(found.estimates[name].value, rel=0.02)
    unsure = measure_region(posed, mirror={**sure, "error": {"shift": 2.0, "scale": 0.05}})
    widths = [r.estimates["BPr"].components["placement"] for r in (result, unsure)]
    assert widths[1] > 2 * widths[0]
    assert unsure.estimates["BPr"].value == result.estimates["BPr"].value
    assert any(flag.code == "counterpart-set" for flag in result.flags)
    assert not any(flag.code == "counterpart-set" for flag in found.flags)


def test_an_error_of_the_hand_is_common_to_all_phases(hands, posed) -> None:
    result = measure_region(posed, mirror={**as_drawn(hands), "error": {"shift": 4.0, "scale": 0.06}})
    single = min(result.estimates[name].components["placement"] for name in ("TPr", "BPr"))
    assert result.estimates["BPr/TPr"].components["placement"] < single


def test_what_was_found_can_be_set_again(posed) -> None:
    found = measure_region(posed)
    described = found.to_dict()["phases"][found.reference]["mirror"]["as_set"]
    again = measure_region(posed, mirror=described)
    name = PHASE_RATIOS[found.reference]
    # What a person sets has no posture: fingers are taken to lie alike.
    assert again.estimates[name].value == pytest.approx(found.estimates[name].value, rel=5e-3)


def test_measuring_a_scan_takes_it_too(hands, posed) -> None:
    settings = MeasureSettings(mirror=as_drawn(hands))
    one = measure_scan(as_bone_scan(hands), affected="right", settings=settings).to_dict()
    two = measure_region(posed, mirror=as_drawn(hands)).to_dict()
    assert one["estimates"] == two["estimates"]
    assert one["provenance"]["settings"]["mirror"]["unit"] == "px"


def test_description_and_setting_are_inverse() -> None:
    shape = {
        "unit": "px",
        "centre": [31.0, 40.0],
        "counterpart": [90.0, 47.5],
        "rotation_deg": -6.0,
        "scale": 1.04,
    }
    mirror = set_mirror(shape, GRID)
    again = describe_mirror(mirror.transform, mirror.centre_mm, GRID)
    for key, value in shape.items():
        assert again[key] == (value if key == "unit" else pytest.approx(value))
    in_mm = {**shape, "unit": "mm", "centre": [83.7, 108.0], "counterpart": [243.0, 128.25]}
    assert set_mirror(in_mm, GRID).transform(mirror.centre_mm) == pytest.approx(
        mirror.transform(mirror.centre_mm)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counterpart": [40.0, 60.0]}, "comes to lie on the healthy one"),
        ({"unit": "cm"}, "neither px nor mm"),
        ({"centre": None}, '"centre" is not'),
        ({"scale": 5}, "a scale of 5"),
        ({"rotation_deg": "left"}, '"rotation_deg" is not a number'),
        ({"shift": [1, 2]}, "unknown key 'shift'"),
        ({"error": 2}, "does not state its errors"),
        ({"error": {"shift": 0}}, "can not be"),
    ],
)
def test_what_is_no_counterpart_is_refused(hands, posed, change: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        measure_region(posed, mirror={**as_drawn(hands), **change})
