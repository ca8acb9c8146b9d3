from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.tms.responses.windows import as_sweeps, mirror_window, search_window, window_slice


@pytest.mark.parametrize(
    ("label", "window"),
    [("FDI", (15, 60)), ("RFDI", (15, 60)), ("ta_left", (20, 90)), ("L ECR", (12, 55)), ("Chan1", (15, 60))],
)
def test_search_window_follows_the_muscle_in_the_label(label: str, window: tuple[float, float]) -> None:
    assert search_window(label) == window


def test_window_slice_takes_both_ends() -> None:
    columns = window_slice((15.0, 50.0), rate_hz=10000.0, pulse_sample=1000, n_samples=2000)
    assert (columns.start, columns.stop) == (1150, 1501)


@pytest.mark.parametrize("window", [(50.0, 15.0), (15.0, 500.0), (-200.0, 10.0)])
def test_window_outside_the_sweep_is_refused(window: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="is not inside the sweep"):
        window_slice(window, rate_hz=1000.0, pulse_sample=100, n_samples=300)


@pytest.mark.parametrize(
    ("emg", "rate", "pulse", "problem"),
    [
        (np.zeros(5), 5000.0, 0, "has shape"),
        (np.zeros((0, 5)), 5000.0, 0, "has shape"),
        (np.zeros((2, 5)), 5.0, 0, "too few"),
        (np.zeros((2, 5)), float("nan"), 0, "too few"),
        (np.zeros((2, 5)), 5000.0, 5, "lies outside"),
    ],
)
def test_what_is_no_set_of_sweeps_is_refused(emg: np.ndarray, rate: float, pulse: int, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        as_sweeps(emg, rate, pulse)


@given(
    begin=st.floats(5, 40),
    length=st.floats(5, 80),
    pulse=st.integers(0, 5000),
    rate=st.sampled_from([1000.0, 3000.0, 10000.0]),
)
def test_mirrored_window_is_as_long_and_before_the_pulse(
    begin: float, length: float, pulse: int, rate: float
) -> None:
    mirrored = mirror_window((begin, begin + length), rate_hz=rate, pulse_sample=pulse)
    if mirrored is None:
        assert pulse * 1e3 / rate < length + 1.0 + 1e-6
    else:
        assert mirrored[1] - mirrored[0] == pytest.approx(length)
        assert -pulse * 1e3 / rate <= mirrored[0]
        assert mirrored[1] <= -1.0
