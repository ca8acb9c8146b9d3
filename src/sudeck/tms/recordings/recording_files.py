"""Which files are recordings: folders opened, the companions of a recording left to it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sudeck.tms.readers import recognises

# Names of tables that belong to a recording or a study and hold no trials.
_BESIDE: Final = ("_events.tsv", "_channels.tsv", "_electrodes.tsv", "_scans.tsv", "_sessions.tsv")
_MADE: Final = frozenset(
    {"tms.json", "trials.tsv", "trials_columns.json", "measures.tsv", "measures_columns.json"}
    | {"comparison.json", "comparison.html", "report.html"}
)


def recordings_in(paths: Iterable[str | Path]) -> tuple[Path, ...]:
    """Return the recordings named, and those in the folders named, in order of name within each folder.

    A path that is named itself is kept whatever it is, there or not, so that its refusal can say what is
    wrong with it and the others go on. In a folder only what a reader recognises counts, and a recording of
    several files counts once. What Sudeck wrote itself is no recording; nor are companions beside one.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        inside = [file for file in sorted(path.rglob("*")) if is_recording(file)] if path.is_dir() else []
        found |= dict.fromkeys(inside or [path])
    # A pattern like folder/* names the companions too.
    alone = tuple(path for path in found if path.is_dir() or not belongs_to_recording(path))
    return alone or tuple(found)


def is_recording(path: Path) -> bool:
    """Tell whether a file is a recording of its own, by its content as well as by its name."""
    return path.is_file() and not belongs_to_recording(path) and recognises(path)


def belongs_to_recording(path: Path) -> bool:
    """Tell whether a file is part of a recording, describes one, or is what Sudeck made of one."""
    name, suffix = path.name.lower(), path.suffix.lower()
    if name.startswith(".") or name.endswith(_BESIDE) or name in _MADE:
        return True
    if suffix in {".vmrk", ".eeg"}:
        return path.with_suffix(".vhdr").is_file()
    return suffix in {".json", ".toml", ".txt", ".md"} and not recognises(path)
