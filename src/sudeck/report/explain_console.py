"""What `sudeck explain` prints: changes, associations, the published pattern, circuits; at 80 columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from sudeck.report.printing import fit, print_item
from sudeck.report.text import number, percent, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from sudeck.core.estimate import Estimate
    from sudeck.core.flags import Flag
    from sudeck.mechanism.association import Associations
    from sudeck.mechanism.change_models import Asymmetry, Change
    from sudeck.mechanism.circuit.explanation import Explanation
    from sudeck.mechanism.group_statistics import GroupStatistics
    from sudeck.mechanism.power import Power
    from sudeck.mechanism.published_pattern import Judgement
    from sudeck.study.circuit_fits import FitFailure
    from sudeck.study.explained import StudyExplanation

_SEVERITY_STYLE: Final = {"serious": "bold red", "caution": "yellow", "info": "dim"}
_VERDICT_STYLE: Final = {"supported": "bold green", "not supported": "bold red", "undecided": "yellow"}
_SIDES: Final = {"pain": "pain side", "other": "other side", "interaction": "pain over other"}
_HYPOTHESES: Final = {
    "local_gaba_a_loss": "local GABA-A loss",
    "excess_pyramidal_nmda": "excess pyramidal NMDA",
    "tonic_callosal_drive": "tonic callosal drive",
    "none": "none of these",
}
_FACTORS: Final = {
    "gaba_a": "GABA-A",
    "gaba_b": "GABA-B",
    "nmda_pyramids": "NMDA on pyramids",
    "nmda_interneurons": "NMDA on interneurons",
    "callosum": "callosum",
    "callosal_tone": "callosal tone",
    "gaba_over_glutamate": "GABA over glutamate",
}
_MOST_FLAGS: Final = 12
_MOST_NAMES: Final = 5
_CHANGE: Final = "change"


def print_explanation(explained: StudyExplanation, *, console: Console | None = None) -> None:
    """Print everything an explanation says, the answers first and what is missing last.

    Parameters
    ----------
    explained : StudyExplanation
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    from rich.console import Console

    console = console or Console(highlight=False)
    _heading(console, _title(explained), first=True)
    group = explained.group
    if group is not None:
        _print_changes(console, group)
        if group.associations is not None and group.associations.associations:
            _print_associations(console, group.associations, explained.outcome)
        _print_pattern(console, group.pattern)
        _print_power(console, group.changes.power)
    if explained.circuit:
        _print_circuits(console, explained.circuit, explained.level)
    _print_reported(console, explained)
    _print_missing(console, explained)


def _title(explained: StudyExplanation) -> str:
    at = ", ".join(f"{explained.patients_at(visit)} at {visit}" for visit in explained.visits)
    several = f" ({at}; {explained.patients_at_all} at all)" if len(explained.visits) > 1 else f" ({at})"
    return f"{explained.name}: {_count(len(explained.patients), 'patient')} with stimulation{several}"


def _print_changes(console: Console, group: GroupStatistics) -> None:
    for visit in dict.fromkeys(change.visit for change in group.changes.changes):
        own = [change for change in group.changes.changes if change.visit == visit]
        _heading(console, f"What changed: {visit} over {own[0].baseline}")
        console.print(change_table(own))
    if group.changes.changes:
        _note(
            console,
            "A ratio below 1 is a fall; of SICI, LICI and IHI it means stronger inhibition. P by the mixed "
            "model; in the family: by exact sign flips, controlled over all rows.",
        )
    if group.changes.covariates:
        _note(console, f"Adjusted for {', '.join(group.changes.covariates)}.")
    if group.changes.asymmetries:
        _heading(console, "Pain side over other side, at each visit")
        console.print(asymmetry_table(group.changes.asymmetries))
    for comparison in group.healthy:
        print_item(console, "against healthy people", str(comparison), "bold")


