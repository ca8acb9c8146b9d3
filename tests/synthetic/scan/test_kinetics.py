from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.synthetic.scan.kinetics import filling, first_pass, frame_weights


def test_bolus_arrives_peaks_and_passes() -> None:
    time = np.linspace(0, 60, 6001)
    curve = first_pass(time, 12.0)
    assert curve[time <= 12].max() == 0
    assert curve.max() == pytest.approx(1.0)
    assert time[curve.argmax()] == pytest.approx(12.0 + 7.8, abs=0.02)
    assert curve[-1] < 0.01


def test_plateau_fills() -> None:
    assert filling(np.array([5.0, 500.0]), 10.0).tolist() == pytest.approx([0.0, 1.0])


@given(arrival=st.floats(0, 100), frames=st.integers(20, 90), frame_s=st.floats(1, 4))
def test_shares_sum_to_one_whatever_the_timing(arrival: float, frames: int, frame_s: float) -> None:
    for shares in frame_weights(frames, frame_s, arrival).values():
        assert shares.sum() == pytest.approx(1.0)
        assert shares.min() >= 0
        if arrival < frames * frame_s - 2 * frame_s:
            silent = int(arrival // frame_s)
            assert not shares[:silent].any()


def test_vessels_fill_before_soft_tissue() -> None:
    shares = frame_weights(60, 2.0, 16.0)
    middle = {name: (share * np.arange(60)).sum() for name, share in shares.items()}
    assert middle["vessels"] < middle["soft"]
