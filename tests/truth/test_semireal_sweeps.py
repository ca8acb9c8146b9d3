"""Sweeps drawn again: the ratio is the one told, the noise is what it was, and intervals hold the truth."""

import math
from dataclasses import replace

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.provenance import SourceFile
from sudeck.synthetic.emg.mep import mep_shape
from sudeck.tms.signals.trials import Pulse, TrialSet
from sudeck.truth import semireal_sweeps
from sudeck.truth.semireal import score_semireal
from sudeck.truth.semireal_sweeps import TRIALS, pools_of, read_pools, resampled, score_semireal_sweeps

RATE_HZ, PULSE, NOISE_MV = 2000.0, 400, 0.005


def sweeps(amplitude_mv=1.0, n=15, length_ms=800):
    """Return sweeps "of a person" that begin 200 ms before the pulse, on an offset of half a millivolt."""
    rng = np.random.default_rng(3)
    since_ms = (np.arange(round(length_ms * RATE_HZ / 1e3)) - PULSE) * 1e3 / RATE_HZ - 22.0
    amplitudes = amplitude_mv * np.exp(0.5 * rng.standard_normal((n, 1)))
    emg = amplitudes * mep_shape(since_ms) + NOISE_MV * rng.standard_normal((n, since_ms.size)) + 0.5
    emg[4] = 0.0  # a dead one
    pulses = (Pulse(math.nan, "single", test_mso=50.0),) * n
    return TrialSet(emg, RATE_HZ, PULSE, pulses, "EMG", SourceFile("a", "0" * 64, 0))


@pytest.fixture
def real(monkeypatch):
    pools = pools_of(sweeps())
    monkeypatch.setattr(semireal_sweeps, "read_pools", lambda source: pools)
    return pools[0]


def test_a_pool_holds_the_living_sweeps_of_strong_pulses(real):
    assert real.emg_mv.shape == real.background_mv.shape == (14, 400)
    assert real.pulse_sample == 200
    assert real.background_mv.std() == pytest.approx(NOISE_MV, rel=0.05)
    assert pools_of(replace(sweeps(), pulses=(replace(sweeps().pulses[0], state="active"),) * 15)) == ()
    assert pools_of(sweeps(amplitude_mv=0.1)) == ()
    assert pools_of(sweeps(n=8)) == ()
    assert pools_of(sweeps(length_ms=600)) == ()


def test_responses_are_scaled_as_told_and_noise_is_not(real):
    responses = slice(real.pulse_sample + 40, real.pulse_sample + 100)
    mean = np.log(np.ptp(real.emg_mv[:, responses], axis=1)).mean()
    found = {"SICI": [], "ICF": []}
    for seed in range(40):
        trials, true = resampled(real, np.random.default_rng(seed))
        kinds = np.array([one.isi_ms or 0.0 for one in trials.pulses])
        assert [np.sum(kinds == isi) for isi in (0.0, 2.5, 12.0)] == [TRIALS] * 3
        logs = np.log(np.ptp(trials.emg_mv[:, responses], axis=1))
        unit = 0.9 / true["ICF"]
        for name, isi in (("SICI", 2.5), ("ICF", 12.0)):
            found[name].append(logs[kinds == isi].mean() - math.log(unit * true[name]) - mean)
        before = trials.emg_mv[:, : trials.pulse_sample - 4]
        assert before.std() == pytest.approx(NOISE_MV, rel=0.05)
    for errors in found.values():
        assert np.mean(errors) == pytest.approx(0.0, abs=3 * 0.5 / math.sqrt(40 * TRIALS))


def test_intervals_hold_the_ratios_and_halved_ones_do_not(real, tmp_path):
    held = {}
    for fault in ("", "errors-halved"):
        lines = score_semireal_sweeps(tmp_path, recordings=60, seed=1, fault=fault)
        given = {line.goal.what: line for line in lines}
        held[fault] = [given[f"{name}: interval holds the true one"] for name in ("SICI", "ICF")]
        assert given["recording page: a false claim"].n == 60
    assert all(line.measured > 0.88 for line in held[""])
    assert all(line.verdict == "fail" for line in held["errors-halved"])


def test_what_holds_no_sweeps_is_told(tmp_path):
    with pytest.raises(InputError, match="not there"):
        score_semireal(tmp_path / "nowhere", patients=1)
    with pytest.raises(InputError, match="recording"):
        score_semireal(tmp_path, patients=1)
    with pytest.raises(InputError, match="errors-halved"):
        score_semireal(tmp_path, patients=1, fault="mirror-shifted")


def test_sweeps_of_people(shared):
    pytest.importorskip("h5py")
    assert [pool.test_mso for pool in read_pools(shared / "tms" / "oxford" / "S5.mat")] == [53.0, 56.0]
    lines = score_semireal_sweeps(shared / "tms" / "oxford" / "S5.mat", recordings=40)
    assert {line.verdict for line in lines} <= {"pass", "open"}
