"""`sudeck explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sudeck.cli.progress import progress_bar
from sudeck.core.errors import InputError

Explained = Annotated[
    Path,
    typer.Argument(
        help="The study folder; or measures.tsv, as sudeck tms writes it with --participants.",
        metavar="study | measures.tsv",
        show_default=False,
    ),
]


def explain(
    study: Explained,
    circuit: Annotated[
        bool, typer.Option("--circuit/--no-circuit", help="Fit the circuit of each patient; needs an extra.")
    ] = True,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that fit circuits; one for each core unless given.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers fit circuits.")
    ] = None,
    relief: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="With measures.tsv: table of participant_id and relief."),
    ] = None,
    visits: Annotated[
        str | None,
        typer.Option(
            metavar="BEFORE,AFTER",
            help="Of measures.tsv: the visits around treatment; pre,post unless given.",
        ),
    ] = None,
) -> None:
    """Say why it works: what changed, what goes with relief, and which synapses of each patient did it.

    Writes mechanism.json, measures.tsv and mechanism.html into derivatives/sudeck of a study that was run. A
    circuit whose measures did not change is not fitted again; one bad patient stops nobody. Of measures.tsv
    alone the statistics are printed and nothing is written; `sudeck circuit fit` takes that table too.
    """
    if study.is_file() or study.suffix.lower() == ".tsv":
        _explain_table(study, relief, visits or "pre,post")
        return
    if relief is not None or visits is not None:
        remedy = "a study has relief and visits in its own tables; leave them out, or give measures.tsv"
        raise InputError(study.name, "--relief and --visits are for a table", remedy)
    from sudeck.study.measuring.engine import use_one_thread

    use_one_thread()
    from sudeck.report.mechanism.console import print_explanation
    from sudeck.report.mechanism.page import write_mechanism_report
    from sudeck.study.answers.why import MECHANISM_FILE, explain_study

    with progress_bar("Fitting circuits") as progress:
        explained = explain_study(study, circuit=circuit, jobs=jobs, cluster=cluster, progress=progress)
    page = write_mechanism_report(study, explained)
    print_explanation(explained)
    typer.echo(f"\nResults: {page.with_name(MECHANISM_FILE)}\nReport: {page}")


def _explain_table(table: Path, relief: Path | None, visits: str) -> None:
    from sudeck.report.mechanism.console import print_statistics
    from sudeck.study.answers.stimulated.measured_table import RELIEF, explain_measures

    named = tuple(name.strip() for name in visits.split(","))
    if len(named) != 2 or not all(named):
        raise InputError("--visits", f"{visits!r} is not two names", "write it as in pre,post")
    statistics, flags = explain_measures(table, relief, visits=named)
    print_statistics(statistics, outcome=RELIEF, flags=flags)
