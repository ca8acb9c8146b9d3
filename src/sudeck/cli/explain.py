"""`sudeck explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from sudeck.cli.progress import progress_bar
from sudeck.cli.study import Study


def explain(
    study: Study,
    circuit: Annotated[
        bool, typer.Option("--circuit/--no-circuit", help="Fit the circuit of each patient; needs an extra.")
    ] = True,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that fit circuits; one for each core unless given.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers fit circuits.")
    ] = None,
) -> None:
    """Say why it works: what changed, what goes with relief, and which synapses of each patient did it.

    Writes mechanism.json, measures.tsv and mechanism.html into derivatives/sudeck of a study that was run. A
    circuit whose measures did not change is not fitted again; one bad patient stops nobody.
    """
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
