"""Every sentence of a page that holds something about the data is a `Sentence`, which says what it claims."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

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


# Sentences of templates that count what is on the page, or say how it was made; none says what is so.
COUNTED = {
    "blocks.html.j2": {"Sudeck {}, Python {}, measured {}."},
    "ketamine.html.j2": {
        "{}.tsv , line {} {}: {}.",
        "Listed for monitoring: {}.",
        "{} above {} below {} : {} of {} patients ({}) .",
    },
    "mechanism_patient.html.j2": {"{} The circuit was not asked for."},
    "study.html.j2": {"All {} scans: vascular, tissue and bone phase, each in grey from zero."},
    "tms.html.j2": {
        "{} of {} trials carry a flag; {}.",
        "{} of {} items answered; the others are questions for [reporting] in the protocol file.",
    },
    "tms_compare.html.j2": {"{} more contrasts, of what is measured above in another way."},
    "truth.html.j2": {"The first {} of {}; all stand in the JSON file."},
}


def places() -> Iterator[tuple[str, str, ast.AST]]:
    """Yield every function of the reports, and what each module says outside of functions."""
    for path in sorted(REPORT.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        yield from ((path.stem, node.name, node) for node in own)
        outside = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
        yield from ((path.stem, ast.unparse(node).partition("=")[0].strip(), node) for node in outside)


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    yield from ((module, node) for module, _, node in places() if isinstance(node, ast.FunctionDef))


def filled_in(node: ast.AST) -> str | None:
    """Return the text that an expression makes, ``{}`` for what is filled in; None where it makes none."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            both = filled_in(left), filled_in(right)
            return None if both == (None, None) else "".join("{}" if one is None else one for one in both)
        case ast.BinOp(left=left, op=ast.Mod()) | ast.Call(func=ast.Attribute(value=left, attr="format")):
            text = filled_in(left)
            return None if text is None else f"{{}}{text}"
        case ast.Call(func=ast.Attribute(attr="join"), args=[ast.List(elts=parts) | ast.Tuple(elts=parts)]):
            return " ".join(filled_in(part) or "{}" for part in parts)
    return None


def prose(node: ast.AST) -> Iterator[str]:
    """Yield sentences with something filled in that a function writes."""
    for one in ast.walk(node):
        text = None if isinstance(one, ast.Constant) else filled_in(one)
        if text is not None and "{}" in text and is_sentence(text):
            yield text


def is_sentence(text: str) -> bool:
    return text.rstrip().endswith(".") and len(text.replace("{}", " ").split()) >= LEAST_WORDS


def sentences_of(template: str) -> Iterator[str]:
    """Yield sentences with something filled in that a template writes, captions and notes left out."""
    text = re.sub(r"{#.*?#}|<figcaption>.*?</figcaption>|<p class=\"note\">.*?</p>", "", template, flags=re.S)
    text = re.sub(r"{%.*?%}", " ", text, flags=re.S)
    text = re.sub(r"{{.*?}}", "{}", text, flags=re.S)
    text = re.sub(r"</?(?:code|b|i|em|strong|a|small|span)\b[^>]*>", "", text)
    for part in re.split(r"<[^>]*>", text):
        for one in re.split(r"(?<=[.!?])\s+", " ".join(part.split())):
            if "{}" in one and is_sentence(one):
                yield one


def test_what_speaks_on_a_page_returns_sentences_that_say_what_they_claim() -> None:
    speaking = [
        f"{module}.{node.name}"
        for module, node in functions()
        if SPEAKS.search(node.name)
        and not node.name.startswith("_")
        and "Sentence" not in ast.unparse(node.returns or ast.Constant(""))
    ]
    assert speaking == []


def written(module: str, name: str, node: ast.AST) -> list[str]:
    """Return the prose that a place writes and that nobody could score, were it false."""
    returns = node.returns if isinstance(node, ast.FunctionDef) else None
    spoken = "Sentence" in ast.unparse(returns or ast.Constant(""))
    helper = name.startswith("_") and module in ("words", "sentences", "meaning")
    return [] if module in ELSEWHERE or spoken or helper else list(prose(node))


def test_nothing_else_writes_prose_about_data() -> None:
    given = {
        f"{module}.{name}": found for module, name, node in places() if (found := written(module, name, node))
    }
    # How many more there are, in the place of a row; and the caption of an image, with its counts.
    assert given.keys() <= {"page._kinds", "delayed.delayed_caption"}, given


def test_templates_say_how_to_read_not_what_is_so() -> None:
    for path in sorted((REPORT / "templates").glob("*.j2")):
        found = set(sentences_of(path.read_text(encoding="utf-8")))
        assert found <= COUNTED.get(path.name, set()), path.name


@pytest.mark.parametrize(
    "made",
    [
        'f"Of these patients {n} respond to ketamine."',
        '"Of these patients {} respond to ketamine.".format(n)',
        '"Of these patients %d respond to ketamine." % n',
        '"Of these patients " + str(n) + " respond to ketamine."',
        '" ".join(["Of these patients", str(n), "respond to ketamine."])',
    ],
)
def test_a_planted_sentence_is_found(made: str) -> None:
    function = ast.parse(f"def planted(n: int) -> str:\n    return {made}").body[0]
    constant = ast.parse(f"PLANTED = lambda n: {made}").body[0]
    assert written("rows", "planted", function) == written("rows", "PLANTED", constant) != []
    assert written("words", "_planted", function) == []


def test_a_sentence_planted_in_a_template_is_found() -> None:
    planted = "<p>Of these patients {{ n }} respond to <b>ketamine</b>.</p>"
    assert list(sentences_of(planted)) == ["Of these patients {} respond to ketamine."]
    assert not list(sentences_of(f"<figcaption>{planted}</figcaption>"))