def change_table(changes: Sequence[Change]) -> Table:
    """Return changes as a table of at most 80 columns, one row a measure and hemisphere."""
    table = _table()
    table.add_column("Measure", no_wrap=True)
    table.add_column("Hemisphere", no_wrap=True)
    table.add_column("Ratio", justify="right", no_wrap=True, style="bold")
    table.add_column(f"{100 * changes[0].ratio.level:g} % interval", justify="right", no_wrap=True)
    table.add_column("P", justify="right", no_wrap=True)
    table.add_column("in family", justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    before = ""
    for change in changes:
        table.add_row(
            "" if change.measure == before else change.measure,
            _SIDES[change.hemisphere],
            number(change.ratio.value, 2),
            _interval(change.ratio),
            _p(change.p),
            "" if change.p_family is None else _p(change.p_family),
            str(change.n),
        )
        before = change.measure
    return table


def asymmetry_table(asymmetries: Sequence[Asymmetry]) -> Table:
    """Return the ratios between hemispheres as a table, one row a measure and visit."""
    table = _table()
    table.add_column("Measure", no_wrap=True)
    table.add_column("Visit", no_wrap=True)
    table.add_column("Ratio", justify="right", no_wrap=True, style="bold")
    table.add_column(f"{100 * asymmetries[0].ratio.level:g} % interval", justify="right", no_wrap=True)
    table.add_column("P", justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    before = ""
    for one in asymmetries:
        table.add_row(
            "" if one.measure == before else one.measure,
            printable(one.visit),
            number(one.ratio.value, 2),
            _interval(one.ratio),
            _p(one.p),
            str(one.n),
        )
        before = one.measure
    return table


def _print_associations(console: Console, found: Associations, outcome: str) -> None:
    _heading(console, f"What goes with {outcome}")
    table = _table()
    table.add_column("Measure", no_wrap=True)
    table.add_column("Side", no_wrap=True)
    table.add_column("r", justify="right", no_wrap=True, style="bold")
    table.add_column(
        f"{100 * found.associations[0].pearson.level:g} % interval", justify="right", no_wrap=True
    )
    table.add_column("P", justify="right", no_wrap=True)
    table.add_column("in family", justify="right", no_wrap=True)
    table.add_column("Without one", justify="right", no_wrap=True)
    before = ""
    for one in found.associations:
        table.add_row(
            "" if one.measure == before else one.measure,
            one.hemisphere,
            number(one.pearson.value, 2),
            _interval(one.pearson),
            _p(one.p_permutation),
            _p(one.p_family),
            f"{number(one.influence.lowest, 2)} to {number(one.influence.highest, 2)}",
        )
        before = one.measure
    console.print(table)
    _note(
        console,
        f"Pearson's r, n = {_span(one.n for one in found.associations)}; P by permutation, and controlled "
        "over all rows; range of r without one patient in turn. Negative: the more the ratio fell, the more "
        "relief.",
    )
    for one in found.associations:
        if one.influence.changes_claim:
            text = (
                f"{one.measure}, {_SIDES[one.hemisphere]}: r is {number(one.pearson.value, 2)}, without "
                f"{one.influence.patient} {number(one.influence.without, 2)}."
            )
            print_item(console, "decided by one patient", text, "yellow")


def _print_pattern(console: Console, pattern: Iterable[Judgement]) -> None:
    from rich.text import Text

    judgements = list(pattern)
    _heading(console, "The published pattern on these patients")
    table = _table()
    table.add_column("Statement", overflow="fold")
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Because", overflow="fold")
    for one in judgements:
        verdict = Text(one.verdict, style=_VERDICT_STYLE[one.verdict])
        table.add_row(printable(one.hypothesis.name), verdict, _because(one))
    console.print(table)


def _because(judgement: Judgement) -> str:
    """Return the numbers of a verdict, side by side where there are two."""
    if not judgement.numbers:
        return "not measured"
    parts = []
    for side, found in judgement.numbers.items():
        name = "r" if "r" in found else "ratio"
        bounds = f"{number(found['low'], 2)} to {number(found['high'], 2)}"
        parts.append(f"{_SIDES[side]} {name} {number(found[name], 2)} ({bounds})")
    missing = [_SIDES[side] for side in judgement.hypothesis.hemispheres if side not in judgement.numbers]
    text = "; ".join([*parts, *(f"{side} not measured" for side in missing)])
    if judgement.p_pattern is not None:
        text += f"; P over the pattern {_p(judgement.p_pattern)}"
    return text


def _print_power(console: Console, power: Power | None) -> None:
    if power is None:
        _heading(console, "What so few patients can see")
        _note(console, "Too few patients to state what could be seen.")
        return
    _heading(console, f"What {power.n} patients can and can not see")
    first, second, *_ = str(power).splitlines()
    for line in (first, second):
        _note(console, line)
    if power.ratios:
        table = _table()
        table.add_column("Measure", no_wrap=True)
        table.add_column(f"Found with {100 * power.power:g} % power", justify="right", no_wrap=True)
        table.add_column("No change shown within", justify="right", no_wrap=True)
        for one in power.ratios:
            table.add_row(
                one.name,
                f"below {number(one.fall, 2)} or above {number(one.rise, 2)}",
                f"{number(1 / one.equivalence, 2)} to {number(one.equivalence, 2)}",
            )
        console.print(table)


def _print_circuits(console: Console, circuits: Sequence[Explanation], level: float) -> None:
    _heading(console, "The circuit of each patient")
    table = _table()
    table.add_column("Patient", no_wrap=True)
    table.add_column("Most probable account", overflow="fold")
    table.add_column("Probability", justify="right", no_wrap=True)
    table.add_column("Changed surely", overflow="fold")
    table.add_column("Identified", justify="right", no_wrap=True)
    for one in circuits:
        best = max(one.hypotheses, key=lambda hypothesis: hypothesis.probability, default=None)
        known = [factor for factor in one.factors if factor.hemisphere != "balance"]
        identified = f"{sum(factor.identified for factor in known)} of {len(known)}"
        table.add_row(
            printable(one.patient),
            "" if best is None else _HYPOTHESES.get(best.name, best.name),
            "" if best is None else percent(best.probability),
            ", ".join(_sure_changes(one)) or "nothing",
            identified,
        )
    console.print(table)
    _note(
        console,
        f"Changed surely: the measures identify the factor and the {100 * level:g} % interval of its change "
        "leaves out no change. The rest is not identified by these measurements.",
    )
    for one in circuits:
        if one.verdict:
            print_item(console, one.patient, one.verdict, "bold")


def _sure_changes(one: Explanation) -> list[str]:
    """Return the factors whose change is identified and whose interval leaves out no change."""
    sure = []
    for factor in one.factors:
        if factor.visit != _CHANGE or factor.hemisphere == "balance" or not factor.identified:
            continue
        nothing = 0.0 if factor.estimate.unit else 1.0
        if not factor.estimate.low <= nothing <= factor.estimate.high:
            direction = "up" if factor.estimate.value > nothing else "down"
            name = _FACTORS.get(factor.factor, factor.factor)
            sure.append(f"{name} {direction} ({_SIDES[factor.hemisphere]})")
    return sure


def _print_reported(console: Console, explained: StudyExplanation) -> None:
    _heading(console, "The printed correlations of the bone-scan publication, held against themselves")
    *correlations, together = str(explained.reported).splitlines()
    for line in (*correlations, together[:1].upper() + together[1:]):
        _note(console, f"{line}.")


def _print_missing(console: Console, explained: StudyExplanation) -> None:
    flags: list[Flag] = [*explained.unanswered, *explained.all_flags]
    if not (flags or explained.refused or explained.circuit_failures):
        return
    _heading(console, "What could not be answered")
    for name, reason in explained.refused.items():
        print_item(console, name, reason, "bold red")
    for reason, patients in _by_reason(explained.circuit_failures).items():
        print_item(console, "circuit not fitted", f"{_names(patients)}: {reason}", "yellow")
    order = list(_SEVERITY_STYLE)
    flags = sorted(dict.fromkeys(flags), key=lambda flag: order.index(flag.severity))
    for flag in flags[:_MOST_FLAGS]:
        label = "no answer" if flag.code == "no-answer" else flag.severity
        print_item(console, label, flag.message, _SEVERITY_STYLE[flag.severity])
    if len(flags) > _MOST_FLAGS:
        _note(console, f"{len(flags) - _MOST_FLAGS} more in mechanism.json.")


def _by_reason(failures: Iterable[FitFailure]) -> dict[str, list[str]]:
    """Group patients by why their circuit was not fitted; the reason without the patient's name."""
    groups: dict[str, list[str]] = {}
    for failure in failures:
        reason = failure.reason.removeprefix("Patient ").removeprefix(f"{failure.participant_id}: ")
        groups.setdefault(reason, []).append(failure.participant_id)
    return groups


def _names(patients: Sequence[str]) -> str:
    shown = ", ".join(patients[:_MOST_NAMES])
    more = len(patients) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _table() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="", show_edge=False)


def _heading(console: Console, text: str, *, first: bool = False) -> None:
    from rich.text import Text

    if not first:
        console.print()
    console.print(fit(console, Text(printable(text), style="bold")))


def _note(console: Console, text: str) -> None:
    from rich.text import Text

    console.print(fit(console, Text(printable(text), style="dim")))


def _interval(estimate: Estimate) -> str:
    return f"{number(estimate.low, 2)} to {number(estimate.high, 2)}"


def _p(value: float) -> str:
    """Return a P value as papers print it: two digits, ``< 0.001`` below.

    Examples
    --------
    >>> _p(0.0312), _p(0.00002), _p(0.4567)
    ('0.031', '< 0.001', '0.46')
    """
    if math.isnan(value):
        return ""
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _span(counts: Iterable[int]) -> str:
    found = sorted(set(counts))
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
