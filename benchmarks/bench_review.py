"""The review pages: how fast they are, in a browser, and whether a killed server loses what was saved.

Run with ``python benchmarks/bench_review.py STUDY [--kills 50]`` on a study that was run (that of
`sudeck demo` will do; it is copied); needs the extra ``dev``, Chromium and Linux. The server is a process of
its own as `sudeck review` starts it. The clock is the browser's own, from the navigation or the key to the
frame that shows the numbers; on a busy machine read the seconds of the server's processor beside it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sudeck.demo.study_on_disk import make_demo_study
from sudeck.study.folder.decisions import read_decisions, read_log
from sudeck.study.folder.layout import StudyFolder, open_study
from sudeck.study.measuring.records import stored_record
from sudeck.study.measuring.run import run_study
from sudeck.synthetic.emg.demo_recordings import make_demo_recordings
from support.browsing import BROWSER

if TYPE_CHECKING:
    from playwright.sync_api import Page

_SERVE = "import sys; from pathlib import Path; from sudeck.app.server import serve_review; "
_SERVE += "serve_review(Path(sys.argv[1]), open_browser=False, told=lambda text: print(text, flush=True))"
_TICKS = os.sysconf("SC_CLK_TCK")
_HUNDRED = "ses-hundred"
_SETTLE_S = 3.0  # until what is read ahead is read
# Marks when the page shows its first numbers.
_WATCH = """
new MutationObserver(() => {
  if (!document.body?.dataset.ready || window.shownAt) return;
  requestAnimationFrame(() => { window.shownAt = performance.now(); });
}).observe(document, { subtree: true, childList: true, attributes: true });
"""
# Presses a key and waits for the frame after the answer.
_MOVED = """async (key) => {
  const begun = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  while (document.body.dataset.asking) await new Promise((done) => {
    const seen = new MutationObserver(() => { seen.disconnect(); done(); });
    seen.observe(document.body, { attributes: true });
  });
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""
# Moves the region at every frame of the screen, and counts how often new ratios were shown.
_DRAGGED = """async (seconds) => {
  let shown = 0, until = performance.now() + 1000 * seconds;
  const seen = new MutationObserver(() => { shown += 1; });
  seen.observe(document.querySelector(".ratios tbody"), { subtree: true, attributeFilter: ["data-value"] });
  for (let n = 0; performance.now() < until; n++) {
    const key = n % 40 < 20 ? "ArrowLeft" : "ArrowRight";
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: true, bubbles: true }));
    await new Promise(requestAnimationFrame);
  }
  seen.disconnect();
  return shown / seconds;
}"""


@dataclass(frozen=True)
class Server:
    """A running review."""

    process: subprocess.Popen[str]
    port: int
    token: str

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def seconds(self) -> float:
        """Return the seconds of the processor that it took so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def served(study: StudyFolder) -> Iterator[Server]:
    command = [sys.executable, "-c", _SERVE, str(study.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = re.search(r":(\d+)/\?token=(\S+)", process.stdout.readline())
            assert told is not None
            yield Server(process, int(told[1]), told[2])
        finally:
            process.kill()


def said(name: str, found_ms: list[float], aim: str, processor: list[float] | None = None) -> None:
    used = f"; processor {statistics.median(processor) * 1e3:.0f}" if processor else ""
    least, middle = min(found_ms), statistics.median(found_ms)
    print(f"{name:46}{middle:9.0f} ms  (least {least:.0f}{used})  aim {aim}", flush=True)


def opened(page: Page, server: Server, path: str) -> tuple[float, float]:
    """Return milliseconds from the navigation to the first numbers, and seconds of the server's processor."""
    before = server.seconds()
    page.goto(server.address + path)
    page.wait_for_function("() => window.shownAt")
    return float(page.evaluate("window.shownAt")), server.seconds() - before


def loaded(page: Page, server: Server, path: str) -> float:
    page.goto(server.address + path)
    return float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))


def measure_pages(study: StudyFolder, again: StudyFolder) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.add_init_script(_WATCH)
        with served(study) as server:
            page.goto(f"{server.address}/?token={server.token}")
            time.sleep(_SETTLE_S)
            names = [row.get_attribute("href") for row in page.locator(".worklist tbody a").all()]
            scans = [str(name) for name in names if str(name).endswith("scan")]
            said("an empty page", [loaded(page, server, "/static/icon.svg") for _ in range(9)], "-")
            said("the worklist", [loaded(page, server, "/") for _ in range(9)], "700 ms")
            size = len(page.content().encode())
            print(f"{'patients and bytes of the worklist':46}{len(names):9} {size} bytes  aim 200 kB")
            # From the middle of the list, one that nobody could foresee; then one after the other.
            found = [opened(page, server, path) for path in scans[-1:20:-4][:9]]
            said("a scan never opened, to its first ratios", *_apart(found, "700 ms"))
            found = []
            for path in scans[:9]:
                time.sleep(_SETTLE_S)  # a person looks longer
                found.append(opened(page, server, path))
            said("the next scan of the list, to its ratios", *_apart(found, "700 ms"))
            page.click("#draw")
            page.wait_for_selector(".corner")
            page.wait_for_function("() => !document.body.dataset.asking")
            time.sleep(_SETTLE_S)
            said("a region moved, to all six ratios", *_apart(_moves(page, server), "60 ms"))
            print(f"{'updates a second of a region on the move':46}{page.evaluate(_DRAGGED, 3):9.1f}  aim 12")
        with served(again) as server:
            page.goto(f"{server.address}/?token={server.token}")
            judge_trials(page, server, again)
        browser.close()


