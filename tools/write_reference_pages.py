"""Write the pages of docs/reference that follow from the code: the faces, and the tables of a study.

Usage: python tools/write_reference_pages.py
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from sudeck.study.folder.dictionary import reference_page

FACES = ("", "scan", "tms", "ketamine", "circuit", "prediction", "mechanism", "synthetic", "study")
FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"


def main() -> None:
    """Write both pages."""
    (FOLDER / "api.md").write_text(api_page(), encoding="utf-8")
    (FOLDER / "study-tables.md").write_text(reference_page(), encoding="utf-8")


def api_page() -> str:
    """Return what each face gives, one line a name."""
    parts = [
        "# Names other programs may rely on",
        "Written by `python tools/write_reference_pages.py` from the faces. What is not here is private.",
    ]
    for face in FACES:
        name = f"sudeck.{face}".rstrip(".")
        module = importlib.import_module(name)
        first = (inspect.getdoc(module) or "").splitlines()[0]
        rows = [f"| `{one}` | {_line(getattr(module, one))} |" for one in module.__all__]
        parts.append("\n".join([f"## `{name}`", "", first, "", "| name | what it is |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _line(value: object) -> str:
    """Return the first line of a docstring; of a plain value, its kind."""
    if isinstance(value, str):
        return f"`{value!r}`"
    if not (inspect.isclass(value) or callable(value)):
        return f"a value of kind `{type(value).__name__}`"
    return (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")


if __name__ == "__main__":
    main()
