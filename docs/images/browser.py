"""Photographs of pages for the README, by Chromium."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

COLOURS = 256  # keeps the file small; the pages have few


def photograph(page: str, target: Path, size: tuple[int, int]) -> None:
    """Write what a browser window of `size` shows of a page of HTML, as PNG."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("Chromium is not on the path.")
    with tempfile.TemporaryDirectory() as name:
        file, shot = Path(name) / "page.html", Path(name) / "shot.png"
        file.write_text(page, encoding="utf-8")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        window = f"--window-size={size[0]},{size[1]}"
        command = [browser, *options, window, f"--screenshot={shot}", file.as_uri()]
        subprocess.run(command, check=True, capture_output=True)
        Image.open(shot).convert("RGB").quantize(COLOURS).save(target, optimize=True)
    print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")
