"""What `sudeck circuit simulate` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sudeck.report.circuit.words import change_text, shown_text
from sudeck.report.kit.printing import console_table, open_console

if TYPE_CHECKING:
    from rich.console import Console

    from sudeck.circuit.experiment import Experiment
    from sudeck.core.estimate import Estimate

_SMALL: Final = 0.1  # below it two digits will do
_NOTES: Final = {
    "recruitment": "Spread: coefficient of variation of single trials.",
    "triple": "SICI while LICI or IHI is there; IHI after other pulses to the side it comes from.",
}


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
    factors = change_text(experiment.factors)
    console.print(f"{experiment.protocol.upper()}: {factors or 'reference circuits'}", style="bold")
    table = console_table("Measure", "Reference", *(("Changed", "Ratio") if factors else ()))
    for row in experiment.rows:
        estimates = (row.baseline, row.changed, row.ratio) if factors else (row.baseline,)
        table.add_row(shown_text(row.name), *map(_cell, estimates))
    console.print(table)
    first, *others = experiment.rows
    units = {row.unit: row.name.partition("_")[0] for row in others if row.unit}
    in_units = "".join(f" {name} in {unit}." for unit, name in units.items())
    notes = [f"Median, and range over {first.baseline.n:g} reference circuits. RMT: reference = 1.{in_units}"]
    notes += [_NOTES[experiment.protocol]] if experiment.protocol in _NOTES else []
    notes += [
        f"{shown_text(row.name)}: only {row.ratio.n:g} show it."
        for row in others
        if row.ratio.n != first.ratio.n
    ]
    console.print(" ".join(notes), style="dim")
    if experiment.left_out:
        console.print(
            f"{experiment.left_out} more left out: after the change they keep firing after strong pulses.",
            style="yellow",
        )


def _cell(estimate: Estimate) -> str:
    value, low, high = (
        f"{x:#.{3 if x >= _SMALL else 2}g}".rstrip(".") for x in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value}  {low}–{high}"
