"""The tables that measured recordings print on the console: readable in colour, in a pipe, at 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sudeck.report.kit.printing import (
    SEVERITY_STYLE,
    ConsoleColumn,
    console_table,
    numbers,
    open_console,
    print_heading,
    print_item,
    print_note,
    print_place,
)
from sudeck.report.kit.text import printable
from sudeck.report.tms import words
from sudeck.report.tms.comparison_words import (
    CONTRASTS,
    UNKNOWN_ERROR,
    VERDICTS,
    change_texts,
    comparisons_text,
    in_order_of_measures,
    is_error_unknown,
    is_shown,
)
from sudeck.report.tms.flag_words import flag_lines
from sudeck.tms.signals.forms import missing_form

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from sudeck.tms.comparison import Comparison, MeasuredChange
    from sudeck.tms.measures.measured import GroupMeasures
    from sudeck.tms.result import TmsResult

_MOST_GROUPS = 6


def print_tms(result: TmsResult, *, written: str = "", console: Console | None = None) -> None:
    """Print measured recordings: one table a hemisphere, flags, and where the results lie.

    Parameters
    ----------
    result : TmsResult
    written : str
        Folder of the results, as the user named it; nothing is said of it when empty.
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    from rich.text import Text

    console = open_console(console)
    print_heading(console, f"Magnetic stimulation: {words.subject_words(result)}", first=True)
    for group in result.groups[:_MOST_GROUPS]:
        print_heading(console, words.group_text(group))
        if group.estimates:
            console.print(group_table(group))
        else:
            print_note(console, "  Nothing could be estimated.", "")
    left_out = len(result.groups) - _MOST_GROUPS
    if left_out > 0:
        console.print()
        print_note(console, f"{left_out} more groups are in tms.json and the report.")
    console.print()
    for line in flag_lines(result.flags, result.trials):
        if line.code != "recording-refused":  # said on standard error
            print_item(console, line.severity, line.text, SEVERITY_STYLE[line.severity])
    form = missing_form(
        [trial.pulse for trial in result.trials],
        list(dict.fromkeys(trial.channel for trial in result.trials)),
    )
    if form:
        said = "What nothing says: correct these lines and give them with --protocol protocol.toml:"
        console.print(Text(f"\n{said}"))
        console.print(Text("\n".join(f"  {printable(line)}" for line in form.splitlines())), soft_wrap=True)
        console.print()
    flagged = sum(bool(trial.flags) for trial in result.trials)
    if flagged:
        flags = f"{flagged} of {len(result.trials)} trials carry a flag"
        print_note(console, f"{flags}; {words.left_out_text(result)}.")
    print_place(console, written)


def group_table(group: GroupMeasures) -> Table:
    """Return the measures of one hemisphere and muscle as a table of at most 80 columns."""
    level = 100 * group.estimates[0].estimate.level
    table = console_table(
        "Measure",
        ConsoleColumn("At", fold=True),
        ConsoleColumn("Value", right=True, bold=True),
        "",
        *numbers(f"{level:g} % interval", "Trials"),
    )
    for one in words.in_order(words.without_steps(group)):
        value, unit = words.value_and_unit(one.estimate)
        # Of the threshold by the 5/10 rule, the interval is a step of the stimulator.
        bounds = words.bounds_text(one.estimate)
        count = "" if one.estimate.n is None else f"{one.estimate.n:g}"
        name = f"  {one.measure.removeprefix(words.base_of(one.measure)).strip()}"
        shown = printable(name if words.is_beside(one) else one.measure)
        how = "" if words.is_beside(one) else printable(words.how_text(one))
        style = "dim" if words.is_beside(one) else None
        table.add_row(shown, how, value, unit, bounds, count, style=style)
    return table


def print_comparison(found: Comparison, *, written: str = "", console: Console | None = None) -> None:
    """Print what changed, what differs between hemispheres, and what could not be compared."""
    console = open_console(console)
    for contrast, heading in CONTRASTS.items():
        own = [one for one in found.changes if one.contrast == contrast and is_shown(one)]
        if own:
            print_heading(console, heading)
            console.print(change_table(own))
    console.print()
    hidden = sum(not is_shown(one) for one in found.changes)
    if hidden:
        print_note(console, f"{hidden} more, of second methods and single steps: --out DIR.")
    if not found.changes:
        print_note(console, "Nothing could be compared.", "")
    if found.changes:
        print_item(console, "info", comparisons_text(found), SEVERITY_STYLE["info"])
    for flag in found.flags:
        print_item(console, flag.severity, flag.message, SEVERITY_STYLE[flag.severity])
    if any(map(is_error_unknown, found.changes)):
        print_item(console, "caution", UNKNOWN_ERROR, SEVERITY_STYLE["caution"])
    print_place(console, written)


def comparison_text(found: Comparison) -> str:
    """Return what `print_comparison` prints as plain text, for a file."""
    from io import StringIO

    from rich.console import Console

    text = StringIO()
    print_comparison(found, console=Console(file=text, width=100, highlight=False, color_system=None))
    return "\n".join(line.rstrip() for line in text.getvalue().strip("\n").splitlines()) + "\n"


def change_table(changes: Sequence[MeasuredChange]) -> Table:
    """Return contrasts as a table of at most 80 columns."""
    table = console_table(
        "Measure",
        ConsoleColumn("Of", fold=True, least=8),
        ConsoleColumn("Change", right=True, bold=True),
        *numbers("Interval", "Detectable"),
        ConsoleColumn("Verdict", fold=True, least=12),
    )
    for one in in_order_of_measures(changes):
        # Pairs have an intensity here where there are several of one interval.
        at = one.intensity if one.isi_ms is not None else ""
        where = " ".join(filter(None, (one.participant, one.visit, _side(one), one.muscle, at)))
        how = "" if one.isi_ms is None else f" {one.isi_ms:g} ms"
        value, bounds, limit = change_texts(one.change)
        verdict = VERDICTS[one.change.verdict]
        table.add_row(printable(one.measure + how), printable(where), value, bounds, limit, verdict)
    return table


def _side(one: MeasuredChange) -> str:
    return one.hemisphere or "" if one.contrast == "change" else ""
