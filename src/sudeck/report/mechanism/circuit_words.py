"""What the circuits say in words: of one patient, and the balance of the hemispheres of all."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sudeck.core.claim import INTERVAL, Claim, Sentence
from sudeck.report.kit.text import number, percent
from sudeck.report.mechanism.words import (
    FACTORS,
    SIDES,
    factor_text,
    inside_factor,
    measure_text,
    uncapitalised,
)

if TYPE_CHECKING:
    from sudeck.mechanism.circuit_fit.explanation import Explanation, FactorEstimate
    from sudeck.mechanism.circuit_fit.next_measurement import Candidate

# What shows hardly anywhere but in measures of these kinds.
_BEYOND_SICI: Final = frozenset({"gaba_b", "nmda_interneurons", "callosum", "callosal_tone"})
_BEYOND_MEASURES: Final = frozenset({"LICI", "IHI", "CSP"})
_ACCOUNTS: Final = "patient page: an account is preferred from a posterior probability of 95 % on"


def group_balance_sentence(
    balances: Sequence[FactorEstimate], names: Mapping[str, str]
) -> tuple[Sentence, ...]:
    """Return how well the transcallosal balance of patients is known, and in how many it differs from 1."""
    if not balances:
        return ()
    above = sum(one.estimate.low > 1 for one in balances)
    below = sum(one.estimate.high < 1 for one in balances)
    within = sorted(math.sqrt(one.estimate.high / one.estimate.low) for one in balances)[len(balances) // 2]
    when = uncapitalised(names.get(balances[0].visit, balances[0].visit))
    what = f"{_balance_text(balances[0].factor)}, {when}"
    return (
        Sentence(
            f"{what}: in the median patient known to within a factor of {number(within, 2)}; surely above "
            f"×1 in {above} of {len(balances)} patients, surely below in {below}."
        ),
    )


def _balance_text(factor: str) -> str:
    return f"Balance of the hemispheres ({FACTORS.get(factor, factor)}, pain over other)"


def patient_sentences(
    circuit: Explanation, balance: FactorEstimate | None, names: Mapping[str, str]
) -> tuple[Sentence, ...]:
    """Return what the circuit of one patient says, a sentence each."""
    account = (
        [Claim(f"account: {circuit.preferred}", f"account {circuit.preferred}", "above", _ACCOUNTS)]
        if circuit.preferred
        else []
    )
    says = [Sentence(circuit.verdict, *account)] if circuit.verdict else []
    if balance is not None:
        says.append(balance_sentence(balance, names))
    return (*says, *_outside(circuit))


def _outside(circuit: Explanation) -> list[Sentence]:
    """Say how many observations the prediction misses, where both intervals are taken together."""
    missed = [
        point
        for point in circuit.curves
        if point.observed.high < point.predicted.low or point.observed.low > point.predicted.high
    ]
    if not circuit.curves:
        return []
    met, total = len(circuit.curves) - len(missed), len(circuit.curves)
    text = f"The intervals of {met} of {total} measures meet the prediction"
    listed = ", ".join(
        f"{measure_text(point.measure)} {SIDES[point.hemisphere]} {point.visit}" for point in missed
    )
    return [Sentence(f"{text}; not those of {listed}." if missed else f"{text}.")]


def balance_sentence(balance: FactorEstimate, names: Mapping[str, str]) -> Sentence:
    """Return the transcallosal balance in a sentence, or that it is not known."""
    when = uncapitalised(names.get(balance.visit, balance.visit))
    what = f"{_balance_text(balance.factor)}, {when}"
    if not balance.identified:
        return Sentence(f"{what}: not known from these measurements.")
    estimate = balance.estimate
    text = f"{what}: {factor_text(balance)} ({number(estimate.low, 2)} to {number(estimate.high, 2)})."
    name = f"balance of {balance.factor}, {balance.visit}"
    claim = Claim(f"{name} lies in its interval", name, "within", INTERVAL, estimate.low, estimate.high)
    return Sentence(text, claim)


def left_open(
    factors: Sequence[FactorEstimate], visits: Sequence[str], measured: Collection[str]
) -> tuple[Sentence, tuple[str, ...]]:
    """Return what the measurements say nothing of, as a sentence, and what they leave open in part.

    Parameters
    ----------
    factors : sequence of FactorEstimate
    visits : sequence of str
        Visits and change that were asked for.
    measured : collection of str
        Kinds of measures that the fit used, as in ``"SICI"``.

    Returns
    -------
    Sentence
        Empty where everything is told of somewhere.
    tuple of str
        A line a factor and hemisphere, with where it is open.
    """
    asked: dict[tuple[str, str], list[str]] = {}
    silent: dict[tuple[str, str], list[str]] = {}
    for one in factors:
        if one.visit in visits:
            asked.setdefault((one.factor, one.hemisphere), []).append(one.visit)
            if not one.identified:
                silent.setdefault((one.factor, one.hemisphere), []).append(one.visit)
    if not asked:
        return Sentence("Nothing: no circuit follows from them."), ()
    nowhere = [
        name
        for name in dict.fromkeys(name for name, _ in silent)
        if all(silent.get(key) == when for key, when in asked.items() if key[0] == name)
    ]
    needs_more = [name for name in nowhere if name in _BEYOND_SICI and not _BEYOND_MEASURES & set(measured)]
    others = [name for name in nowhere if name not in needs_more]
    said = [f"Nothing is known of {_listed(others)}."] if others else []
    said += [f"Only IHI, LICI or a silent period would tell of {_listed(needs_more)}."] if needs_more else []
    return Sentence(" ".join(said)), tuple(
        f"{FACTORS.get(name, name)}, {SIDES[side]}"
        + ("" if when == asked[name, side] else f": {', '.join(when)}")
        for (name, side), when in silent.items()
        if name not in nowhere
    )


def _listed(names: Sequence[str]) -> str:
    *most, last = map(inside_factor, names)
    return f"{', '.join(most)} and {last}" if most else last


def next_text(candidate: Candidate) -> str:
    """Return what a measurement not made yet would tell."""
    return (
        f"{measure_text(candidate.measure)} ({SIDES[candidate.hemisphere]}): "
        f"{candidate.hypothesis_bits:.2f} bit about the accounts, "
        f"{candidate.information_bits:.2f} about all synapses; narrows "
        f"{inside_factor(candidate.factor)} ({SIDES[candidate.factor_hemisphere]}) to "
        f"{percent(candidate.narrowing)} of its spread"
    )
