"""Where the stated error of RMT is too large: by pulses near threshold, slope, and trial-to-trial spread.

Amplitudes are log-normal about a sigmoid with 4 mV of plateau and a noise floor of 12 µV. The method knows
neither slope nor spread: it takes what people usually have, until enough pulses tell.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.special import expit

from sudeck.tms.thresholds.motor_threshold import bayesian_threshold

TOP_MV, CRITERION_MV, FLOOR_MV = 4.0, 0.05, 0.012
# Steps about the threshold in %MSO, pulses at each; 12 test pulses at 120 % of it beside.
PATTERNS = {
    "5 steps of 4": (5, 4),
    "5 steps of 10": (5, 10),
    "9 steps of 4": (9, 4),
    "9 steps of 10": (9, 10),
}
# SD of ln amplitude, and %MSO in which the median grows by e below the plateau.
PEOPLE = {"as in the made worlds": (0.7, 2.8), "shallower": (0.78, 5.0), "more variable": (1.2, 2.8)}


def scores(steps: int, pulses: int, log_sd: float, width: float, runs: int) -> tuple[float, ...]:
    """Return error over stated error and the error of that, bias, SD, stated SD, coverage in percent."""
    rows = []
    for run in range(runs):
        rng = np.random.default_rng([41, run, steps, pulses])
        half = rng.normal(57, 7)
        true = half - width * np.log(TOP_MV / CRITERION_MV - 1)
        about = round(true) + 2.0 * (np.arange(steps) - steps // 2)
        mso = np.append(np.repeat(about, pulses), np.full(12, round(1.2 * true)))
        amplitude = TOP_MV * expit((mso - half) / width) * np.exp(log_sd * rng.standard_normal(mso.size))
        found = bayesian_threshold(
            mso, np.where(amplitude < FLOOR_MV, 0.0, amplitude), floor_mv=FLOOR_MV
        ).estimate
        stated = (found.high - found.low) / 3.92
        rows.append((found.value - true, stated, found.low <= true <= found.high))
    error, stated, covered = np.array(rows).T
    over = float(np.sqrt(np.mean((error / stated) ** 2)))
    return over, over / np.sqrt(2 * runs), error.mean(), error.std(), stated.mean(), 100 * covered.mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300, help="people a row")
    runs = parser.parse_args().runs
    print(f"{'people':<24}{'pulses':<16}{'over stated':>14}{'bias':>8}{'SD':>7}{'stated':>8}{'covered':>9}")
    for (people, (log_sd, width)), (pattern, (steps, pulses)) in (
        (one, other) for one in PEOPLE.items() for other in PATTERNS.items()
    ):
        over, error, bias, sd, stated, covered = scores(steps, pulses, log_sd, width, runs)
        print(
            f"{people:<24}{pattern:<16}{over:>7.2f} ± {error:.2f}{bias:>+8.2f}{sd:>7.2f}{stated:>8.2f}"
            f"{covered:>7.1f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
