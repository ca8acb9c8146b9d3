"""The server as a program: one a study, killed in the middle of its work, and started again."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sudeck.app.server import _listening, serve_review
from sudeck.core.errors import InputError
from sudeck.study.folder.create import create_study
from sudeck.study.folder.decisions import read_log
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import PARTICIPANTS

SERVE = (
    "import sys; from pathlib import Path; from sudeck.app.server import serve_review; "
    "serve_review(Path(sys.argv[1]), open_browser=False, announce=lambda text: print(text, flush=True))"
)


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    """One patient without files: what is saved here needs none."""
    made = create_study(tmp_path / "study").study
    with made.table_file("participants").open("a", encoding="utf-8") as table:
        table.write("\t".join(["sub-001", *["n/a"] * (len(PARTICIPANTS.columns) - 1)]) + "\n")
    return made


@contextmanager
def program(study: StudyFolder) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Run the server; gives its process, port and token."""
    command = [sys.executable, "-c", SERVE, str(study.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            given = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", process.stdout.readline())
            assert given is not None
            yield process, int(given[1]), given[2]
        finally:
            process.kill()


def save(port: int, token: str, head: str, text: str) -> str:
    drafts: list[dict[str, Any]] = [{"kind": "note", "about": "", "value": text}]
    body = {"session": "", "drafts": drafts, "who": "NM", "why": "a test", "seen": head}
    headers = {"cookie": f"sudeck-{port}={token}", "origin": f"http://127.0.0.1:{port}"}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", "/api/sub-001/decisions", json.dumps(body), headers)
        answer = connection.getresponse()
        assert answer.status == 200
        return str(json.loads(answer.read())["head"])


def test_a_second_review_of_a_study_says_so_and_a_killed_one_is_in_nobodys_way(study: StudyFolder) -> None:
    with program(study) as (process, _, _):
        with pytest.raises(InputError, match="another review of it is open"):
            serve_review(study.root, open_browser=False)
        process.kill()
        process.wait()
        with program(study) as (_, port, token):
            assert save(port, token, "", "after the kill")


def test_a_server_killed_while_it_saves_loses_nothing_it_said_it_kept(study: StudyFolder) -> None:
    with program(study) as (process, port, token):
        kept = [save(port, token, "", "first")]
        threading.Timer(0.15, process.kill).start()
        with contextlib.suppress(OSError, http.client.HTTPException):
            while process.poll() is None:
                kept.append(save(port, token, kept[-1], f"note {len(kept)}"))
    log = read_log(study, "sub-001")
    assert not log.problems
    assert set(kept) <= set(log.hashes)


def test_an_answer_is_sent_at_once(study: StudyFolder) -> None:
    with _listening(study, None) as listener:
        # The event loop looks at the protocol to decide whether small pieces may wait for each other.
        assert listener.proto == socket.IPPROTO_TCP
