"""`sudeck truth`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sudeck.cli.progress import progress_bar

if TYPE_CHECKING:
    from sudeck.truth.goals import Line

Tier = Literal["tables", "files"]


def truth(
    world: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A world of truth; all unless named.")
    ] = None,
    studies: Annotated[int, typer.Option(min=1, help="Studies in each world; scans of --semireal.")] = 100,
    tier: Annotated[
        Tier, typer.Option(help="Studies as tables, or as files of pixels and volts that are measured.")
    ] = "tables",
    fault: Annotated[
        str, typer.Option(metavar="NAME", help="Plant a fault, which must make goals fail.")
    ] = "",
    quick: Annotated[
        bool, typer.Option("--quick", help="A few studies of each world, to be judged together.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same studies.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; one for each core unless given.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers do the studies.")
    ] = None,
    blind: Annotated[
        Path | None,
        typer.Option(metavar="STUDY", help="Measure this study and seal it, then score it; needs --against."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="TRUTH", help="Folder or ZIP with the truth of --blind.")
    ] = None,
    semireal: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Thin a scan whose truth lies beside it to many, or resample real sweeps; score them.",
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table and every false claim there.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the table, reliability curves and the ledger as a page."),
    ] = None,
) -> None:
    """Ask whether the reports are true: draw studies whose truth is known and hold every claim against it.

    Leaves with 1 where a goal fails. Ctrl-C ends it with the studies that are done.
    """
    from sudeck.study.measuring.engine import use_one_thread

    use_one_thread()
    from sudeck.core.errors import InputError
    from sudeck.core.storage import write_json
    from sudeck.truth.blind import score_blind
    from sudeck.truth.console import print_lines, print_tally
    from sudeck.truth.page import write_page
    from sudeck.truth.semireal import score_semireal
    from sudeck.truth.tally import QUICK_STUDIES, tally_truth

    if blind is not None and against is None:
        raise InputError("--blind", "nothing says where the truth lies", "add --against FOLDER_OR_ZIP")
    if blind is None and against is not None:
        raise InputError("--against", "nothing says which study it is the truth of", "add --blind STUDY")
    if blind is not None and (semireal is not None or world or fault):
        raise InputError(
            "--blind", "the study is scored as it is", "leave out --semireal, --world and --fault"
        )
    if semireal is not None and world:
        raise InputError("--semireal", "what is real belongs to no world", "leave out --world")
    lines: Sequence[Line] | None = None
    if blind is not None and against is not None:
        lines = score_blind(blind, against, jobs=jobs)
    elif semireal is not None:
        some = QUICK_STUDIES if quick else studies
        lines = score_semireal(semireal, patients=some, seed=seed, fault=fault, jobs=jobs)
    if lines is not None:
        print_lines(lines)
        if json is not None:
            write_json(json, {"lines": [line.to_dict() for line in lines]})
        if page is not None:
            write_page(page, lines, settings={"scored": "blind" if blind is not None else "semireal"})
        if any(line.verdict == "fail" for line in lines):
            raise typer.Exit(1)
        return
    with progress_bar("Studies") as progress:
        tally = tally_truth(
            world or (),
            studies=QUICK_STUDIES if quick else studies,
            tier=tier,
            fault=fault,
            together=quick,
            seed=seed,
            jobs=jobs,
            cluster=cluster,
            progress=progress,
        )
    print_tally(tally)
    if json is not None:
        write_json(json, tally.to_dict())
    if page is not None:
        asked = {"tier": tally.tier, "fault": tally.fault, "seed": tally.seed}
        write_page(page, tally.lines, tally.rows, settings=asked)
    if tally.stopped:
        raise KeyboardInterrupt
    if tally.failed:
        raise typer.Exit(1)
