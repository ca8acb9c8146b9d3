"""How do responses of people scatter, by intensity? What `VirtualHemisphere` takes from them, and a check.

Raw sweeps of a hand muscle of eight people (Sorkhabi and colleagues 2022), 6 to 10 intensities of 15 sweeps:
to each person a sigmoid is fitted about which ln amplitude scatters by two sources, one that acts as the
intensity does and one after recruitment; sweeps below twice the noise are censored. The check is the table of
27 other people (Parchure 2025), which took no part: SD of ln amplitude by the median of a block. Blocks below
0.25 mV are left out: pulses at 80 % of the threshold give 0.04 to 0.5 mV in that table, most of it noise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from sudeck.synthetic.emg.synthetic_recording import VirtualHemisphere

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "tms"
NAMES = (
    "plateau, mV",
    "width / RMT",
    "excitability SD / RMT",
    "excitability SD / width",
    "response SD",
    "SD at RMT",
)


def misfit(p: np.ndarray, mso: np.ndarray, amplitude: np.ndarray, noise: float) -> float:
    """Minus log likelihood; weak priors keep a person sane whose plateau was not reached."""
    width, top, excitability, response = np.exp(p[1:])
    share = expit((mso - p[0]) / width)
    mean, sd = np.log(top * share), np.hypot(response, excitability * (1 - share))
    z = (np.log(np.maximum(amplitude, noise)) - mean) / sd
    told = np.where(amplitude < noise, norm.logcdf(z), norm.logpdf(z) - np.log(sd))
    prior = ((p[4] - np.log(0.35)) / 0.4) ** 2 + ((p[2] - np.log(3)) / 0.8) ** 2 + p[3] ** 2
    return float(0.5 * prior - told.sum())


def fitted(mso: np.ndarray, amplitude: np.ndarray, noise: float) -> tuple[float, ...]:
    starts = [[np.quantile(mso, 0.75), np.log(width), np.log(3), 0.0, np.log(0.35)] for width in (1.5, 3, 5)]
    options = {"maxiter": 6000, "maxfev": 6000}
    fits = [
        minimize(misfit, start, args=(mso, amplitude, noise), method="Nelder-Mead", options=options)
        for start in starts
    ]
    s50, *logs = min(fits, key=lambda fit: fit.fun).x
    width, top, excitability, response = np.exp(logs)
    rmt = s50 - width * np.log(top / 0.05 - 1)
    at_rmt = np.hypot(response, excitability * (1 - 0.05 / top))
    return top, width / rmt, excitability * width / rmt, excitability, response, at_rmt


def main() -> None:
    table = pd.read_csv(SHARED / "oxford" / "mep_table.csv")
    table = table[~((table.subject == 10) & (table.mso == 50))]  # a dead block
    people = []
    for _, own in table.groupby("subject"):
        noise = max(2 * own.pre_pp_mV.median(), 0.02)
        people.append(fitted(own.mso.to_numpy(), own.mep_pp_mV.to_numpy(), noise))
    logs = np.log(people)
    print(f"{len(people)} people: geometric mean, SD of the logarithm")
    for name, mean, sd in zip(NAMES, np.exp(logs.mean(0)), logs.std(0, ddof=1), strict=True):
        print(f"  {name:<26}{mean:>7.3f}{sd:>7.2f}")
    usual = VirtualHemisphere()
    other = pd.read_csv(SHARED / "iocTBS" / "io_long.csv")
    blocks = [
        (np.median(own.raw_MEP), np.log(own.raw_MEP).std(ddof=1))
        for _, own in other[other.raw_MEP > 0].groupby(["Subj_ID", "raw_Intensity"])
        if len(own) >= 8
    ]
    print(
        "27 other people: SD of ln amplitude, median over blocks (and mean square), and that of a made person"
    )
    median, sd = np.array(blocks).T
    for low, high in ((0.25, 0.5), (0.5, 1.0), (1.0, 2.0)):
        own = sd[(median >= low) & (median < high)]
        at = usual.threshold_mso(float(np.sqrt(low * high)))
        print(
            f"  {low:g} to {high:g} mV, {own.size} blocks: {np.median(own):.2f} "
            f"({np.sqrt((own**2).mean()):.2f}), made {usual.log_sd(at):.2f}"
        )


if __name__ == "__main__":
    main()
