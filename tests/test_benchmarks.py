"""Benchmarks and tools name what is there: nothing runs them on a change."""

from __future__ import annotations

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path

import pytest

from support.house import ROOT

SCRIPTS = sorted(
    path for folder in ("benchmarks", "tools", "docs/images") for path in (ROOT / folder).glob("*.py")
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_script_imports_of_sudeck_is_there(script: Path) -> None:
    missing = []
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or (node.module or "").partition(".")[0] != "sudeck":
            continue
        try:
            module = importlib.import_module(str(node.module))
        except ModuleNotFoundError as error:
            if str(error.name).startswith("sudeck"):
                raise
            pytest.skip(f"{error.name} is not installed")
        missing += [
            f"{node.module}.{alias.name}"
            for alias in node.names
            if not hasattr(module, alias.name)
            and not (hasattr(module, "__path__") and find_spec(f"{node.module}.{alias.name}"))
        ]
    assert missing == []
