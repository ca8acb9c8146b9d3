"""Every sentence of a page that holds something about the data is a `Sentence`, which says what it claims."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import sudeck

REPORT = Path(sudeck.__file__).parent / "report"
# Prose that is no sentence of a page about data, and why.
ELSEWHERE = {
    "console": "notes under tables on the screen; what pages say is printed there as they say it",
    "console_tables": "likewise",
    "tripod": "what was done, for the checklist of a manuscript",
    "people": "flags, which every result carries",
    "flag_words": "flags too, those of many trials or places told once",
}
SPEAKS = re.compile(r"(sentences?|meanings|caveats|lasting_note)$")
LEAST_WORDS = 4


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted(REPORT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield path.stem, node


def prose(node: ast.AST) -> Iterator[str]:
    """Yield sentences with something filled in that a function writes."""
    for one in ast.walk(node):
        if isinstance(one, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in one.values)
            text = "".join(parts).rstrip()
            if text.endswith(".") and len(text.replace("{}", " ").split()) >= LEAST_WORDS:
                yield text


def test_what_speaks_on_a_page_returns_sentences_that_say_what_they_claim() -> None:
    speaking = [
        f"{module}.{node.name}"
        for module, node in functions()
        if SPEAKS.search(node.name)
        and not node.name.startswith("_")
        and "Sentence" not in ast.unparse(node.returns or ast.Constant(""))
    ]
    assert speaking == []


def test_nothing_else_writes_prose_about_data() -> None:
    given = {
        f"{module}.{node.name}": next(prose(node))
        for module, node in functions()
        if module not in ELSEWHERE
        and not (node.name.startswith("_") and module in ("words", "sentences", "meaning"))
        and "Sentence" not in ast.unparse(node.returns or ast.Constant(""))
        and any(prose(node))
    }
    # How many more there are, in the place of a row.
    assert given.keys() <= {"page._kinds"}, given
