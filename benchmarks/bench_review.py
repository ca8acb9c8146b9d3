"""The review pages: how fast they are, in a browser, and whether a killed server loses what was saved.

Run with ``python benchmarks/bench_review.py STUDY [--kills 50]`` on a study that was run (that of
`sudeck demo` will do; it is copied); needs the extra ``dev`` and Chromium. On a busy machine read the
seconds of the processor, which stand beside those of the clock.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sudeck.study.folder.decisions import read_log
from sudeck.study.folder.layout import StudyFolder, open_study
from support.browsing import BROWSER, TOKEN, serving

_SERVE = "import sys; from pathlib import Path; from sudeck.app.server import serve_review; "
_SERVE += "serve_review(Path(sys.argv[1]), open_browser=False, told=lambda text: print(text, flush=True))"


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds of the clock and of this process; the server is a thread of it."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def said(name: str, found: list[tuple[float, float]], aim: str) -> None:
    clock, processor = (statistics.median(one) * 1e3 for one in zip(*found, strict=True))
    least = min(one[0] for one in found) * 1e3
    print(f"{name:46}{clock:9.0f} ms  (least {least:.0f}; processor {processor:.0f})  aim {aim}")


def measure_pages(study: StudyFolder) -> None:
    from playwright.sync_api import sync_playwright

    scans = [name for name in study.patients() if study.scan_files(name, "ses-pre")]
    with serving(study) as address, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"{address}/?token={TOKEN}")
        said("an empty page", [timed(lambda: page.goto(f"{address}/static/icon.svg")) for _ in range(9)], "-")

        def first(server: str, name: str) -> None:
            page.goto(f"{server}/patients/{name}/ses-pre/scan")
            page.wait_for_selector("tr[data-ratio]")

        measurable = [name for name in scans if _opens(page, address, name)]
        shutil.copytree(study.root, study.root.with_name("again"))
        with serving(open_study(study.root.with_name("again"))) as fresh:
            page.goto(f"{fresh}/?token={TOKEN}")
            opened = [timed(lambda name=name: first(fresh, name)) for name in measurable[:9]]
            said("a scan never opened, to its first ratios", opened, "700 ms")
        page.goto(f"{address}/?token={TOKEN}")
        said("the worklist", [timed(lambda: page.goto(f"{address}/")) for _ in range(9)], "700 ms")
        size = len(page.content().encode())
        print(f"{'patients and bytes of the worklist':46}{len(study.patients()):9} {size} bytes  aim 200 kB")

        first(address, measurable[0])
        page.click("#draw")
        page.wait_for_selector(".corner")
        page.wait_for_function("() => !document.body.dataset.asking")
        said(
            "a region moved by a key, to all six ratios",
            [timed(lambda: _moved(page)) for _ in range(40)],
            "60 ms",
        )
        browser.close()


def _opens(page: Any, address: str, name: str) -> bool:
    page.goto(f"{address}/patients/{name}/ses-pre/scan")
    page.wait_for_selector("body[data-ready]")
    return bool(page.locator("tr[data-ratio]").count())


def _moved(page: Any) -> None:
    page.keyboard.press(random.choice(("ArrowLeft", "ArrowRight")))
    page.wait_for_function("() => !document.body.dataset.asking")


def kill_while_saving(study: StudyFolder, kills: int) -> None:
    """Kill the server at random moments while it saves, and count what is lost of what it said was kept."""
    patient, rng = study.patients()[0], random.Random(1)
    kept = lost = halves = 0
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(study.root)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        told = re.search(r":(\d+)/\?token=(\S+)", process.stdout.readline())
        assert told is not None
        port, token = int(told[1]), told[2]
        killer = threading.Timer(rng.uniform(0.0, 0.5), process.kill)
        said_kept: list[str] = []
        head = (read_log(study, patient).hashes or ("",))[-1]
        try:
            for n in range(10_000):
                draft = {"kind": "note", "about": "", "value": f"note {n}"}
                body = {"session": "", "drafts": [draft], "who": "NM", "why": "a test", "seen": head}
                head = _posted(port, token, patient, body)
                said_kept.append(head)
                if n == 0:  # from now on it may come at any moment, also within a save
                    killer.start()
        except (OSError, http.client.HTTPException):
            pass
        process.kill()
        process.wait()
        log = read_log(study, patient)
        kept += len(said_kept)
        lost += len(set(said_kept) - set(log.hashes))
        halves += len(log.problems)
    print(
        f"{f'{kills} kills, {kept} decisions said to be kept':46}{lost:9} lost, {halves} half lines  aim 0, 0"
    )


def _posted(port: int, token: str, patient: str, body: dict[str, Any]) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"cookie": f"sudeck-{port}={token}", "origin": f"http://127.0.0.1:{port}"}
    connection.request("POST", f"/api/{patient}/decisions", json.dumps(body), headers)
    answer = connection.getresponse()
    content = json.loads(answer.read())
    assert answer.status == 200, content
    return str(content["head"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--kills", type=int, default=50)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = open_study(Path(shutil.copytree(asked.study, Path(folder) / "study")))
        measure_pages(study)
        kill_while_saving(study, asked.kills)


if __name__ == "__main__":
    main()
