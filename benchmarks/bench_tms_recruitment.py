"""Recruitment curves of 27 real people (Parchure 2025): are all sane, and how fast; curve_fit beside.

Sane means: S50 within the tested range or, on either side, a quarter of it beyond; MEPmax between a third of
the strongest block's geometric mean and twice the largest single trial; a positive slope; a finite interval
that holds the value. A curve said not to have reached its plateau is judged on its lower bound.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import curve_fit

from sudeck.tms.measures.recruitment import recruitment_curve

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "tms"


def boltzmann(x: np.ndarray, s50: float, width: float, height: float) -> np.ndarray:
    return height / (1 + np.exp(np.clip((s50 - x) / width, -500, 500)))


def sane(x: np.ndarray, y: np.ndarray, s50: float, slope: float, height: float) -> bool:
    reach = (x.max() - x.min()) / 4
    strongest = np.exp(np.log(y[x == x.max()]).mean())
    return bool(
        x.min() - reach <= s50 <= x.max() + reach
        and strongest / 3 <= height <= 2 * y.max()
        and 0 < slope < np.inf
    )


def calibration(runs: int) -> None:
    """Coverage of the intervals on curves of known truth, trial-to-trial SD of ln amplitude 0.7."""
    print(
        f"\n{runs} simulated curves, 9 intensities x 8 trials, log SD 0.7: share of 95 % intervals that cover"
    )
    for top, label in ((80.0, "to the plateau"), (62.0, "to half of it")):
        rng, hits, reached = np.random.default_rng(27), [], 0
        for _ in range(runs):
            s50, width = 60 + 3 * rng.standard_normal(), 3 * np.exp(0.2 * rng.standard_normal())
            height = 3 * np.exp(0.3 * rng.standard_normal())
            x = np.repeat(np.linspace(45, top, 9), 8)
            y = (0.02 + boltzmann(x, s50, width, height)) * np.exp(0.7 * rng.standard_normal(x.size))
            curve = recruitment_curve(x, y)
            reached += curve.plateau_reached
            truth = (s50, height, height / (4 * width))
            hits.append([e.low <= t <= e.high for e, t in zip(curve.estimates, truth, strict=False)])
        s50_hit, max_hit, slope_hit = 100 * np.mean(hits, axis=0)
        print(
            f"  {label:<16} S50 {s50_hit:.0f} %  MEPmax {max_hit:.0f} %  slope {slope_hit:.0f} %  "
            f"plateau said to be reached in {100 * reached / runs:.0f} %"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="40 simulated curves instead of 400")
    runs = 40 if parser.parse_args().quick else 400
    table = pd.read_csv(SHARED / "iocTBS" / "io_long.csv")
    people = [
        (name, rows.raw_Intensity.to_numpy(float), rows.raw_MEP.to_numpy(float))
        for name, rows in table.groupby("Subj_ID")
    ]
    recruitment_curve(people[0][1], people[0][2])  # load libraries outside the clock
    begin, begin_cpu = time.perf_counter(), time.process_time()
    curves = [recruitment_curve(x, y) for _, x, y in people]
    spent, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
    begin = time.perf_counter()
    plain = []
    for _, x, y in people:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                plain.append(curve_fit(boltzmann, x, y, p0=(x.mean(), 3.0, y.max()), maxfev=5000)[0])
        except RuntimeError:
            plain.append(np.full(3, np.nan))
    spent_plain = time.perf_counter() - begin

    ours = theirs = 0
    print("person   trials  S50 [95 %]            MEPmax [95 %]          plateau   curve_fit S50, MEPmax")
    for (name, x, y), curve, (s50, width, height) in zip(people, curves, plain, strict=True):
        fine = sane(x, y, curve.s50.value, curve.slope.value, curve.mep_max.value)
        fine_plain = sane(x, y, s50, height / (4 * width), height)
        ours, theirs = ours + fine, theirs + fine_plain
        print(
            f"{name:<9}{x.size:>5}   {curve.s50.value:5.1f} [{curve.s50.low:5.1f}, {curve.s50.high:5.1f}]   "
            f"{curve.mep_max.value:5.2f} [{curve.mep_max.low:5.2f}, {curve.mep_max.high:5.2f}]   "
            f"{'reached' if curve.plateau_reached else 'not':<9}{s50:8.1f} {height:10.4g}"
            f"{'' if fine else '  NOT SANE'}{'' if fine_plain else '  curve_fit ran away'}"
        )
    print(f"\nSudeck   : {ours} of {len(people)} sane (target: all)")
    print(f"           {spent:.2f} s in all, {cpu:.2f} s of one core (target: under 3 s)")
    print(f"curve_fit: {theirs} of {len(people)} sane, {spent_plain:.2f} s, no interval that means anything")
    calibration(runs)


if __name__ == "__main__":
    main()
