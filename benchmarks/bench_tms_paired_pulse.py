"""SICI and ICF from 6 to 30 trials: coverage and bias, beside the percentile bootstrap of the ratio of means.

Amplitudes are log-normal with a trial-to-trial SD of 0.7; trials below the noise floor of 0.05 mV show the
noise instead. The truth is the ratio of the two medians, which is also the ratio of the two true means. Bias
is that of the logarithm, on which change and groups are worked out.
"""

from __future__ import annotations

import argparse
import time
from statistics import NormalDist

import numpy as np

from sudeck.tms.measures.paired_pulse import geometric_ratio

LOG_SD = 0.7
FLOOR_MV = 0.05
SCENES = {"SICI 0.4": 0.4, "ICF 1.4": 1.4, "SICI, 30 % no MEP": None}
TRIALS = (6, 8, 10, 15, 20, 30)


def draw(median_mv: float, trials: int, rng: np.random.Generator) -> np.ndarray:
    amplitude = median_mv * np.exp(LOG_SD * rng.standard_normal(trials))
    noise = FLOOR_MV * rng.uniform(0.4, 1.0, trials)
    return np.where(amplitude > FLOOR_MV, amplitude, noise)


def bootstrap(
    over: np.ndarray, under: np.ndarray, rng: np.random.Generator, draws: int = 1000
) -> tuple[float, float, float]:
    ratios = over[rng.integers(0, over.size, (draws, over.size))].mean(1)
    ratios /= under[rng.integers(0, under.size, (draws, under.size))].mean(1)
    return over.mean() / under.mean(), *np.quantile(ratios, [0.025, 0.975])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="300 runs a cell instead of 4,000")
    runs = 300 if parser.parse_args().quick else 4000
    print(f"{runs} runs a cell; targets: 95 % intervals cover 94 to 96 %, bias under 2 %")
    print(
        f"{'scene':<20}{'trials':>7} | {'Sudeck: cover':>16}{'bias':>9} | {'bootstrap: cover':>19}{'bias':>9}"
    )
    begin, spent, count = time.perf_counter(), 0.0, 0
    all_covered = []
    for scene, ratio in SCENES.items():
        test_mv = 1.0
        conditioned_mv = test_mv * ratio if ratio else FLOOR_MV / np.exp(LOG_SD * NormalDist().inv_cdf(0.3))
        truth = conditioned_mv / test_mv
        for trials in TRIALS:
            rng = np.random.default_rng(trials)
            ours, theirs = [], []
            for _ in range(runs):
                over, under = draw(conditioned_mv, trials, rng), draw(test_mv, trials, rng)
                start = time.perf_counter()
                estimate = geometric_ratio(over, under, floor_mv=FLOOR_MV)
                spent, count = spent + time.perf_counter() - start, count + 1
                ours.append((estimate.value, estimate.low, estimate.high))
                theirs.append(bootstrap(over, under, rng))
            cells = []
            for value, low, high in (np.array(ours).T, np.array(theirs).T):
                covered = 100 * np.mean((low <= truth) & (truth <= high))
                cells.append((covered, 100 * (np.exp(np.log(value / truth).mean()) - 1)))
            all_covered.append(cells[0][0])
            print(
                f"{scene:<20}{trials:>7} | {cells[0][0]:>14.1f} %{cells[0][1]:>+7.1f} % | "
                f"{cells[1][0]:>17.1f} %{cells[1][1]:>+7.1f} %",
                flush=True,
            )
    print(f"mean coverage {np.mean(all_covered):.2f} %; {1e3 * spent / count:.2f} ms a ratio; "
          f"{time.perf_counter() - begin:.0f} s in all")  # fmt: skip


if __name__ == "__main__":
    main()
