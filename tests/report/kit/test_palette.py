"""A colour is named once."""

from __future__ import annotations

import re
from pathlib import Path

from sudeck.report.kit import palette

REPORT = Path(palette.__file__).parents[1]
HEX = re.compile(r"#[0-9A-Fa-f]{6}\b")


def test_no_figure_has_a_colour_outside_the_palette() -> None:
    found = {
        path.relative_to(REPORT).as_posix(): HEX.findall(path.read_text(encoding="utf-8"))
        for path in REPORT.rglob("*.py")
        if path != Path(palette.__file__)
    }
    assert not {name: colours for name, colours in found.items() if colours}
