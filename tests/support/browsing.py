"""The review pages in a real browser: a server in a thread, the system's Chromium, numbers off the page."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sudeck.study.folder.layout import StudyFolder

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
TOKEN = "a token for tests"


@dataclass(frozen=True)
class Visitor:
    """A person with a browser: one page, already let in."""

    page: Page
    address: str
    study: StudyFolder

    def open(self, path: str) -> None:
        """Open a page and wait until it has measured."""
        self.page.goto(self.address + path)
        if path.endswith(("scan", "trials")):
            self.page.wait_for_selector("body[data-ready]")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def ratios(self) -> dict[str, float]:
        """The ratios that the page shows, with every digit it was given."""
        self.settled()
        rows = self.page.locator("tr[data-ratio]").all()
        return {
            str(row.get_attribute("data-ratio")): float(str(row.get_attribute("data-value"))) for row in rows
        }

    def settled(self) -> None:
        """Wait until the page shows what was measured last."""
        self.page.wait_for_function("() => !document.body.dataset.asking", timeout=60_000)

    def save(self, why: str = "looked at", who: str = "NM") -> None:
        self.settled()
        self.page.fill("form.save [name=who]", who)
        self.page.fill("form.save [name=why]", why)
        self.page.click("form.save button.strong")

    def saved(self) -> None:
        self.page.wait_for_function(
            "() => document.querySelector('.pending').textContent.startsWith('Nothing')"
        )
        self.settled()

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()


@contextmanager
def serving(study: StudyFolder, **more: Any) -> Iterator[str]:
    """Serve the pages of a study from a thread; gives their address."""
    import uvicorn

    from sudeck.app.server import review_app

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        app = review_app(study, token=TOKEN, port=port, **more)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(timeout=10)
