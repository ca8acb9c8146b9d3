from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest

from sudeck.tms.measures.background import SLOPE, adjust_for_background
from sudeck.tms.measures.group_measures import measure_amplitudes
from sudeck.tms.measures.measure_settings import GroupSettings
from sudeck.tms.measures.measured import Measured, Trial
from sudeck.tms.signals.trials import Pulse

TEST = Pulse(float("nan"), "single", hemisphere="left", muscle="FDI", state="rest", test_rmt=120.0)
PAIRED = Pulse(
    float("nan"), "paired", 2.5, hemisphere="left", muscle="FDI", state="rest", test_rmt=120.0,
    conditioning_rmt=80.0,
)  # fmt: skip
MEASURE = partial(measure_amplitudes, settings=GroupSettings())


def trials(
    *, slope: float, louder: float, n: int = 40, spread: float = 0.4, log_sd: float = 0.3, seed: int = 1
) -> list[Trial]:
    """A true ratio of 0.5, but `louder` background in the pairs, on which amplitudes depend with `slope`."""
    rng = np.random.default_rng(seed)
    made = []
    for pulse, ratio, background in ((TEST, 1.0, 0.0), (PAIRED, 0.5, np.log(louder))):
        for _ in range(n):
            log_rms = np.log(0.005) + background + spread * rng.standard_normal()
            log_amplitude = np.log(ratio) + slope * (log_rms - np.log(0.005)) + log_sd * rng.standard_normal()
            values = {
                "amplitude_mv": float(np.exp(log_amplitude)),
                "baseline_rms_mv": float(np.exp(log_rms)),
                "noise_floor_mv": 0.01,
            }
            made.append(Trial("file", len(made) + 1, "FDI", pulse, values, present=True, csp_censored=False))
    return made


def ratio_of(measured: Sequence[Measured]) -> Measured:
    return next(one for one in measured if one.measure == "SICI")


def test_the_covariate_takes_out_what_louder_background_adds() -> None:
    own = trials(slope=1.0, louder=2.0)
    plain, adjusted = ratio_of(MEASURE(own)), ratio_of(adjust_for_background(own, MEASURE))
    assert plain.estimate.low > 0.5
    assert adjusted.estimate.low < 0.5 < adjusted.estimate.high
    assert adjusted.estimate.value == pytest.approx(0.5, rel=0.25)


def test_the_slope_comes_back_with_its_interval_and_widens_the_ratio() -> None:
    covered = 0
    for seed in range(40):
        slope = adjust_for_background(trials(slope=0.8, louder=1.5, seed=seed), MEASURE)[0]
        assert slope.measure == SLOPE
        covered += slope.estimate.low < 0.8 < slope.estimate.high
    assert covered >= 34
    unlike = ratio_of(adjust_for_background(trials(slope=0.8, louder=4.0, spread=0.1), MEASURE)).estimate
    alike = ratio_of(adjust_for_background(trials(slope=0.8, louder=1.0, spread=0.1), MEASURE)).estimate
    assert np.log(unlike.high / unlike.low) > 1.5 * np.log(alike.high / alike.low)


def test_nothing_is_adjusted_where_background_is_unknown_constant_or_trials_few() -> None:
    own = trials(slope=0.0, louder=1.0)
    unknown = [
        Trial(t.file, t.number, "FDI", t.pulse, {"amplitude_mv": t["amplitude_mv"]}, True, False) for t in own
    ]
    assert adjust_for_background(unknown, MEASURE) == ()
    assert adjust_for_background(trials(slope=1.0, louder=1.0, spread=0.0), MEASURE) == ()
    assert adjust_for_background(trials(slope=1.0, louder=1.0, n=4), MEASURE) == ()
    assert adjust_for_background([], MEASURE) == ()
