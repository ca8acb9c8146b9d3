"""Advice at the stimulator: where to go next and when to stop."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.tms.thresholds.advice import STOP_SD_MSO, advise_threshold, next_intensity
from sudeck.tms.thresholds.posterior import prior_posterior
from sudeck.tms.thresholds.prior import RESTING_HAND


def test_first_pulse_is_the_prior_mean_within_the_stimulator():
    assert advise_threshold().next_intensity_mso == RESTING_HAND.mean_mso
    assert advise_threshold(limit_mso=50.0).next_intensity_mso == 50.0
    assert next_intensity(prior_posterior(), step_mso=5.0) == 55.0


def test_follows_its_own_advice_to_the_threshold():
    rng = np.random.default_rng(4)
    errors, lengths = [], []
    for truth in (38.0, 47.5, 66.0):
        intensity, amplitude = [], []
        advice = advise_threshold()
        while not advice.stop:
            x = advice.next_intensity_mso
            intensity.append(x)
            amplitude.append(0.05 * np.exp(1.2 * ((x - truth) / (0.07 * truth) + rng.standard_normal())))
            advice = advise_threshold(intensity, amplitude)
        assert advice.sd_mso <= STOP_SD_MSO
        assert advice.estimate is not None
        assert advice.estimate.n == len(intensity)
        errors.append(abs(advice.next_intensity_mso - truth))
        lengths.append(len(intensity))
    assert max(errors) < 4.0
    assert 5 <= min(lengths) <= max(lengths) <= 45


def test_goes_down_after_responses_and_up_after_none():
    down = advise_threshold([54.0], [1.0]).next_intensity_mso
    up = advise_threshold([54.0], [0.005]).next_intensity_mso
    assert down < 54.0 < up


def test_stops_out_of_reach_and_after_too_many_pulses():
    far = advise_threshold([100.0] * 30, [False] * 30)
    assert far.stop
    assert "out of reach" in far.reason
    tired = advise_threshold([50.0, 52.0], [0.01, 0.2], max_pulses=2)
    assert tired.stop
    assert "2 pulses were given" in tired.reason
    assert tired.to_dict()["stop"] is True


def test_never_stops_without_both_kinds_of_response():
    advice = advise_threshold([40.0] * 8, [False] * 8, stop_sd_mso=50.0)
    assert not advice.stop


@pytest.mark.parametrize("kind", [bool, float])
def test_reads_as_a_sentence(kind):
    text = str(advise_threshold([54.0, 46.0], [kind(1), kind(0)]))
    assert text.startswith("Next pulse: ")
    assert "after 2 pulses" in text
