"""Remake circuit.png: what the circuits of all patients of a study say together, as its page shows it.

Run from anywhere, with Chromium on the path: ``python docs/images/make_circuit_image.py FOLDER``, of a study
that was explained, as the one that ``sudeck demo`` writes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from browser import photograph

TARGET = Path(__file__).with_name("circuit.png")
SIZE = (960, 665)
_SECTION = re.compile(r'<section id="together">.*?</section>', re.DOTALL)
_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def main() -> None:
    """Take the part of the page out, and photograph it."""
    page = (Path(sys.argv[1]) / "derivatives" / "sudeck" / "mechanism.html").read_text(encoding="utf-8")
    section, style = _SECTION.search(page), _STYLE.search(page)
    if section is None or style is None:
        raise SystemExit("The page tells of no circuits together.")
    body = f'<body><main style="margin:-45px 0 0;padding:0 16px">{section.group()}</main></body>'
    photograph(f"<!doctype html><meta charset='utf-8'>{style.group()}{body}", TARGET, SIZE)


if __name__ == "__main__":
    main()
