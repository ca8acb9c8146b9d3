"""What `sudeck circuit simulate` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sudeck.report.kit.printing import ConsoleColumn, console_table, open_console

if TYPE_CHECKING:
    from rich.console import Console

    from sudeck.circuit.experiment import Experiment
    from sudeck.core.estimate import Estimate


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


def _cell(estimate: Estimate) -> str:
    """Return a value and its range, with square brackets that are not read as markup."""
    return f"{estimate.value:#.3g} \\[{estimate.low:#.3g}, {estimate.high:#.3g}]"
