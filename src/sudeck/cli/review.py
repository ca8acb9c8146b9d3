"""`sudeck review`: everything the software decided, in the browser, to be moved, rejected and signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.vocabulary import Limb, Side


def review(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="STUDY | FILES...", help="The study folder, or the files of one scan.", show_default=False
        ),
    ],
    affected: Annotated[
        Side | None, typer.Option(help="Of one scan without a study: side of the body with CRPS.")
    ] = None,
    limb: Annotated[
        Limb | None, typer.Option(help="Of one scan: limb imaged, where the files do not say.")
    ] = None,
    reader: Annotated[
        str, typer.Option(metavar="INITIALS", help="Read the study blinded to what others decided.")
    ] = "",
    compare: Annotated[
        bool, typer.Option("--compare", help="Measure all blinded readings, and say how far they agree.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port on this machine; one of the study's own unless given."),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the pages in the browser.")] = True,
) -> None:
    """Review a study in the browser: regions, trials, sides; what is saved is used by the next run."""
    if compare:
        typer.echo(_compared(paths[0]))
        return
    from sudeck.study.measuring.engine import use_one_thread

    use_one_thread()
    try:
        from sudeck.app.server import serve_review, serve_scan
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise MissingDependencyError("The review in the browser", "review") from None
    if affected is not None:
        serve_scan(paths, affected=affected, limb=limb, port=port, open_browser=browser, announce=typer.echo)
    elif len(paths) > 1 or paths[0].is_file():
        raise InputError("sudeck review", "one scan needs its affected side", "add --affected left or right")
    else:
        serve_review(paths[0], reader=reader, port=port, open_browser=browser, announce=typer.echo)


def _compared(root: Path) -> str:
    from sudeck.study.answers.reader_agreement import compare_readers, write_comparison
    from sudeck.study.folder.layout import open_study
    from sudeck.study.measuring.run import run_study

    study = open_study(root)
    for name in study.readers():
        run_study(root, reader=name)
    found = compare_readers(study)
    return f"{found}\nWritten: {write_comparison(study, found).name}"
