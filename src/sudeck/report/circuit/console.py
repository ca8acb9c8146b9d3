"""The tables that the circuit commands print on the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sudeck.report.kit.printing import ConsoleColumn, console_table, open_console
from sudeck.report.kit.text import percent

if TYPE_CHECKING:
    from rich.console import Console

    from sudeck.circuit.experiment import Experiment
    from sudeck.core.estimate import Estimate
    from sudeck.mechanism.circuit_fit.explanation import Explanation
    from sudeck.mechanism.circuit_fit.hierarchy import GroupPosterior


def print_experiment(experiment: Experiment, *, console: Console | None = None) -> None:
    """Print what a protocol shows, without and with the change.

    Parameters
    ----------
    experiment : Experiment
        From `sudeck.circuit.experiment.run_experiment`.
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    console = open_console(console)
    factors = ", ".join(f"{name} ×{factor:g}" for name, factor in experiment.factors.items())
    console.print(f"{experiment.protocol.upper()}: {factors or 'reference circuits'}", style="bold")
    changed = ("changed", "changed / reference") if factors else ()
    table = console_table(ConsoleColumn("measure", fold=True), "reference", *changed)
    for row in experiment.rows:
        name = f"{row.name} ({row.unit})" if row.unit else row.name
        cells = [name, _cell(row.baseline)]
        table.add_row(*cells, *((_cell(row.changed), _cell(row.ratio)) if factors else ()))
    console.print(table)
    count = experiment.rows[0].baseline.n
    console.print(f"Median \\[range] over {count:g} reference circuits. RMT: reference = 1.", style="dim")
    if experiment.left_out:
        console.print(
            f"{experiment.left_out} more left out: after the change they keep firing after strong pulses.",
            style="yellow",
        )


def print_explanation(explanation: Explanation, *, console: Console | None = None) -> None:
    """Print what a patient's measures say about the circuit; what they do not say is named in one line.

    Parameters
    ----------
    explanation : Explanation
        From `sudeck.mechanism.circuit_fit.patient_fit.explain_patient`.
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    from rich.markup import escape

    console = open_console(console)
    console.print(escape(explanation.patient), style="bold")
    if explanation.verdict:
        console.print(escape(explanation.verdict))
    for hypothesis in sorted(explanation.hypotheses, key=lambda one: -one.probability):
        console.print(f"  {percent(hypothesis.probability)}: {escape(hypothesis.sentence)}")
    table = console_table("visit", "hemisphere", "factor", "value and interval")
    silent = []
    for row in explanation.factors:
        if row.identified:
            table.add_row(escape(row.visit), row.hemisphere, row.factor, _cell(row.estimate))
        else:
            silent.append(f"{row.factor} ({row.visit}, {row.hemisphere})")
    if table.row_count:
        console.print(table)
    if silent:
        console.print(f"Not known from these measurements: {escape(', '.join(silent))}.")
    console.print(
        "Gains are ratios to health (1 = healthy); callosal_tone is in mV. Intervals hold as far as this "
        "model and its priors do.",
        style="dim",
    )
    console.print(
        f"Effective sample of the proposal {100 * explanation.effective:.1f} %; the likelihood is "
        f"{'exact' if explanation.exact else 'approximate'}.",
        style="dim",
    )
    for flag in explanation.flags:
        console.print(escape(str(flag)), style="yellow")


def print_group(group: GroupPosterior, *, console: Console | None = None) -> None:
    """Print how treatment moves the circuits of a group, on average and from patient to patient.

    Parameters
    ----------
    group : GroupPosterior
        From `sudeck.mechanism.circuit_fit.hierarchy.infer_group`.
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    console = open_console(console)
    console.print(f"\nCircuits of all {len(group.changes)} patients together: change to the last visit")
    table = console_table("side", "factor", "mean change", "patients differ by (SD)")
    known = [row for row in group.factors if row.identified]
    for row in known:
        table.add_row(row.hemisphere, row.factor, _cell(row.mean), _cell(row.between_sd))
    if known:
        console.print(table)
    silent = [f"{row.factor} ({row.hemisphere})" for row in group.factors if not row.identified]
    if silent:
        console.print(f"These measurements say next to nothing of {', '.join(silent)}.")
    console.print(
        "Mean changes are ratios, of callosal_tone mV; spreads are standard deviations of their natural "
        "logarithms, of callosal_tone mV.",
        style="dim",
    )


def _cell(estimate: Estimate) -> str:
    """Return a value and its range, with square brackets that are not read as markup."""
    return f"{estimate.value:#.3g} \\[{estimate.low:#.3g}, {estimate.high:#.3g}]"
