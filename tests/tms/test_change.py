"""Changes, differences between hemispheres, and the smallest detectable one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.tms.change import (
    MeasurementError,
    change_between,
    hemisphere_by_time,
    hemisphere_difference,
    measurement_error,
)
from sudeck.tms.measures.paired_pulse import geometric_ratio


def ratio(value: float, se: float = 0.1) -> Estimate:
    return Estimate.from_log("SICI", math.log(value), se, n=20, n_unit="trials")


def test_symmetric_intervals_add_in_quadrature():
    change = change_between(ratio(0.8, 0.3), ratio(0.4, 0.4))
    assert change.estimate.value == pytest.approx(0.5)
    assert math.log(change.estimate.high / change.estimate.low) == pytest.approx(2 * 1.959964 * 0.5)
    assert change.estimate.name == "SICI post/pre"
    assert change.estimate.n == 40


def test_thresholds_subtract():
    pre = Estimate.from_normal("RMT", 50.0, 1.0, unit="%MSO")
    post = Estimate.from_normal("RMT", 53.0, 1.0, unit="%MSO")
    change = change_between(pre, post)
    assert change.estimate.value == pytest.approx(3.0)
    assert change.estimate.unit == "%MSO"
    assert change.smallest_detectable == pytest.approx(1.959964 * math.sqrt(2))
    assert "±2.77 %MSO" in str(change)


def test_real_only_beyond_a_known_error_between_sessions():
    error = MeasurementError(0.3, 0.2, 0.5, "log", 20)
    unknown = change_between(ratio(0.9), ratio(0.45))
    assert unknown.verdict == "beyond trial error only"
    assert not unknown.real
    assert [flag.code for flag in unknown.flags] == ["session-error-unknown"]
    small = change_between(ratio(0.9), ratio(0.45), error=error)
    assert small.smallest_detectable == pytest.approx(math.exp(1.959964 * math.sqrt(2) * 0.3))
    assert small.verdict == "within measurement error"
    large = change_between(ratio(0.9), ratio(0.3), error=error)
    assert large.real
    assert large.flags == ()
    assert large.to_dict()["real"] is True


def test_a_noisier_session_than_the_reliability_study_widens_the_limit():
    error = MeasurementError(0.05, 0.04, 0.07, "log", 20)
    change = change_between(ratio(0.9, 0.4), ratio(0.6, 0.4), error=error)
    assert change.smallest_detectable == pytest.approx(math.exp(1.959964 * math.sqrt(2) * 0.4))


def test_hemispheres_and_their_interaction():
    assert hemisphere_difference(ratio(0.9), ratio(0.6)).estimate.value == pytest.approx(1.5)
    alike = hemisphere_by_time(ratio(0.9), ratio(0.6), ratio(0.6), ratio(0.4))
    assert alike.estimate.value == pytest.approx(1.0)
    unlike = hemisphere_by_time(ratio(0.9), ratio(0.45), ratio(0.6), ratio(0.6))
    assert unlike.estimate.value == pytest.approx(0.5)
    assert math.log(unlike.estimate.high / unlike.estimate.low) == pytest.approx(2 * 1.959964 * 0.2)


def test_open_intervals_stay_open():
    bound = Estimate("MEPmax", 2.0, 1.0, math.inf, unit="mV", scale="log")
    known = Estimate("MEPmax", 1.0, 0.8, 1.3, unit="mV", scale="log")
    change = change_between(known, bound)
    assert change.estimate.high == math.inf
    assert change.estimate.low > 0
    assert change.verdict == "within measurement error"
    assert change.to_dict()["smallest_detectable"] is None
    nothing = Estimate("SICI", 0.05, 0.0, 0.1, scale="log")
    assert change_between(ratio(0.5), nothing).estimate.low == 0.0


def test_intervals_of_a_change_from_trials_cover():
    rng = np.random.default_rng(19)
    runs, covered = 300, 0
    for _ in range(runs):
        pre, post = (
            geometric_ratio(m * np.exp(0.7 * rng.standard_normal(10)), np.exp(0.7 * rng.standard_normal(10)))
            for m in (0.8, 0.5)
        )
        change = change_between(pre, post).estimate
        covered += change.low <= 0.5 / 0.8 <= change.high
    assert 0.92 <= covered / runs <= 0.985


def test_measurement_error_of_known_size():
    rng = np.random.default_rng(20)
    true = rng.normal(0, 1, 400)
    first, second = (np.exp(true + 0.25 * rng.standard_normal(400)) for _ in range(2))
    error = measurement_error(first, 1.3 * second)  # a shift common to all is no error
    assert error.sd == pytest.approx(0.25, rel=0.1)
    assert error.low < 0.25 < error.high
    assert error.n == 400


@pytest.mark.parametrize(("first", "second"), [([1, 2], [1, 2]), ([1, 2, 3], [1, 2]), ([1, 2, 0], [1, 2, 3])])
def test_measurement_error_refuses(first, second):
    with pytest.raises(InputError):
        measurement_error(first, second)


def test_unlike_estimates_are_refused():
    with pytest.raises(InputError, match="differ in unit"):
        change_between(ratio(0.5), Estimate.from_normal("RMT", 50.0, 1.0, unit="%MSO"))
    with pytest.raises(InputError, match="same scale"):
        change_between(ratio(0.5), ratio(0.6), error=MeasurementError(1.0, 0.5, 2.0, "linear", 9))
    negative = Estimate.from_normal("tracked SICI", -3.0, 1.0, unit="%")
    with pytest.raises(InputError, match="not positive"):
        change_between(negative, negative, scale="log")
