"""The package read as text: which module imports what, which names stand where."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


@cache
def modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name; a folder is named by its face."""
    found = {}
    for path in sorted((SOURCE / "sudeck").rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


def folders() -> list[str]:
    return [name for name, path in modules().items() if path.name == "__init__.py"]


def room_of(name: str) -> str:
    """Return the room of a module: the part after ``sudeck``."""
    return name.split(".")[1] if "." in name else ""


def imports_of(name: str) -> set[str]:
    """Return the modules of the package that a module imports, wherever in the file."""
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sudeck":
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                found.add(inside if inside in modules() else str(node.module))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "sudeck"}
    return found - {name}


def imported_by_face(name: str) -> set[str]:
    """Return the names that a face offers to a type checker."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree(name))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in node.body
        if isinstance(inner, ast.ImportFrom)
        for alias in inner.names
    }


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the groups of nodes that reach each other."""
    reach: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        todo = list(graph[start])
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += graph.get(node, ())
        reach[start] = seen
    groups = {tuple(sorted(b for b in graph if b in reach[a] and a in reach[b])) for a in graph}
    return [list(group) for group in sorted(groups) if len(group) > 1]


def children_graph(folder: str) -> dict[str, set[str]]:
    """Return what the files and folders inside a folder import of each other."""

    def child(name: str) -> str | None:
        return name[len(folder) + 1 :].split(".")[0] if name.startswith(f"{folder}.") else None

    graph: dict[str, set[str]] = defaultdict(set)
    for name in modules():
        inside = child(name)
        if inside is not None:
            others = {child(target) for target in imports_of(name)}
            graph[inside] |= {other for other in others if other is not None and other != inside}
    return dict(graph)


def public_definitions(kind: type[ast.stmt]) -> dict[str, list[str]]:
    """Return each public class or function of a module's top level, with the modules that define it."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in modules():
        for node in tree(name).body:
            if isinstance(node, kind) and not node.name.startswith("_"):  # type: ignore[attr-defined]
                found[node.name].append(name)  # type: ignore[attr-defined]
    return dict(found)
