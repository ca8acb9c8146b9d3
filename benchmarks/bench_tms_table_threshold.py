"""RMT from tables of amplitudes in noise of 5 to 45 µV: bias, coverage and error over stated error.

A curve of ln amplitude with a plateau, log-normal trials, and noise that adds to the response: as a root of
squares, as a part of itself, or as volts (white or 20 to 450 Hz) in a sweep whose extremes are read. Four
designs. Nothing of the simulation is shared with the product. Beside it: every pulse as yes or no.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np
from scipy.signal import butter, sosfilt

from sudeck.tms.measures.lognormal import freed_of_noise
from sudeck.tms.thresholds.motor_threshold import bayesian_threshold
from sudeck.tms.thresholds.table_noise import FLOOR_OVER_NOISE, table_noise

CRITERION_MV = 0.05
NOISES_UV = (5, 12, 20, 30, 45)
KINDS = ("root of squares", "part", "white", "band")
DESIGNS = {
    "ladder": np.repeat([0.85, 0.92, 1.0, 1.08, 1.15, 1.3, 1.45], 7),
    "about threshold": np.repeat([0.9, 0.96, 1.0, 1.05, 1.1, 1.2, 1.3, 1.4, 1.5], 6),
    "off threshold": np.repeat([0.86, 0.94, 1.02, 1.1, 1.2, 1.35, 1.5], 7),
    "25 pulses": None,
}


def table(noise_uv: float, kind: str, design: str, rng: np.random.Generator):
    """Return the true threshold, intensities in %MSO and amplitudes in mV."""
    true = float(np.clip(rng.normal(52, 9), 30, 75))
    width, top, log_sd = true * rng.uniform(0.04, 0.09), rng.uniform(0, np.log(6)), rng.uniform(0.5, 1.1)
    half = true + width * np.log(np.exp(top) / CRITERION_MV - 1)
    shares = DESIGNS[design]
    mso = np.round(true * (rng.uniform(0.8, 1.3, 25) if shares is None else shares))
    if shares is not None:
        mso = np.append(mso, np.repeat(round(1.2 * true), 15))
    size = np.exp(top - np.log1p(np.exp((half - mso) / width)) + log_sd * rng.standard_normal(mso.size))
    noise = noise_uv / 1e3 * np.exp(0.25 * rng.standard_normal(mso.size))
    if kind == "root of squares":
        return true, mso, np.hypot(size, noise)
    if kind == "part":
        return true, mso, np.maximum(size + noise * rng.uniform(0, 0.6, mso.size), noise)
    volts = rng.standard_normal((mso.size, 625))
    if kind == "band":
        volts = sosfilt(butter(2, [20, 450], "band", fs=5000, output="sos"), volts, axis=1)
    volts = volts[:, 400:]
    volts *= noise_uv / 1e3 / np.median(np.ptp(volts, axis=1))
    since = (np.arange(225) / 5 - 12) / 3
    shape = -since * np.exp(-(since**2) / 2)
    return true, mso, np.ptp(size[:, None] * shape / np.ptp(shape) + volts, axis=1)


def found(mso: np.ndarray, amplitude: np.ndarray):
    noise = table_noise(mso, amplitude, criterion_mv=CRITERION_MV)
    if noise is None:
        return yes_or_no(mso, amplitude)
    floor = FLOOR_OVER_NOISE * noise.noise_mv
    return bayesian_threshold(mso, freed_of_noise(amplitude, noise.noise_mv), floor_mv=floor).estimate


def yes_or_no(mso: np.ndarray, amplitude: np.ndarray):
    return bayesian_threshold(mso, amplitude, evidence="response").estimate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="tables a noise, kind and design")
    runs = parser.parse_args().runs
    print("targets: bias within 0.3 %MSO, 93 to 97 % covered, error over stated error 0.95 to 1.05")
    heads = ("noise", "tables", "bias", "SD", "covered", "over stated")
    for method in (found, yes_or_no):
        print(f"\n{method.__name__.replace('_', ' ')}\n" + "".join(f"{text:>13}" for text in heads))
        for noise in NOISES_UV:
            rows = []
            for (k, kind), (d, design) in product(enumerate(KINDS), enumerate(DESIGNS)):
                for run in range(runs):
                    rng = np.random.default_rng([77, run, noise, k, d])
                    true, mso, amplitude = table(noise, kind, design, rng)
                    one = method(mso, amplitude)
                    stated = (one.high - one.low) / 3.92
                    rows.append((one.value - true, one.low <= true <= one.high, (one.value - true) / stated))
            error, covered, scaled = np.array(rows).T
            print(
                f"{noise:>10} µV{error.size:>13}{error.mean():>+13.2f}{error.std():>13.2f}"
                f"{100 * covered.mean():>11.1f} %{np.sqrt((scaled**2).mean()):>13.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
