from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.tms.thresholds.advice import advise_threshold
from sudeck.tms.thresholds.session import ThresholdSession


def test_a_session_says_what_all_pulses_at_once_say() -> None:
    session = ThresholdSession()
    given_at = []
    for response in ("0.9", "0.01", "0,30", "47 0.02"):
        given_at.append(float(response.split()[0]) if " " in response else session.advice.next_intensity_mso)
        session.respond(response)
    at_once = advise_threshold(given_at, [0.9, 0.01, 0.30, 0.02])
    assert session.advice == at_once
    assert given_at[-1] == 47.0
    assert "after 4 pulses" in session.conclusion()


def test_one_yes_or_no_makes_all_pulses_yes_or_no() -> None:
    session = ThresholdSession()
    session.respond("0.06")
    session.respond("n")
    assert session.advice == advise_threshold(
        [54.0, session.intensity_mso[1]], [0.06, 0.0], evidence="response"
    )


@pytest.mark.parametrize("text", ["", "x", "1 2 3", "0 1", "120 0.1", "-1", "nan", "50 x", "99"])
def test_nonsense_changes_nothing(text: str) -> None:
    session = ThresholdSession()
    before = session.advice
    with pytest.raises(InputError):
        session.respond(text)
    assert session.advice is before
    assert session.intensity_mso == []


@given(st.text(max_size=12))
def test_any_text_is_taken_or_refused(text: str) -> None:
    session = ThresholdSession()
    try:
        session.respond(text)
    except InputError:
        assert session.amplitude_mv == []
