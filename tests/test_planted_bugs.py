"""The bugs that `tools/plant_bugs.py` plants can still be planted."""

from __future__ import annotations

import importlib.util
import sys

from support.house import ROOT


def test_every_bug_finds_its_line() -> None:
    spec = importlib.util.spec_from_file_location("plant_bugs", ROOT / "tools" / "plant_bugs.py")
    assert spec is not None
    assert spec.loader is not None
    planting = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = planting
    spec.loader.exec_module(planting)
    for bug in planting.BUGS:
        source = (ROOT / "src" / "sudeck" / bug.module).read_text(encoding="utf-8")
        assert bug.line in source, f"{bug.module} has no line {bug.line!r} any more"
