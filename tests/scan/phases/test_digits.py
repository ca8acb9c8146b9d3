import numpy as np
import pytest

from sudeck.scan.phases.digits import (
    digits_direction,
    is_turned_round,
    left_of_limb_view,
    turned_round,
)
from support.phantoms import synthetic


@pytest.mark.parametrize(("limb", "view", "points"), [("hand", "palmar", "up"), ("foot", "anterior", "down")])
def test_digits_point_away_from_the_cut_end(limb: str, view: str, points: str) -> None:
    image = synthetic(limb=limb, view=view).counts["bone"].reshape(128, 128).astype(float)
    assert digits_direction(image) == points
    assert digits_direction(image[::-1]) == ("up" if points == "down" else "down")


def test_whole_feet_and_empty_images_do_not_tell() -> None:
    soles = synthetic(limb="foot", view="plantar").counts["bone"].reshape(128, 128).astype(float)
    assert digits_direction(soles) is None
    assert digits_direction(np.zeros((64, 64))) is None


@pytest.mark.parametrize("view", ["palmar", "dorsal"])
def test_the_side_agrees_with_synthetic_hands(view: str) -> None:
    scan = synthetic(limb="hand", view=view)
    image = scan.counts["bone"].reshape(128, 128).astype(float)
    assert left_of_limb_view(view, digits_direction(image)) == scan.truth.image_left


def test_other_views_are_none_of_its_business() -> None:
    assert left_of_limb_view("anterior", "up") is None
    assert left_of_limb_view("palmar", None) is None


@pytest.mark.parametrize(("limb", "view"), [("hand", "palmar"), ("foot", "plantar"), ("foot", "anterior")])
def test_a_phase_upside_down_is_seen_against_another(limb: str, view: str) -> None:
    counts = synthetic(limb=limb, view=view).counts
    flow, bone = (counts[phase].sum(axis=0).astype(float).reshape(128, 128) for phase in ("vascular", "bone"))
    assert not is_turned_round(bone, flow, rows_mm=(2.7, 2.7))
    assert is_turned_round(bone[::-1, ::-1], flow, rows_mm=(2.7, 2.7))
    assert is_turned_round(bone[::-1].repeat(2, axis=0), flow, rows_mm=(1.35, 2.7))


def test_the_phase_that_is_turned_round_against_two_others_is_named() -> None:
    image = synthetic(limb="hand").counts["bone"].reshape(128, 128).astype(float)
    flow, pool = ("vascular", "palmar", "right", image, 2.7), ("tissue", "palmar", "right", image, 2.7)
    turned = image[::-1, ::-1]
    assert turned_round([flow, pool, ("bone", "palmar", "right", turned, 2.7)]) == ("bone",)
    assert turned_round([("vascular", "palmar", "right", turned, 2.7), pool, ("bone", *flow[1:])]) == (
        "vascular",
    )
    assert turned_round([flow, ("bone", "palmar", "right", turned, 2.7)]) == ("vascular", "bone")


def test_only_phases_that_claim_one_side_contradict_each_other() -> None:
    image = synthetic(limb="hand").counts["bone"].reshape(128, 128).astype(float)
    first = ("vascular", "palmar", "right", image, 2.7)
    assert turned_round([first, ("bone", "palmar", "left", image[::-1, ::-1], 2.7)]) == ()
    assert turned_round([first, ("bone", "palmar", "right", image, 2.7)]) == ()
