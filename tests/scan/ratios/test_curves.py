import numpy as np
import pytest

from sudeck.scan.ratios.curves import time_activity_curve

WEIGHTS = np.pad(np.ones((8, 8)), 4)


def flow(arrival: float, rise_s: float, plateau: float, seed: int = 0, frames: int = 60) -> np.ndarray:
    """Poisson frames of 2 s whose mean is flat, rises linearly over `rise_s`, and is flat again."""
    middle = 2.0 * np.arange(frames) + 1.0
    mean = 0.02 * plateau + plateau * np.clip((middle - arrival) / rise_s, 0, 1)
    return np.random.default_rng(seed).poisson(mean[:, None, None] / 64, (frames, 16, 16)).astype(float)


def curve(frames: np.ndarray):
    count = frames.shape[0]
    return time_activity_curve(frames, 2.0 * np.arange(count), np.full(count, 2.0), WEIGHTS, side="affected")


def test_arrival_and_slope_are_found_with_honest_intervals() -> None:
    covered = 0
    for seed in range(60):
        found = curve(flow(21.0, 14.0, 400.0, seed))
        assert found.arrival is not None
        assert found.slope is not None
        assert found.arrival.value == pytest.approx(21.0, abs=4.0)
        covered += found.arrival.low <= 21.0 <= found.arrival.high
        assert found.slope.low < found.slope.value < found.slope.high
    assert covered >= 51


def test_the_rate_is_counts_per_pixel_and_second() -> None:
    frames = np.full((10, 16, 16), 6.0)
    found = curve(frames)
    np.testing.assert_allclose(found.rate, 3.0)
    np.testing.assert_allclose(found.rate_se, np.sqrt(6.0 * 64) / 128)


def test_noise_without_a_rise_has_no_arrival() -> None:
    found = curve(np.random.default_rng(1).poisson(2.0, (60, 16, 16)).astype(float))
    assert found.arrival is None
    assert found.fitted.size == 0


def test_too_few_frames_have_no_arrival() -> None:
    assert curve(flow(3.0, 4.0, 400.0, frames=5)).arrival is None


def test_the_interval_of_a_sharp_arrival_holds_half_a_frame() -> None:
    found = curve(flow(21.0, 8.0, 40_000.0)).arrival
    assert found is not None
    assert found.low <= 21.0 <= found.high
    assert found.high - found.low >= 2.0
