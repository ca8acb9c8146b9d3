"""Motor threshold: against virtual people of known threshold, real recordings and edge cases."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from sudeck.core.errors import InputError
from sudeck.synthetic.emg.synthetic_recording import VirtualHemisphere
from sudeck.tms.thresholds.motor_threshold import bayesian_threshold, threshold_posterior
from sudeck.tms.thresholds.posterior import USUAL_PLATEAU_MV, _size_and_scatter, prior_posterior
from sudeck.tms.thresholds.prior import ACTIVE_HAND, RESTING_HAND, ThresholdPrior

LOG_SD = 1.2


def amplitudes(
    intensity_mso: np.ndarray, threshold_mso: float, spread: float, rng: np.random.Generator
) -> np.ndarray:
    """Amplitudes whose chance to pass 0.05 mV is exactly Φ((x - T) / (spread T))."""
    excitation = (intensity_mso - threshold_mso) / (spread * threshold_mso) + rng.standard_normal(
        intensity_mso.size
    )
    return 0.05 * np.exp(LOG_SD * excitation)


@pytest.mark.parametrize("evidence", ["amplitude", "response"])
def test_finds_the_threshold_it_was_given(evidence):
    rng = np.random.default_rng(1)
    intensity = np.repeat(np.arange(36.0, 64.0, 2.0), 30)
    result = bayesian_threshold(intensity, amplitudes(intensity, 50.0, 0.07, rng), evidence=evidence)
    assert result.estimate.value == pytest.approx(50.0, abs=0.7)
    assert result.estimate.low < 50.0 < result.estimate.high
    assert result.estimate.n == intensity.size
    assert "probit" in result.estimate.method
    assert not result.flags


def test_intervals_cover_and_amplitudes_narrow_them():
    rng = np.random.default_rng(2)
    covered = {"amplitude": 0, "response": 0}
    width = {"amplitude": 0.0, "response": 0.0}
    error = {"amplitude": 0.0, "response": 0.0}
    runs = 50
    for _ in range(runs):
        truth = rng.normal(RESTING_HAND.mean_mso, 8.0)
        intensity = np.round(truth + rng.normal(0, 4, 20))
        amplitude = amplitudes(intensity, truth, 0.07, rng)
        for evidence in ("amplitude", "response"):
            posterior = threshold_posterior(intensity, amplitude, evidence=evidence)
            low, high = posterior.quantile(0.025), posterior.quantile(0.975)
            covered[evidence] += low <= truth <= high
            width[evidence] += high - low
            error[evidence] += abs(posterior.mean_mso - truth)
    assert covered["amplitude"] / runs >= 0.88
    assert covered["response"] / runs >= 0.88
    assert width["amplitude"] < 0.9 * width["response"]
    assert error["amplitude"] < error["response"]


def test_yes_or_no_posterior_is_that_of_the_plain_formula():
    """An independent sum over a finer grid of both parameters gives the same mean and SD."""
    intensity = np.array([40, 44, 48, 50, 52, 46, 47, 49, 51, 45.0])
    responded = np.array([0, 0, 1, 1, 1, 0, 1, 0, 1, 0], dtype=bool)
    threshold = np.linspace(20, 90, 1401)[:, None]
    z = np.linspace(-2.2, 2.2, 61)
    spread = RESTING_HAND.relative_spread * np.exp(RESTING_HAND.relative_spread_log_sd * z)
    weight = np.exp(-0.5 * ((threshold - RESTING_HAND.mean_mso) / RESTING_HAND.sd_mso) ** 2 - 0.5 * z**2)
    for x, hit in zip(intensity, responded, strict=True):
        chance = 0.005 + 0.99 * ndtr((x - threshold) / (spread * threshold))
        weight = weight * (chance if hit else 1 - chance)
    marginal = weight.sum(axis=1) / weight.sum()
    mean = float(marginal @ threshold[:, 0])
    sd = float(np.sqrt(marginal @ (threshold[:, 0] - mean) ** 2))
    posterior = threshold_posterior(intensity, responded)
    assert posterior.mean_mso == pytest.approx(mean, abs=0.05)
    assert posterior.sd_mso == pytest.approx(sd, rel=0.03)


def test_responses_grow_to_a_plateau_and_scatter_less_the_higher_they_are():
    """Half-way between eight people, to whom made ones are fitted, and 27 whose scatter falls less."""
    person = VirtualHemisphere(mep_max_mv=USUAL_PLATEAU_MV)
    mso = person.rmt_mso + np.array([-4.0, 0.0, 4.0, 9.0, 20.0])
    steep = (mso - person.rmt_mso) * (1 - 0.05 / USUAL_PLATEAU_MV) / person.width_mso
    log_size, scatter = _size_and_scatter(steep, 0.05)
    assert np.exp(log_size) * 0.05 == pytest.approx(person.median_amplitude_mv(mso), rel=0.1)
    assert np.all(np.diff(scatter) < 0)
    assert np.all(scatter >= person.log_sd(mso) / person.log_sd(person.rmt_mso) - 0.02)
    at = np.interp(np.log([0.35, 1.4]), np.log(0.05) + log_size, scatter)
    assert at[1] / at[0] == pytest.approx(math.sqrt(0.59 * 0.86), abs=0.04)
    # A criterion beyond the plateau is odd, and no error.
    assert np.isfinite(bayesian_threshold([50, 60, 70], [0.1, 2.0, 4.0], criterion_mv=3.0).estimate.value)


def test_test_pulses_that_all_answer_do_not_draw_the_threshold_down():
    """With one scatter for all, and the mean for the median, these pulses read 0.08 %MSO too low."""
    person, errors = VirtualHemisphere(), []
    for seed in range(160):
        rng = np.random.default_rng([6, seed])
        about = round(person.rmt_mso + 1.6 * rng.standard_normal())
        mso = np.append(np.repeat(about + np.arange(-4.0, 5.0, 2.0), 4), np.full(25, round(1.2 * about)))
        size = person.median_amplitude_mv(mso) * np.exp(person.log_sd(mso) * rng.standard_normal(mso.size))
        found = bayesian_threshold(mso, np.where(size < 0.012, 0.0, size), floor_mv=0.012).estimate
        errors.append(found.value - person.rmt_mso)
    assert np.mean(errors) == pytest.approx(0.0, abs=0.05)


def test_pulse_by_pulse_is_all_at_once():
    intensity = [54.0, 46.0, 50.0, 48.0, 49.0]
    amplitude = [0.9, 0.01, 0.07, 0.03, 0.02]
    posterior = prior_posterior()
    for x, y in zip(intensity, amplitude, strict=True):
        posterior = posterior.observe(x, y)
    together = threshold_posterior(intensity, amplitude)
    assert posterior.mean_mso == pytest.approx(together.mean_mso, abs=0.03)
    assert (posterior.n_pulses, posterior.n_responses) == (5, 2)


def test_two_valued_amplitudes_are_read_as_yes_and_no():
    intensity = [40, 42, 44, 46, 48, 50]
    coded = [0.0, 0.0, 0.1, 0.0, 0.1, 0.1]
    as_code = bayesian_threshold(intensity, coded)
    as_booleans = bayesian_threshold(intensity, np.array(coded) > 0)
    assert as_code.posterior.evidence == "response"
    assert as_code.estimate.value == as_booleans.estimate.value


def test_prior_is_replaceable_and_stated():
    intensity, responded = [50, 50], [True, False]
    strict = ThresholdPrior(mean_mso=70.0, sd_mso=0.5)
    result = bayesian_threshold(intensity, responded, prior=strict)
    assert result.estimate.value == pytest.approx(70.0, abs=0.7)
    assert "normal 70" in result.estimate.method
    assert bayesian_threshold(intensity, responded, prior=ACTIVE_HAND).estimate.value < 50


def test_a_lapse_far_from_threshold_moves_it_little():
    rng = np.random.default_rng(21)
    intensity = np.repeat(np.arange(40.0, 60.0, 2.0), 6)
    responded = amplitudes(intensity, 50.0, 0.04, rng) >= 0.05
    clean = bayesian_threshold(intensity, responded).estimate.value
    x, y = np.append(intensity, [75.0, 78.0]), np.append(responded, [False, False])
    assert bayesian_threshold(x, y).estimate.value == pytest.approx(clean, abs=0.6)
    assert abs(bayesian_threshold(x, y, lapse=0.0).estimate.value - clean) > 1.0


def test_says_when_the_threshold_is_not_bracketed():
    result = bayesian_threshold([40] * 12, [False] * 12)
    assert [flag.code for flag in result.flags] == ["threshold-not-bracketed"]
    assert result.estimate.value > 40
    one = bayesian_threshold([40], [0.4])
    assert {flag.code for flag in one.flags} == {"threshold-not-bracketed", "few-pulses"}


def test_a_dead_block_is_set_aside_with_a_flag():
    rng = np.random.default_rng(3)
    intensity = np.repeat(np.arange(36.0, 60.0, 3.0), 12)
    amplitude = amplitudes(intensity, 45.0, 0.07, rng)
    clean = bayesian_threshold(intensity, amplitude)
    dead = np.where(intensity == 57.0, 0.0, amplitude)
    result = bayesian_threshold(intensity, dead)
    assert [flag.code for flag in result.flags] == ["dead-block"]
    assert result.estimate.value == pytest.approx(clean.estimate.value, abs=0.3)
    assert result.estimate.n == intensity.size - 12


def test_a_noise_floor_above_the_graded_window_turns_amplitudes_into_no_response():
    intensity = [46.0, 48.0, 50.0, 52.0]
    noisy = [0.035, 0.03, 0.2, 0.3]
    silent = [0.001, 0.002, 0.2, 0.3]
    assert threshold_posterior(intensity, noisy, floor_mv=0.04).mean_mso == pytest.approx(
        threshold_posterior(intensity, silent, floor_mv=0.04).mean_mso
    )
    assert threshold_posterior(intensity, noisy).mean_mso < threshold_posterior(intensity, silent).mean_mso


@pytest.mark.parametrize(
    ("intensity", "amplitude"),
    [([], []), ([50.0], [np.nan]), ([np.inf], [0.1]), ([50.0, 51.0], [0.1]), ([50.0], [-0.1])],
)
def test_refuses_in_one_sentence(intensity, amplitude):
    with pytest.raises(InputError, match=r"^threshold: .+; .+\.$"):
        bayesian_threshold(intensity, amplitude)


@given(
    pulses=st.lists(st.tuples(st.floats(5, 100), st.floats(0, 20)), min_size=1, max_size=12),
    evidence=st.sampled_from(["amplitude", "response"]),
)
def test_any_pulses_give_an_ordered_finite_estimate(pulses, evidence):
    intensity, amplitude = map(list, zip(*pulses, strict=True))
    result = bayesian_threshold(intensity, amplitude, evidence=evidence)
    assert 0 < result.estimate.low <= result.estimate.value <= result.estimate.high < 140
    assert result.posterior.density.sum() == pytest.approx(1)


def test_eight_real_people_agree_with_an_independent_probit(shared: Path):
    """Thresholds computed by another implementation from the same amplitudes, yes or no."""
    peer = {1: 33.4, 2: 32.4, 3: 35.3, 4: 38.2, 5: 46.2, 6: 49.7, 7: 42.7, 10: 34.0}
    with (shared / "tms" / "oxford" / "mep_table.csv").open() as file:
        rows = [(int(r["subject"]), float(r["mso"]), float(r["mep_pp_mV"])) for r in csv.DictReader(file)]
    for subject, expected in peer.items():
        intensity, amplitude = np.array([(x, y) for s, x, y in rows if s == subject]).T
        plain = bayesian_threshold(intensity, amplitude, evidence="response")
        graded = bayesian_threshold(intensity, amplitude)
        assert plain.estimate.value == pytest.approx(expected, abs=0.4)
        assert graded.estimate.value == pytest.approx(expected, abs=1.0)
        assert any(flag.code == "dead-block" for flag in plain.flags) == (subject == 10)
