"""The house stands as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter, defaultdict

import pytest

from support.house import (
    ROOT,
    children_graph,
    circles,
    folders,
    imported_by_face,
    imports_of,
    modules,
    public_definitions,
    room_of,
    tree,
)

# From the bottom up. Rooms of one floor do not import each other.
FLOORS = (
    {"core"},
    {"statistics"},
    {"scan", "tms", "ketamine", "circuit", "synthetic"},
    {"prediction", "mechanism"},
    {"study"},
    {"report"},
    {"app", "demo"},
    {"truth"},
    {"cli"},
)
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
FACES = ("", "scan", "tms", "ketamine", "circuit", "prediction", "mechanism", "synthetic", "study")
MOST_MODULES = 16
# Rooms whose data is named by a seed, and the one where people type it.
NAMED_BY_SEED = {"synthetic", "demo", "truth", "cli"}

# One name, two rooms, one meaning or a meaning that the room's name settles.
SAME_MODULE_NAME = {
    "calibration": "of probabilities in statistics, of the circuit in circuit: both the field's term",
    "curves": "time-activity curves in scan, calibration curves in prediction",
    "demo": "the room, and the command that runs it",
    "frames": "of a camera in scan, of a triggered recording in tms",
    "inference": "of coefficients in prediction, of circuits in mechanism",
    "kinetics": "of the tracer in synthetic, of synapses in circuit",
    "measurement": "the walk through the room, in scan and in tms alike",
    "pairs": "pulses in tms, visits in the drawing of report",
    "ratios": "measured in scan, as predictors in prediction",
    "result": "what the room gives, in scan and in tms alike",
    "arrays": "columns of a table in statistics, sweeps of a file in tms",
    "tables": "of a result in scan, of a study in study",
    "units": "of voltages in tms, of doses in ketamine",
    **dict.fromkeys(
        ("scan", "study", "tms", "ketamine", "mechanism", "circuit", "synthetic"),
        "commands, pages and parts of the demo are named after their room",
    ),
    **dict.fromkeys(
        ("page", "figures", "words", "console", "rows"),
        "every family of pages has these",
    ),
}


def test_imports_only_go_down() -> None:
    climbs = []
    for name in modules():
        room = room_of(name)
        for target in imports_of(name):
            other = room_of(target)
            if room and other and room != other and FLOOR[other] >= FLOOR[room]:
                climbs.append(f"{name} imports {target}")
    assert climbs == []


def test_no_circle_of_files() -> None:
    assert circles({name: imports_of(name) for name in modules() if name not in folders()}) == []


def test_no_circle_of_folders() -> None:
    found = {folder: circles(children_graph(folder)) for folder in folders() if folder != "sudeck"}
    assert {folder: groups for folder, groups in found.items() if groups} == {}


def test_a_folder_can_be_seen_at_a_glance() -> None:
    count = Counter(str(path.parent) for path in modules().values() if path.name != "__init__.py")
    assert {folder: n for folder, n in count.items() if n > MOST_MODULES} == {}


@pytest.mark.parametrize("face", FACES)
def test_a_face_gives_what_it_names(face: str) -> None:
    name = f"sudeck.{face}".rstrip(".")
    module = importlib.import_module(name)
    names = module.__all__
    assert set(names) == imported_by_face(name)
    for one in names:
        assert getattr(module, one) is not None
        assert one in dir(module)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name


@pytest.mark.parametrize("face", FACES)
def test_the_reference_page_lists_each_face(face: str) -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    section = re.search(rf"^## `sudeck{'.' if face else ''}{face}`$(.*?)(?=^## |\Z)", page, re.M | re.S)
    assert section is not None
    listed = set(re.findall(r"^\| `(\w+)` \|", section[1], re.M))
    assert listed == set(importlib.import_module(f"sudeck.{face}".rstrip(".")).__all__)


def test_every_name_that_the_words_mention_exists() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in modules().values()}
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    texts |= {path: path.read_text(encoding="utf-8") for path in pages}
    dead = {
        f"{path.relative_to(ROOT)}: {mention}"
        for path, text in texts.items()
        for mention in re.findall(r"\bsudeck(?:\.[A-Za-z_]\w*)+", text)
        if not mention.endswith((".toml", ".invalid", ".org")) and not _resolves(mention)
    }
    assert dead == set()


def _resolves(mention: str) -> bool:
    parts = mention.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in modules():
            rest = parts[length:]
            if not rest:
                return True
            value = importlib.import_module(name)
            for part in rest:
                if not hasattr(value, part):
                    return False
                value = getattr(value, part)
            return True
    return False


def test_every_public_function_is_reached() -> None:
    used: dict[str, set[str]] = defaultdict(set)
    for name in modules():
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.Name | ast.Attribute):
                used[node.id if isinstance(node, ast.Name) else node.attr].add(name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                for word in node.value.split():  # what a face or a reader gives by name
                    used[word].add(name)
            elif isinstance(node, ast.FunctionDef) and node.decorator_list:
                used[node.name].add(name)  # a command
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    used[alias.name].add(name)
    benchmarks = " ".join(
        path.read_text(encoding="utf-8")
        for folder in ("benchmarks", "tools")
        for path in (ROOT / folder).glob("*.py")
    )
    unreached = [
        f"{where[0]}.{function}"
        for function, where in public_definitions(ast.FunctionDef).items()
        if not used[function] and not re.search(rf"\b{function}\b", benchmarks)
    ]
    assert unreached == []


def test_randomness_comes_in_as_rng() -> None:
    """A seed names synthetic data and belongs on a command line; whoever computes is handed `rng`."""
    seeded = [
        f"{name}.{function.name}"
        for name in modules()
        if room_of(name) not in NAMED_BY_SEED
        for function in ast.walk(tree(name))
        if isinstance(function, ast.FunctionDef)
        and "seed" in {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
    ]
    assert not seeded


def test_one_name_means_one_module() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for name in modules():
        if name not in folders():
            places[name.rsplit(".", 1)[-1]].add(room_of(name))
    twice = {name for name, rooms in places.items() if len(rooms) > 1}
    assert twice - SAME_MODULE_NAME.keys() == set()


def test_one_name_means_one_class() -> None:
    twice = {
        name: where
        for name, where in public_definitions(ast.ClassDef).items()
        if len({room_of(one) for one in where}) > 1
    }
    assert twice == {}


def test_one_word_for_one_thing() -> None:
    """What a file or a person says is given or stated; what a page says are sentences."""
    others = re.compile(r"(^|_)(un)?(told|sayings?)(_|$)", re.IGNORECASE)
    named = {
        f"{name}: {word}"
        for name in modules()
        for node in ast.walk(tree(name))
        for word in (getattr(node, part, None) for part in ("id", "attr", "arg", "name"))
        if isinstance(word, str) and others.search(word)
    }
    assert named == set()
