"""A person at the review pages, without a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sudeck.study.folder.decisions import read_log
from sudeck.study.folder.layout import StudyFolder

if TYPE_CHECKING:
    from starlette.testclient import TestClient

PORT = 8765
TOKEN = "a token for tests"
ADDRESS = f"http://127.0.0.1:{PORT}"
EMG_SESSION = "ses-emg"


@dataclass(frozen=True)
class Reader:
    """A person at the pages, without a browser."""

    client: TestClient
    study: StudyFolder

    def ask(self, path: str, drafts: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
        answer = self.client.post(f"/api/{path}", json={"drafts": drafts or [], **more})
        found: dict[str, Any] = answer.json()
        return found | {"status": answer.status_code}

    def save(
        self, patient: str, session: str, drafts: list[dict[str, Any]], *, seen: str | None = None
    ) -> dict[str, Any]:
        if seen is None:
            seen = self.head(patient)
        content = {"session": session, "who": "NM", "why": "looked at", "seen": seen}
        return self.ask(f"{patient}/decisions", drafts, **content)

    def head(self, patient: str) -> str:
        hashes = read_log(self.study, patient).hashes
        return hashes[-1] if hashes else ""
