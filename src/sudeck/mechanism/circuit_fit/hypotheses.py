"""Competing accounts of a patient's baseline, as priors over the factors of both hemispheres.

Each account lets one factor of the pain-side hemisphere, or of both, stray far from health and keeps all
others near it.
The prior of a patient is their even mixture; so one posterior gives the factors averaged over the accounts,
and the probability of each account is the share of the mixture that it holds where the draws lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.circuit.parameters import Floats
from sudeck.circuit.steppers.stimulus import Ints
from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT, TONE

# Standard deviations, on the log scale for gains and in mV for the tone; all assumed. The first are what
# healthy people may differ by: in these circuits GABA-A less by a tenth already doubles many a response. The
# second are how far treatment may move each; blocking 40 % of the NMDA receptors is within two of them.
BASE_SD: Final[dict[str, float]] = {
    "gaba_a": 0.07,
    "gaba_b": 0.12,
    "nmda_pyramids": 0.08,
    "nmda_interneurons": 0.15,
    "callosum": 0.08,
    TONE: 0.10,
}
CHANGE_SD: Final[dict[str, float]] = {
    "gaba_a": 0.15,
    "gaba_b": 0.15,
    "nmda_pyramids": 0.30,
    "nmda_interneurons": 0.30,
    "callosum": 0.12,
    TONE: 0.30,
}


@dataclass(frozen=True, slots=True)
class Account:
    """One hypothesis.

    Attributes
    ----------
    name, label, sentence : str
    factor : str or None
        The factor that is abnormal, None for none.
    mean, sd : float
        Its distribution, on the scale of `BASE_SD`; assumed.
    sides : tuple of int
        Hemispheres in which it is: 0 the pain side, 1 the other.
    """

    name: str
    label: str
    sentence: str
    factor: str | None = None
    mean: float = 0.0
    sd: float = 0.0
    sides: tuple[int, ...] = (0,)


# Sizes at which pain-side measures leave the range of healthy circuits: SICI at 2 ms about doubles under the
# first two, LICI, IHI at 40 ms and the silent period change by half under the third.
ACCOUNTS: Final = (
    Account(
        "local_gaba_a_loss",
        "local loss of GABA-A",
        "GABA-A inhibition is weak in the pain-side hemisphere itself.",
        "gaba_a",
        float(np.log(0.78)),
        0.08,
    ),
    Account(
        "bilateral_gaba_a_loss",
        "loss of GABA-A on both sides",
        "GABA-A inhibition is weak in both hemispheres.",
        "gaba_a",
        float(np.log(0.78)),
        0.08,
        (0, 1),
    ),
    Account(
        "excess_pyramidal_nmda",
        "excess NMDA on pyramidal cells",
        "Pyramidal cells of the pain-side hemisphere carry too much NMDA current.",
        "nmda_pyramids",
        float(np.log(1.3)),
        0.08,
    ),
    Account(
        "tonic_callosal_drive",
        "steady drive of GABA-B cells",
        "A steady drive keeps GABA-B interneurons of the pain side active; its source is not measured.",
        TONE,
        0.8,
        0.2,
    ),
    Account(
        "none",
        "no difference from health",
        "None of these defects shows; what they do not describe is not excluded.",
    ),
)


def draw_factors(
    visits: int, count: int, rng: np.random.Generator, *, account: str | None = None
) -> tuple[Floats, Ints]:
    """Draw factors of patients from the prior.

    Parameters
    ----------
    visits, count : int
    account : str, optional
        One account for all; a random one each unless given.

    Returns
    -------
    position : array, shape (12 · visits, count)
        Baseline, then the change at each later visit.
    which : int array, shape (count,)
        Index into `ACCOUNTS`.
    """
    names = [one.name for one in ACCOUNTS]
    which = rng.integers(len(names), size=count) if account is None else np.full(count, names.index(account))
    mean, sd = (part[which].T for part in _moments())
    baseline = mean + sd * rng.standard_normal((N_VISIT, count))
    change = np.tile(_by_visit(CHANGE_SD), visits - 1)[:, None] * rng.standard_normal(
        ((visits - 1) * N_VISIT, count)
    )
    return np.concatenate([baseline, change]), which


def log_prior(position: Floats) -> Floats:
    """Return the log density of positions, shape (n,): the even mixture of the accounts, and the changes."""
    from scipy.special import logsumexp

    change = position[N_VISIT:]
    sd = np.tile(_by_visit(CHANGE_SD), len(change) // N_VISIT)[:, None]
    moved = -0.5 * ((change / sd) ** 2).sum(axis=0) - np.log(sd).sum()
    return np.asarray(logsumexp(_log_accounts(position), axis=0) - np.log(len(ACCOUNTS)) + moved)


def account_shares(position: Floats) -> Floats:
    """Return the probability of each account where the baseline lies, shape (accounts, n)."""
    logs = _log_accounts(position)
    shares = np.exp(logs - logs.max(axis=0))
    return np.asarray(shares / shares.sum(axis=0))


def _log_accounts(position: Floats) -> Floats:
    """Return the log density of the baseline under each account, up to a constant common to all."""
    means, sds = (part[:, :, None] for part in _moments())
    away = (position[None, :N_VISIT] - means) / sds
    return np.asarray(-0.5 * (away**2).sum(axis=1) - np.log(sds).sum(axis=1))


def _moments() -> tuple[Floats, Floats]:
    """Return means and standard deviations of the baseline, shape (accounts, 12) each."""
    means = np.zeros((len(ACCOUNTS), N_VISIT))
    sds = np.tile(_by_visit(BASE_SD), (len(ACCOUNTS), 1))
    for row, account in enumerate(ACCOUNTS):
        if account.factor is not None:
            at = [2 * FACTORS.index(account.factor) + side for side in account.sides]
            means[row, at], sds[row, at] = account.mean, account.sd
    return means, sds


def change_sd() -> Floats:
    """Return the prior standard deviations of a change, shape (12,)."""
    return _by_visit(CHANGE_SD)


def _by_visit(of: dict[str, float]) -> Floats:
    return np.repeat([of[name] for name in FACTORS], 2)
