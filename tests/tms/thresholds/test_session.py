from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.tms.threshold_result import session_result
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
        assert session.pulses == []


def test_the_last_response_can_be_taken_back() -> None:
    session, other = ThresholdSession(), ThresholdSession()
    for text in ("0.9", "y"):
        session.respond(text)
    other.respond("0.9")
    assert session.undo() == other.advice
    assert session.evidence == "amplitude"
    session.undo()
    with pytest.raises(InputError, match="no pulse"):
        session.undo()


def test_a_session_goes_on_from_what_was_kept() -> None:
    session = ThresholdSession(active=True, limit_mso=80.0, prior_mean_mso=45.0, prior_sd_mso=6.0)
    for text in ("0.9", "40 n", "0.3"):
        session.respond(text)
    again = ThresholdSession.resumed(session.to_dict())
    assert again.advice == session.advice
    assert again.prior.mean_mso == 45.0
    with pytest.raises(InputError, match="no threshold session"):
        ThresholdSession.resumed({"pulses": []})


def test_it_ends_where_the_stimulator_ends() -> None:
    session = ThresholdSession(limit_mso=60.0)
    while not session.advice.stop:
        session.respond("n")
    assert "range is exhausted" in str(session.advice) or "out of reach" in str(session.advice)
    assert len(session.pulses) < 20


def test_it_ends_where_the_weakest_pulses_still_count_as_answered() -> None:
    session = ThresholdSession()
    while not session.advice.stop:
        session.respond("y")
    assert "Pulses as weak as 10 %MSO still count as answered" in str(session.advice)
    assert len(session.pulses) < 30


def test_a_session_is_a_result_like_a_recording() -> None:
    session = ThresholdSession()
    for text in ("0.9", "46 0.01", "52 0.2", "48 0.02", "50 y"):
        session.respond(text)
    result = session_result(session, hemisphere="left", muscle="FDI", participant="sub-01", visit="pre")
    (rmt,) = result.find("RMT", hemisphere="left")
    assert rmt.estimate == session.advice.estimate
    assert [trial.pulse.test_mso for trial in result.trials] == [54.0, 46.0, 52.0, 48.0, 50.0]
    assert result.to_dict()["estimates"][0]["participant"] == "sub-01"
