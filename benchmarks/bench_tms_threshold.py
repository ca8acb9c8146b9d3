"""Motor threshold on virtual subjects: error after 17 and 20 pulses, and the classical rules beside.

The virtual subjects are those of Goetz and colleagues (2019, doi 10.1109/TNSRE.2019.2926543); their
parameters are read from ../shared, the response model is written here after the paper's equations.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from sudeck.tms.thresholds.advice import next_intensity
from sudeck.tms.thresholds.classical_rules import ml_pest_threshold, next_by_five_of_ten, next_by_ml_pest
from sudeck.tms.thresholds.motor_threshold import bayesian_threshold
from sudeck.tms.thresholds.posterior import prior_posterior

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "tms"
LIMIT_MSO = 130.0  # the peers' virtual stimulator goes beyond 100


def subjects(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return parameters (count, 9), true thresholds and suprathreshold starting intensities in %MSO."""
    table = loadmat(SHARED / "threshold_subjects" / "Subjects_25000.mat", simplify_cells=True)["Subjects"]
    chosen = np.random.default_rng(2019).choice(len(table), count, replace=False)
    parameters = np.array([table[i]["subj_parameters"] for i in chosen])
    truth = np.array([100 * table[i]["thresh_x"] for i in chosen])
    start = np.array([100 * table[i]["start_amplitude"] for i in chosen])
    return parameters, truth, np.clip(np.round(start), 1, LIMIT_MSO)


def respond_mv(parameters: np.ndarray, intensity_mso: float, rng: np.random.Generator) -> float:
    """One peak-to-peak amplitude: Hill curve in ln amplitude, noise on both axes, extreme-value floor."""
    log_floor, height, half, power, shift, y_sd, x_sd, gev_scale, gev_shape = parameters
    floor = 10**log_floor + gev_scale * ((-np.log(rng.random())) ** -gev_shape - 1) / gev_shape
    drive = max(intensity_mso - shift + x_sd * rng.standard_normal(), 1e-9)
    exponent = y_sd * rng.standard_normal() + height / (1 + half / drive**power)
    return float(1e3 * max(1e-8, floor + 1e-7 * 10**exponent))


def bayes(parameters, start, rng, evidence):
    posterior = prior_posterior(evidence=evidence)
    intensity, after = float(start), {}
    for pulse in range(1, 21):
        posterior = posterior.observe(intensity, respond_mv(parameters, intensity, rng))
        intensity = next_intensity(posterior, limit_mso=LIMIT_MSO)
        if pulse in (17, 20):
            after[pulse] = (
                posterior.quantile(0.5),
                posterior.quantile(0.025),
                posterior.quantile(0.975),
                pulse,
            )
    return after


def ml_pest(parameters, start, rng):
    x, y, after = [float(start)], [], {}
    for pulse in range(1, 21):
        y.append(respond_mv(parameters, x[-1], rng))
        if pulse in (17, 20):
            estimate = ml_pest_threshold(x, y)
            after[pulse] = (estimate.value, estimate.low, estimate.high, pulse)
        x.append(next_by_ml_pest(x, y, limit_mso=LIMIT_MSO))
    return after


def five_of_ten(parameters, start, rng):
    x, y = [float(start)], []
    while True:
        y.append(respond_mv(parameters, x[-1], rng))
        following = next_by_five_of_ten(x, y)
        if following is None:
            return {0: (x[-1] + 1.0, np.nan, np.nan, len(x))}
        x.append(following)


def oxford() -> None:
    import pandas as pd

    table = pd.read_csv(SHARED / "oxford" / "mep_table.csv")
    peer = {1: 33.4, 2: 32.4, 3: 35.3, 4: 38.2, 5: 46.2, 6: 49.7, 7: 42.7, 10: 34.0}
    print("\nOxford, eight people, all pulses (%MSO)")
    print("subject  peer Bayes  graded               yes or no")
    for subject, rows in table.groupby("subject"):
        cells = []
        for evidence in ("amplitude", "response"):
            estimate = bayesian_threshold(rows.mso, rows.mep_pp_mV, evidence=evidence).estimate
            cells.append(f"{estimate.value:.1f} [{estimate.low:.1f}, {estimate.high:.1f}]")
        print(f"S{subject:<7} {peer[subject]:<11} {cells[0]:<20} {cells[1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 subjects instead of 4,000")
    count = 200 if parser.parse_args().quick else 4000
    parameters, truth, start = subjects(count)
    methods = {
        "Sudeck, amplitudes graded": lambda *a: bayes(*a, "amplitude"),
        "Sudeck, yes or no": lambda *a: bayes(*a, "response"),
        "ML-PEST": ml_pest,
        "5/10 rule, 1 % steps": five_of_ten,
    }
    print(
        f"{count} virtual subjects; targets: error <= 1.30 at 17, <= 1.15 at 20 pulses, coverage 93 to 97 %"
    )
    print(f"{'method':<28}{'pulses':>7}{'mean |error|':>14}{'bias':>8}{'coverage':>10}{'ms/subject':>12}")
    for method, procedure in methods.items():
        begin = time.perf_counter()
        rngs = [np.random.default_rng(seed) for seed in np.random.SeedSequence(17).spawn(count)]
        runs = [procedure(parameters[i], start[i], rngs[i]) for i in range(count)]
        spent = 1e3 * (time.perf_counter() - begin) / count
        for key in runs[0]:
            value, low, high, pulses = np.array([run[key] for run in runs]).T
            coverage = (
                "" if np.isnan(low).any() else f"{100 * np.mean((low <= truth) & (truth <= high)):.1f} %"
            )
            print(
                f"{method:<28}{pulses.mean():>7.1f}{np.abs(value - truth).mean():>10.3f} %MSO"
                f"{(value - truth).mean():>7.2f}{coverage:>10}{spent:>12.1f}"
            )
    oxford()


if __name__ == "__main__":
    main()
