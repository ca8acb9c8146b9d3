"""What the circuits say in words: of one patient, and the balance of the hemispheres of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sudeck.core.claim import INTERVAL, Claim, Sentence
from sudeck.report.kit.text import number
from sudeck.report.mechanism.words import FACTORS, SIDES, factor_text, measure_text, mid_sentence

if TYPE_CHECKING:
    from sudeck.mechanism.circuit_fit.explanation import Explanation, FactorEstimate

_ACCOUNTS: Final = "patient page: an account is preferred from a posterior probability of 95 % on"


def group_balance_saying(
    balances: Sequence[FactorEstimate], names: Mapping[str, str]
) -> tuple[Sentence, ...]:
    """Return in how many patients the transcallosal balance is known, and in how many it differs from 1."""
    if not balances:
        return ()
    known = [one for one in balances if one.identified]
    above = sum(one.estimate.low > 1 for one in known)
    below = sum(one.estimate.high < 1 for one in known)
    when = mid_sentence(names.get(balances[0].visit, balances[0].visit))
    what = f"{_balance_text(balances[0].factor)}, {when}"
    return (
        Sentence(
            f"{what}: known in {len(known)} of {len(balances)} patients, "
            f"surely above ×1 in {above}, surely below in {below}."
        ),
    )


def _balance_text(factor: str) -> str:
    return f"Balance of the hemispheres ({FACTORS.get(factor, factor)}, pain over other)"


def patient_sayings(
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
        says.append(balance_saying(balance, names))
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
    told = ", ".join(
        f"{measure_text(point.measure)} {SIDES[point.hemisphere]} {point.visit}" for point in missed
    )
    return [Sentence(f"{text}; not those of {told}." if missed else f"{text}.")]


def balance_saying(balance: FactorEstimate, names: Mapping[str, str]) -> Sentence:
    """Return the transcallosal balance in a sentence, or that it is not known."""
    when = mid_sentence(names.get(balance.visit, balance.visit))
    what = f"{_balance_text(balance.factor)}, {when}"
    if not balance.identified:
        return Sentence(f"{what}: not known from these measurements.")
    estimate = balance.estimate
    text = f"{what}: {factor_text(balance)} ({number(estimate.low, 2)} to {number(estimate.high, 2)})."
    name = f"balance of {balance.factor}, {balance.visit}"
    claim = Claim(f"{name} lies in its interval", name, "within", INTERVAL, estimate.low, estimate.high)
    return Sentence(text, claim)
