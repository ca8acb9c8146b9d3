"""`sudeck demo`: the whole chain on real and on truth-known data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put files, results and reports.")] = Path(
        "sudeck-demo"
    ),
    patients: Annotated[
        int, typer.Option(min=0, help="Patients of the synthetic study; 0 leaves it out.")
    ] = 105,
) -> None:
    """Run the whole chain on a real bone scan and on synthetic data whose truth is known."""
    from sudeck.demo import run_demo

    page = run_demo(folder, patients=patients, say=typer.echo)
    typer.echo(f"\nOpen {page}")
