"""The tables that `sudeck explain` prints on the console, each at most 80 columns wide."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from sudeck.report.kit.printing import ConsoleColumn, console_table, numbers
from sudeck.report.kit.text import number, p_text, percent, printable
from sudeck.report.mechanism.words import BALANCE, CHANGE, FACTORS, SIDES, factor_text

if TYPE_CHECKING:
    from rich.table import Table

    from sudeck.core.estimate import Estimate
    from sudeck.mechanism.change_correlation import Association
    from sudeck.mechanism.change_models import Asymmetry, Change
    from sudeck.mechanism.circuit_fit.explanation import Explanation, FactorEstimate
    from sudeck.mechanism.circuit_fit.hierarchy import GroupFactor
    from sudeck.mechanism.published_pattern import Judgement
    from sudeck.statistics.power import Power

_VERDICT_STYLE: Final = {"supported": "bold green", "not supported": "bold red", "undecided": "yellow"}
# Two lines at the head of a narrow column.
_ACCOUNTS: Final = {
    "local_gaba_a_loss": "GABA-A\nlost",
    "bilateral_gaba_a_loss": "both\nsides",
    "excess_pyramidal_nmda": "NMDA\nexcess",
    "tonic_callosal_drive": "steady\ndrive",
    "none": "none",
    "outside_the_model": "other",
}
_SYNAPSES: Final = ConsoleColumn("Synapses", fold=True)
_RATIO: Final = ConsoleColumn("Ratio", right=True, bold=True)
_NARROW: Final = 0.04  # width of an interval that three decimals show better than two


def change_table(changes: Sequence[Change]) -> Table:
    """Return changes between two visits, one row a measure and hemisphere."""
    table = console_table(
        "Measure", "Hemisphere", _RATIO, *numbers(_level(changes[0].ratio), "P", "in family", "n")
    )
    before = ""
    for one in changes:
        table.add_row(
            "" if one.measure == before else one.measure,
            SIDES[one.hemisphere],
            number(one.ratio.value, _decimals(one.ratio)),
            _interval(one.ratio, _decimals(one.ratio)),
            p_text(one.p),
            "" if one.p_family is None else p_text(one.p_family),
            str(one.n),
        )
        before = one.measure
    return table


def asymmetry_table(asymmetries: Sequence[Asymmetry]) -> Table:
    """Return pain side over other side, one row a measure and visit."""
    table = console_table("Measure", "Visit", _RATIO, *numbers(_level(asymmetries[0].ratio), "P", "n"))
    before = ""
    for one in asymmetries:
        table.add_row(
            "" if one.measure == before else one.measure,
            printable(one.visit),
            number(one.ratio.value, _decimals(one.ratio)),
            _interval(one.ratio, _decimals(one.ratio)),
            p_text(one.p),
            str(one.n),
        )
        before = one.measure
    return table


def association_table(associations: Sequence[Association]) -> Table:
    """Return correlations with relief, one row a measure and hemisphere."""
    level = _level(associations[0].pearson)
    r = ConsoleColumn("r", right=True, bold=True)
    table = console_table("Measure", "Side", r, *numbers(level, "P", "in family", "Without one"))
    before = ""
    for one in associations:
        table.add_row(
            "" if one.measure == before else one.measure,
            one.hemisphere,
            number(one.pearson.value, 2),
            _interval(one.pearson),
            p_text(one.p_permutation),
            p_text(one.p_family),
            f"{number(one.influence.lowest, 2)} to {number(one.influence.highest, 2)}",
        )
        before = one.measure
    return table


def pattern_table(pattern: Iterable[Judgement]) -> Table:
    """Return the verdict on each statement of the published pattern, with its numbers."""
    from rich.text import Text

    table = console_table(ConsoleColumn("Statement", fold=True), "Verdict", "Because")
    for one in pattern:
        verdict = Text(one.verdict, style=_VERDICT_STYLE[one.verdict])
        table.add_row(printable(one.hypothesis.name), verdict, _because(one))
    return table


def power_table(power: Power) -> Table:
    """Return the changes of each measure that would be found, and those that could be excluded."""
    table = console_table(
        "Measure", *numbers(f"Found with {100 * power.power:g} % power", "No change shown within")
    )
    for one in power.ratios:
        table.add_row(
            one.name,
            f"below {number(one.fall, 2)} or above {number(one.rise, 2)}",
            f"{number(1 / one.equivalence, 2)} to {number(one.equivalence, 2)}",
        )
    return table


def circuit_table(circuits: Sequence[Explanation]) -> Table:
    """Return how probable each account of a patient is, and the change of the transcallosal balance.

    Where nobody has two visits, the balance at the only one.
    """
    from rich.text import Text

    accounts = [name for name in _ACCOUNTS if any(name == h.name for one in circuits for h in one.weighed)]
    headings = numbers(*(_ACCOUNTS[name] for name in accounts))
    changed = any(factor.visit == CHANGE for one in circuits for factor in one.factors)
    table = console_table("Patient", *headings, "Balance, after\nover before" if changed else "Balance")
    for one in circuits:
        probability = {hypothesis.name: hypothesis.probability for hypothesis in one.weighed}
        shares = [
            Text(percent(probability[name]), style="bold green" if name == one.preferred else "")
            if name in probability
            else Text("")
            for name in accounts
        ]
        table.add_row(printable(one.patient), *shares, _balance(one, changed=changed))
    return table


def group_table(factors: Sequence[GroupFactor]) -> Table:
    """Return the mean changes of the circuits of all patients together, one row a factor and hemisphere."""
    table = console_table(
        _SYNAPSES, "Hemisphere", *numbers("Mean change", _level(factors[0].mean), "Differ by")
    )
    for one in factors:
        unit = f" {one.mean.unit}" if one.mean.unit else ""
        spread = (
            f"{number(one.between_sd.value, 2)}{unit}" if unit else percent(math.expm1(one.between_sd.value))
        )
        value = f"{number(one.mean.value, 2)}{unit}" if unit else f"×{number(one.mean.value, 2)}"
        table.add_row(FACTORS[one.factor], SIDES[one.hemisphere], value, _interval(one.mean), spread)
    return table


def factor_table(factors: Sequence[FactorEstimate]) -> Table:
    """Return what is known of the circuit of a patient, one row a visit, hemisphere and factor."""
    table = console_table("Visit", "Hemisphere", _SYNAPSES, *numbers("Value", "Known to within"))
    for one in factors:
        table.add_row(
            printable(one.visit),
            SIDES[one.hemisphere],
            FACTORS[one.factor],
            factor_text(one),
            _interval(one.estimate),
        )
    return table


def _balance(one: Explanation, *, changed: bool) -> str:
    """Return the transcallosal balance, or its change, with its interval; empty where it is not there."""
    visit = CHANGE if changed else one.visits[0]
    for factor in one.factors:
        if (factor.visit, factor.hemisphere, factor.factor) == (visit, "balance", BALANCE):
            text = f"{number(factor.estimate.value, 2)} ({_interval(factor.estimate)})"
            return text if factor.identified else "not known"
    return ""


def _because(judgement: Judgement) -> str:
    """Return the numbers of a verdict, a line a hemisphere."""
    lines = []
    for side in judgement.hypothesis.hemispheres:
        found = judgement.numbers.get(side)
        if found is None:
            lines.append(f"{SIDES[side]}: not measured")
            continue
        name = "r" if "r" in found else "ratio"
        bounds = f"{number(found['low'], 2)} to {number(found['high'], 2)}"
        lines.append(f"{SIDES[side]}: {name} {number(found[name], 2)} ({bounds})")
    if judgement.p_pattern is not None:
        lines.append(f"P over the pattern: {p_text(judgement.p_pattern)}")
    return "\n".join(lines)


def sure_changes(one: Explanation) -> list[str]:
    """Return the factors whose change is identified and whose interval leaves out no change."""
    sure = []
    for factor in one.factors:
        if factor.visit != CHANGE or factor.hemisphere == "balance" or not factor.identified:
            continue
        nothing = 0.0 if factor.estimate.unit else 1.0
        if not factor.estimate.low <= nothing <= factor.estimate.high:
            direction = "up" if factor.estimate.value > nothing else "down"
            name = FACTORS.get(factor.factor, factor.factor)
            sure.append(f"{name} {direction} ({SIDES[factor.hemisphere]})")
    return sure


def _level(estimate: Estimate) -> str:
    return f"{100 * estimate.level:g} % interval"


def _decimals(ratio: Estimate) -> int:
    """Return how many digits a ratio is worth: a threshold is known to a few parts in a thousand."""
    return 3 if ratio.high - ratio.low < _NARROW else 2


def _interval(estimate: Estimate, decimals: int = 2) -> str:
    return f"{number(estimate.low, decimals)} to {number(estimate.high, decimals)}"
