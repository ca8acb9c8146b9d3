import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.synthetic.limbs.limb_maps import limb_map
from sudeck.synthetic.limbs.posture import Posture
from support.phantoms import synthetic

EVEN = {"limb": "hand", "VPr": 1.0, "TPr": 1.0, "BPr": 1.0}


def area(**chosen) -> float:
    return float((limb_map("hand", "palmar", 0, Posture(**chosen)).distance < 0).sum())


def test_a_missing_finger_a_bent_one_and_swollen_skin_change_the_outline() -> None:
    whole = area()
    assert area(missing=(2,)) < 0.97 * whole
    assert area(missing=(2,)) < area(lengths=(1.0, 1.0, 0.7, 1.0, 1.0)) < whole
    assert area(soft=1.1) > 1.08 * whole
    assert area(turns_deg=(8.0, 0.0, 0.0, 0.0, 0.0)) == pytest.approx(whole, rel=0.01)


def test_bones_stay_where_they_are_under_swollen_skin() -> None:
    plain, swollen = (limb_map("hand", "palmar", 0, Posture(soft=soft)) for soft in (1.0, 1.15))
    inside = plain.distance < -2
    assert np.array_equal(plain.tissues["bones"][inside], swollen.tissues["bones"][inside])


def test_a_bent_digit_holds_what_it_held() -> None:
    totals = []
    for length in (1.0, 0.75):
        body = limb_map("hand", "palmar", 0, Posture(lengths=(1.0, 1.0, length, 1.0, 1.0)))
        totals.append(float(body.tissues["bones"][body.digit == 3].sum()))
    assert totals[1] == pytest.approx(totals[0], rel=0.1)


@pytest.mark.parametrize(
    "posture",
    [Posture(turns_deg=(7.0, 3.0, -3.0, 2.0, -4.0)), Posture(missing=(3,)), Posture(missing=(0,))],
)
def test_hands_of_one_uptake_have_a_ratio_of_one_whatever_their_posture(posture: Posture) -> None:
    study = synthetic(1, postures={"right": posture}, gap_mm=30.0, **EVEN)
    for ratios in (study.truth.uptake_ratios("whole"), study.truth.image_ratios("whole")):
        assert list(ratios.values()) == pytest.approx(
            [1.0] * 3,
            abs=0.025 if posture.missing else 0.01,  # what a finger blurs into the palm is missing, too
        )


def test_a_cast_lowers_every_phase_alike() -> None:
    truth = synthetic(1, cast=0.8, **EVEN).truth
    assert list(truth.uptake_ratios("wrist").values()) == pytest.approx([0.8] * 3)
    assert list(truth.uptake_ratios("fingers").values()) == pytest.approx([1.0] * 3, abs=0.01)


def test_what_no_hand_can_be_is_refused() -> None:
    for wrong in ({"turns_deg": (1.0,)}, {"lengths": (0.0, 1, 1, 1, 1)}, {"missing": (7,)}, {"soft": 0}):
        with pytest.raises(InputError):
            Posture(**wrong)
    with pytest.raises(InputError, match="feet have none"):
        limb_map("foot", "plantar", 0, Posture(soft=1.1))


def test_what_a_digit_above_another_holds_is_seen_with_it() -> None:
    """Digits side by side share their room; one that lies above keeps what it holds."""
    turns = (0.0, 0.0, -11.0, 11.0, 0.0)

    def held(posture: Posture) -> float:
        body = limb_map("hand", "palmar", 0, posture)
        return float(body.activity("tissue")[body.axial_mm > 110.0].sum())

    apart = held(Posture())
    merged, above = (held(Posture(turns_deg=turns, above=over)) for over in ((), (3,)))
    assert merged < 0.98 * apart
    assert above == pytest.approx(apart, rel=0.02)
