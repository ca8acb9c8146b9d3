"""Noise of a group: what sweeps state is taken from their amplitudes, by its power."""

from __future__ import annotations

import pytest

from sudeck.tms.measures.group_noise import GroupNoise, smallest_of
from sudeck.tms.measures.measured import Trial
from sudeck.tms.signals.trials import Pulse

PULSE = Pulse(0.0, hemisphere="left", kind="single", test_mso=50.0)


def trial(amplitude_mv: float, **values: float) -> Trial:
    columns = {"amplitude_mv": amplitude_mv, **values}
    return Trial("file", 1, "FDI", PULSE, columns, present=True, csp_censored=False)


def test_amplitudes_of_sweeps_are_freed_of_their_noise() -> None:
    own = [trial(0.03, noise_floor_mv=0.02), trial(0.05, noise_floor_mv=0.02)]
    amplitude, floor = GroupNoise(None, smallest_of(own)).heard(own)
    assert amplitude == pytest.approx([0.024, 0.04665], abs=1e-5)  # √(a² - 0.018²)
    assert floor == pytest.approx(0.00872, abs=1e-5)


def test_a_table_is_freed_of_the_noise_that_was_found_in_it() -> None:
    own = [trial(0.05), trial(0.2)]
    noise = GroupNoise(None, smallest_of(own), table_mv=0.03)
    amplitude, floor = noise.heard(own)
    assert amplitude == pytest.approx([0.04, 0.19774], abs=1e-5)
    assert floor == pytest.approx(0.03 * (1.6**2 - 1) ** 0.5)
    assert not noise.may_be_all([trial(0.2), trial(0.3)])
    assert noise.may_be_all([trial(0.03), trial(0.04)])
