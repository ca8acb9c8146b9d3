"""A bar with the time left, on a terminal; nothing in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sudeck.study.measuring.engine import Progress


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[Progress], None]]:
    """Show a bar over patients, beginning with the first progress that is told; `what` says what goes on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Bar(*columns, transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None, left="")

        def show(progress: Progress) -> None:
            left = "" if progress.seconds_left is None else f"about {_duration(progress.seconds_left)} left"
            bar.update(task, total=progress.total, completed=progress.done, left=left)

        yield show


def _duration(seconds: float) -> str:
    """Return a duration in the unit a person would use: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
