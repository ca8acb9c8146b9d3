"""Remake the pictures of the review pages, as Chromium shows them.

Run with ``python docs/images/make_review_images.py``; needs the extra ``dev`` and Chromium. Makes and
measures a synthetic study of eight patients first.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from sudeck.app.server import review_app
from sudeck.demo.study_on_disk import make_demo_study
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import record_decision
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.run import run_study
from sudeck.synthetic.emg.demo_recordings import make_demo_recordings
from support.browsing import BROWSER, TOKEN, serving
from support.reviewing import ADDRESS, PORT, Reader

if TYPE_CHECKING:
    from playwright.sync_api import Page

HERE = Path(__file__).parent
SESSION = "ses-emg"
READ = ("sub-001", "sub-003", "sub-005", "sub-007")  # whose files are whole
COLOURS = 256  # keeps the files small


def make_study(root: Path) -> StudyFolder:
    """Make eight patients, one with sweeps: two were looked at, four read blinded by two people."""
    make_demo_study(root, patients=8, jobs=1)
    pre = make_demo_recordings(root.with_name("emg"), trials=12).pre[0]
    target = root / "sub-001" / SESSION / "emg"
    target.mkdir(parents=True)
    for path in pre.parent.glob(f"{pre.name.removesuffix('_emg.edf')}*"):
        shutil.copy(path, target / path.name.replace("ses-pre", SESSION))
    study = StudyFolder(root)
    for patient, kind in (("sub-005", "signed-off"), ("sub-006", "accepted")):
        record_decision(study, Decision(patient, kind, True, "NM", "regions looked at"))  # type: ignore[arg-type]
    run_study(root, jobs=1)
    for name, shift, rejected in (("NM", 0.0, (0, 1, 2, 9)), ("AB", 0.7, (1, 2, 3, 9))):
        read_blinded(study, name, shift, rejected)
    return study


def read_blinded(study: StudyFolder, name: str, shift: float, rejected: tuple[int, ...]) -> None:
    """Let a person draw regions and reject trials blinded, and measure what came of it."""
    from starlette.testclient import TestClient

    own = replace(study, reader=name)
    app = review_app(own, token=TOKEN, port=PORT)
    with TestClient(app, base_url=ADDRESS, headers={"origin": ADDRESS}) as client:
        client.get("/", params={"token": TOKEN})
        reader = Reader(client, own)
        for number, patient in enumerate(READ):
            region = reader.ask(f"{patient}/ses-pre/scan/outline", name="whole")["region"]
            points = [[x + shift * (number % 3 - 1), y + shift] for x, y in region["points"]]
            drafts = [{"kind": "region", "value": {**region, "points": points}}]
            reader.save(patient, "ses-pre", drafts)
            reader.save(patient, "", [{"kind": "accepted", "value": True}])
        rows = reader.ask(f"sub-001/{SESSION}/trials")["result"]["trials"]
        chosen = [{"kind": "trial", "about": rows[number]["about"], "value": "reject"} for number in rejected]
        reader.save("sub-001", SESSION, chosen)
    run_study(study.root, jobs=1, reader=name)


def photograph(page: Page, name: str) -> None:
    """Write what the page shows."""
    page.wait_for_function("() => !document.body.dataset.asking")
    page.evaluate("document.querySelector('.status').textContent = ''")
    target = HERE / f"review-{name}.png"
    page.screenshot(path=target)
    with Image.open(target) as image:
        image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            target, optimize=True
        )


def main() -> None:
    """Make a study, do what a person would, and photograph each page."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as started:
        study = make_study(Path(name) / "my-study")
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 860})
        page.set_default_timeout(120_000)
        with serving(study) as address:
            page.goto(f"{address}/?token={TOKEN}")
            page.set_viewport_size({"width": 1440, "height": 500})
            photograph(page, "worklist")
            page.set_viewport_size({"width": 1440, "height": 860})
            page.goto(f"{address}/patients/sub-001/ses-pre/scan")
            page.wait_for_selector("tr[data-ratio]")
            page.click("#draw")
            page.wait_for_selector(".corner")
            for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowUp", "]"):
                page.keyboard.press(key)
            page.mouse.move(500, 620)
            photograph(page, "scan")
            page.emulate_media(color_scheme="dark")
            page.goto(f"{address}/patients/sub-001/{SESSION}/trials")
            page.wait_for_selector("body[data-ready]")
            for key in ("j", "j", "j", "r", "j", "j", "j", "j", "r", "j", "j"):
                page.keyboard.press(key)
            while "no onset" in page.locator("#trace-title").inner_text():
                page.keyboard.press("j")
            photograph(page, "trials")
            page.emulate_media(color_scheme="light")
            page.set_viewport_size({"width": 1440, "height": 640})
            page.goto(f"{address}/readers")
            photograph(page, "readers")
        browser.close()


if __name__ == "__main__":
    main()
