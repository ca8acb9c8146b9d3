"""`sudeck review`: everything the software decided, in the browser, to be moved, rejected and signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sudeck.core.errors import MissingDependencyError


def review(
    folder: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port on this machine; one of the study's own unless given."),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the pages in the browser.")] = True,
) -> None:
    """Review a study in the browser: regions, trials, sides; what is saved is used by the next run."""
    try:
        from sudeck.app.server import serve_review
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise MissingDependencyError("The review in the browser", "review") from None
    serve_review(folder, port=port, open_browser=browser, told=typer.echo)
