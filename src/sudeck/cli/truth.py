"""`sudeck truth`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sudeck.cli.progress import progress_bar


def truth(
    world: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A world of truth; all unless named.")
    ] = None,
    studies: Annotated[int, typer.Option(min=1, help="Studies drawn in each world.")] = 100,
    quick: Annotated[bool, typer.Option("--quick", help="A few studies of each world.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same studies.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; one for each core unless given.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers do the studies.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table and every false claim there.")
    ] = None,
) -> None:
    """Ask whether the reports are true: draw studies whose truth is known and hold every claim against it.

    Leaves with 1 where a goal fails.
    """
    from sudeck.study.measuring.engine import use_one_thread

    use_one_thread()
    from sudeck.core.storage import write_json
    from sudeck.truth.console import print_tally
    from sudeck.truth.tally import QUICK_STUDIES, tally_truth

    with progress_bar("Studies") as progress:
        tally = tally_truth(
            world or (),
            studies=QUICK_STUDIES if quick else studies,
            seed=seed,
            jobs=jobs,
            cluster=cluster,
            progress=progress,
        )
    print_tally(tally)
    if json is not None:
        write_json(json, tally.to_dict())
    if tally.failed:
        raise typer.Exit(1)
