"""Is the stated error of RMT true? By who is measured, and by who knows where to put the pulses.

Amplitudes are log-normal about a sigmoid with 4 mV of plateau and a noise floor of 12 µV. At a stimulator
nobody knows the threshold: it is searched for from the mean of the prior on, in steps that halve where the
answer turns, and the block is put about where the search ends. With ``--told`` it is put about the true
threshold instead, which no method is told: what it states has to be too large then.

The method knows neither slope nor spread of a person: it takes what people usually have, until enough pulses
tell. One row draws people from what it takes; the others are of one kind each.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.special import expit

from sudeck.tms.thresholds.motor_threshold import bayesian_threshold
from sudeck.tms.thresholds.prior import RESTING_HAND

TOP_MV, CRITERION_MV, FLOOR_MV = 4.0, 0.05, 0.012
# Steps about the threshold in %MSO, pulses at each; 12 test pulses at 120 % of it beside.
PATTERNS = {
    "5 steps of 4": (5, 4),
    "5 steps of 10": (5, 10),
    "9 steps of 4": (9, 4),
    "9 steps of 10": (9, 10),
}
# SD of ln amplitude, and %MSO in which the median grows by e below the plateau; None: drawn from the prior.
PEOPLE = {
    "as the prior has them": None,
    "less variable": (0.7, 2.8),
    "hardly variable": (0.45, 2.8),
    "shallower": (0.78, 5.0),
    "as most of the eight": (1.2, 2.8),
}


class Person:
    """A threshold, and how responses grow and vary about it."""

    def __init__(self, kind: tuple[float, float] | None, rng: np.random.Generator) -> None:
        self.true = 0.0
        while not 30 < self.true < 80:
            self.true = rng.normal(RESTING_HAND.mean_mso, RESTING_HAND.sd_mso)
        if kind is None:
            spread, varies = np.exp(0.5 * rng.standard_normal(2))
            self.log_sd = RESTING_HAND.log_amplitude_sd * varies
            self.width = RESTING_HAND.relative_spread * spread * self.true / self.log_sd
        else:
            self.log_sd, self.width = kind
        self.half = self.true + self.width * np.log(TOP_MV / CRITERION_MV - 1)

    def answer(self, mso: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return an amplitude for each pulse; what the floor hides is zero."""
        shape = TOP_MV * expit((mso - self.half) / self.width)
        amplitude = shape * np.exp(self.log_sd * rng.standard_normal(mso.shape))
        return np.where(amplitude < FLOOR_MV, 0.0, amplitude)


def searched(person: Person, rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Return pulses of a search and their amplitudes; the last intensity is where it ends."""
    mso, amplitude, step, before = [RESTING_HAND.mean_mso], [], 8.0, None
    while step >= 1:
        amplitude.append(float(person.answer(np.array(mso[-1]), rng)))
        up = amplitude[-1] < CRITERION_MV
        step = step / 2 if before not in (None, up) else step
        before = up
        mso.append(mso[-1] + (step if up else -step))
    return mso, amplitude


def scores(kind: tuple[float, float] | None, steps: int, pulses: int, runs: int, *, placed: bool):
    """Return error over stated error and the error of that, bias, SD, stated SD, coverage in percent."""
    rows = []
    for run in range(runs):
        rng = np.random.default_rng([41, run, steps, pulses])
        person = Person(kind, rng)
        mso, amplitude = ([person.true], []) if placed else searched(person, rng)
        about = round(mso.pop()) + 2.0 * (np.arange(steps) - steps // 2)
        block = np.append(np.repeat(about, pulses), np.full(12, round(1.2 * about.mean())))
        found = bayesian_threshold(
            np.append(mso, block), np.append(amplitude, person.answer(block, rng)), floor_mv=FLOOR_MV
        ).estimate
        stated = (found.high - found.low) / 3.92
        rows.append((found.value - person.true, stated, found.low <= person.true <= found.high))
    error, stated, covered = np.array(rows).T
    over = float(np.sqrt(np.mean((error / stated) ** 2)))
    return over, over / np.sqrt(2 * runs), error.mean(), error.std(), stated.mean(), 100 * covered.mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300, help="people a row")
    parser.add_argument("--told", action="store_true", help="put the pulses about the true threshold")
    given = parser.parse_args()
    print(f"{'people':<26}{'pulses':<16}{'over stated':>14}{'bias':>8}{'SD':>7}{'stated':>8}{'covered':>9}")
    for (people, kind), (pattern, (steps, pulses)) in (
        (one, other) for one in PEOPLE.items() for other in PATTERNS.items()
    ):
        over, error, bias, sd, stated, covered = scores(kind, steps, pulses, given.runs, placed=given.told)
        print(
            f"{people:<26}{pattern:<16}{over:>7.2f} ± {error:.2f}{bias:>+8.2f}{sd:>7.2f}{stated:>8.2f}"
            f"{covered:>7.1f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
