"""SICI from sweeps, down to the floor: bias and coverage at ratios of 0.06 to 1, 6 to 30 trials a condition.

Bias is that of the logarithm, on which change and groups are worked out.

Each sweep is 4 µV of background with a correlation of 0.4 from sample to sample, mains hum of 6 µV, an
artefact with a tail that decays into the response, and an MEP of unlike half waves. Amplitudes are
log-normal (test pulse 1 mV), their excitability correlated by 0.4 from one trial to the next, conditions
in random order. The truth is the ratio of the medians that were put in. Nothing of the simulation is shared
with the product.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from sudeck.core.provenance import SourceFile
from sudeck.tms.measurement import measure_trials
from sudeck.tms.signals.trials import Pulse, TrialSet

RATE_HZ, PULSE, SAMPLES = 4000.0, 500, 900
RATIOS = (0.06, 0.1, 0.25, 0.5, 1.0)
TRIALS = (6, 10, 20, 30)
TEST = {"hemisphere": "left", "muscle": "FDI", "state": "rest", "test_rmt": 120.0}


def sweeps(median_mv: np.ndarray, log_sd: float, rng: np.random.Generator) -> np.ndarray:
    """Return one sweep for each median amplitude, in order of time."""
    n = median_mv.size
    time_ms = (np.arange(SAMPLES) - PULSE) * 1e3 / RATE_HZ
    shared = np.empty(n)
    shared[0] = rng.standard_normal()
    for k in range(1, n):
        shared[k] = 0.4 * shared[k - 1] + np.sqrt(1 - 0.4**2) * rng.standard_normal()
    amplitude = median_mv * np.exp(log_sd * shared)
    since = time_ms - (22.5 + 0.4 * rng.standard_normal((n, 1)))
    wave = np.where((since > 0) & (since < 13), np.sin(since * np.pi / 6.5) * np.exp(-since / 18), 0.0)
    fine = np.linspace(0, 13, 4001)
    wave /= np.ptp(np.sin(fine * np.pi / 6.5) * np.exp(-fine / 18))
    noise = rng.standard_normal((n, SAMPLES))
    for k in range(1, SAMPLES):
        noise[:, k] = 0.4 * noise[:, k - 1] + np.sqrt(1 - 0.4**2) * noise[:, k]
    hum = 0.006 * np.sin(2 * np.pi * 50 * time_ms / 1e3 + rng.uniform(0, 2 * np.pi, (n, 1)))
    tail = np.where(time_ms >= 0, 0.25 * np.exp(-np.maximum(time_ms, 0) / 4.0), 0.0)
    return amplitude[:, None] * wave + 0.004 * noise + hum + tail * np.exp(0.2 * rng.standard_normal((n, 1)))


def one_run(ratio: float, trials: int, log_sd: float, rng: np.random.Generator) -> tuple[float, ...] | None:
    """Return value, low and high of SICI, and value of the ratio of means; None where none is given."""
    paired = rng.permutation(np.repeat([False, True], trials))
    emg = sweeps(np.where(paired, ratio, 1.0), log_sd, rng)
    pulses = tuple(
        Pulse(5.0 * k, "paired", isi_ms=2.5, conditioning_rmt=80.0, **TEST) if pair
        else Pulse(5.0 * k, "single", **TEST)
        for k, pair in enumerate(paired)
    )  # fmt: skip
    found = measure_trials([TrialSet(emg, RATE_HZ, PULSE, pulses, "FDI", SourceFile("s", "0" * 64, 0))])
    sici, means = found.find("SICI"), found.find("SICI ratio of means")
    return (
        (sici[0].estimate.value, sici[0].estimate.low, sici[0].estimate.high, means[0].estimate.value)
        if sici
        else None
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="runs a cell")
    parser.add_argument("--log-sd", type=float, nargs="+", default=[0.5, 0.7], help="SD of ln amplitude")
    given = parser.parse_args()
    runs = given.runs
    begin = time.perf_counter()
    print(f"{runs} runs a cell; targets: 93 to 97 % covered, bias within 5 %")
    heads = (("log SD", 7), ("ratio", 7), ("trials", 8), ("covered", 10), ("bias", 9))
    print("".join(f"{text:>{width}}" for text, width in (*heads, ("ratio of means", 17), ("not given", 11))))
    for log_sd in given.log_sd:
        for ratio in RATIOS:
            for trials in TRIALS:
                rng = np.random.default_rng([trials, round(100 * ratio), round(10 * log_sd)])
                made = [one_run(ratio, trials, log_sd, rng) for _ in range(runs)]
                value, low, high, means = np.array([one for one in made if one is not None]).T
                covered = 100 * np.mean((low <= ratio) & (ratio <= high))
                bias, other = (100 * (np.exp(np.mean(np.log(x / ratio))) - 1) for x in (value, means))
                print(
                    f"{log_sd:>7}{ratio:>7}{trials:>8}{covered:>8.1f} %{bias:>+7.1f} %{other:>+15.1f} %"
                    f"{sum(one is None for one in made):>11}",
                    flush=True,
                )
    print(f"{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