def _apart(found: list[tuple[float, float]], aim: str) -> tuple[list[float], str, list[float]]:
    return [one for one, _ in found], aim, [one for _, one in found]


def _moves(page: Page, server: Server) -> list[tuple[float, float]]:
    found = []
    for n in range(40):
        before = server.seconds()
        clock = float(page.evaluate(_MOVED, "ArrowLeft" if n % 8 < 4 else "ArrowRight"))
        found.append((clock, server.seconds() - before))
    # A tick of the processor's clock is 10 ms: the mean of all says more than the median.
    mean = statistics.fmean(one for _, one in found)
    return [(clock, mean) for clock, _ in found]


def study_of_trials(folder: Path) -> StudyFolder:
    """Write a small study in which one patient has a recording of more than a hundred trials."""
    made = make_demo_study(folder / "trials", patients=3, jobs=1)
    pre = make_demo_recordings(folder / "emg", trials=30).pre[0]
    target = made.root / "sub-001" / _HUNDRED / "emg"
    target.mkdir(parents=True)
    for path in pre.parent.glob(f"{pre.name.removesuffix('_emg.edf')}*"):
        shutil.copy(path, target / path.name.replace("ses-pre", _HUNDRED))
    run_study(made.root, jobs=1)
    return made


def judge_trials(page: Page, server: Server, study: StudyFolder, *, trials: int = 100) -> None:
    """Judge a hundred trials by keyboard, save, run, and run again from nothing."""
    patient, session = "sub-001", _HUNDRED
    page.goto(f"{server.address}/patients/{patient}/{session}/trials")
    page.wait_for_function("() => window.shownAt")
    begun = time.perf_counter()
    for n in range(trials):
        if n % 9 == 0:
            page.keyboard.press("r")
        if n % 14 == 0:
            page.keyboard.press("ArrowRight")
        page.keyboard.press("j")
    page.wait_for_function("() => !document.body.dataset.asking")
    page.fill("form.save [name=who]", "NM")
    page.fill("form.save [name=why]", "looked at each")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.pending').textContent.startsWith('Nothing')")
    took = time.perf_counter() - begun
    decided = len(read_decisions(study, patient))
    records = []
    for _ in range(2):
        run_study(study.root, jobs=1)
        record = stored_record(study, patient)
        assert record is not None
        records.append(json.dumps(record["recordings"][session], sort_keys=True))
        shutil.rmtree(study.derivatives)
    same = "identical" if records[0] == records[1] else "DIFFERENT"
    name = f"{trials} trials by keyboard, {decided} decisions"
    print(f"{name:46}{took:9.1f} s   run twice: {same}  aim 120 s")


def kill_while_saving(study: StudyFolder, kills: int) -> None:
    """Kill the server at random moments while it saves, and count what is lost of what it said was kept."""
    patient, rng = study.patients()[0], random.Random(1)
    kept = lost = halves = 0
    for _ in range(kills):
        with served(study) as server:
            said_kept = _saved_until(server, study, patient, rng.uniform(0.0, 0.5))
            server.process.wait()
        log = read_log(study, patient)
        kept += len(said_kept)
        lost += len(set(said_kept) - set(log.hashes))
        halves += len(log.problems)
    print(
        f"{f'{kills} kills, {kept} decisions said to be kept':46}{lost:9} lost, {halves} half lines  aim 0, 0"
    )


def _saved_until(server: Server, study: StudyFolder, patient: str, kill_after_s: float) -> list[str]:
    killer = threading.Timer(kill_after_s, server.process.kill)
    kept: list[str] = []
    head = (read_log(study, patient).hashes or ("",))[-1]
    try:
        for n in range(10_000):
            draft = {"kind": "note", "about": "", "value": f"note {n}"}
            body = {"session": "", "drafts": [draft], "who": "NM", "why": "a test", "seen": head}
            head = _posted(server, patient, body)
            kept.append(head)
            if n == 0:  # from now on it may come at any moment, also within a save
                killer.start()
    except (OSError, http.client.HTTPException):
        pass
    return kept


def _posted(server: Server, patient: str, body: dict[str, Any]) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    headers = {"cookie": f"sudeck-{server.port}={server.token}", "origin": server.address}
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
        measure_pages(study, study_of_trials(Path(folder)))
        kill_while_saving(study, asked.kills)


if __name__ == "__main__":
    main()
