"""Who may ask the server, and what it gives away."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from sudeck.app.server import review_app
from sudeck.study.folder.layout import StudyFolder
from support.reviewing import ADDRESS, PORT, TOKEN, Reader


@pytest.fixture
def stranger(study: StudyFolder) -> TestClient:
    return TestClient(review_app(study, token=TOKEN, port=PORT), base_url=ADDRESS)


def test_without_the_token_nothing_is_given(stranger: TestClient) -> None:
    for path in ("/", "/patients/sub-001", "/static/review.css", "/api/sub-001/ses-pre/scan/outline"):
        assert stranger.get(path).status_code == 403
    assert stranger.get("/", params={"token": "guessed"}).status_code == 403


def test_the_token_leaves_the_address(stranger: TestClient) -> None:
    answer = stranger.get("/", params={"token": TOKEN}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", f"evil.example:{PORT}", ""])
def test_a_foreign_host_is_refused(reader: Reader, host: str) -> None:
    assert reader.client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"http://127.0.0.1:{PORT + 1}", ""])
def test_a_page_of_another_site_is_refused(reader: Reader, origin: str) -> None:
    drafts = {"drafts": [{"kind": "side", "value": "left"}], "who": "x", "why": "x", "seen": ""}
    answer = reader.client.post("/api/sub-001/decisions", json=drafts, headers={"origin": origin})
    assert answer.status_code == 403
    assert not reader.study.decisions.joinpath("sub-001.jsonl").exists()


@pytest.mark.parametrize(
    "path",
    [
        "/patients/..%2f..%2fetc",
        "/patients/sub-999",
        "/patients/sub-001/ses-none/scan",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/reports/sub-001/..%2fscan.tsv",
        "/reports/sub-001/sub-001.json",
        "/reports/sub-002/..%2fsub-001%2fses-pre_scan.html",
    ],
)
def test_paths_outside_the_study_are_not_there(reader: Reader, path: str) -> None:
    assert reader.client.get(path).status_code == 404


def test_a_link_out_of_the_study_is_not_followed(reader: Reader) -> None:
    folder = reader.study.patient_derivatives("sub-001")
    record = folder / "sub-001.json"
    named = '"files": ["out.html", '
    record.write_text(record.read_text(encoding="utf-8").replace('"files": [', named), encoding="utf-8")
    (folder / "out.html").symlink_to(reader.study.settings_file)
    assert reader.client.get("/reports/sub-001/out.html").status_code == 404


def test_every_page_allows_scripts_and_styles_of_its_own_alone(reader: Reader) -> None:
    for path in (
        "/",
        "/patients/sub-001",
        "/patients/sub-001/ses-pre/scan",
        "/patients/sub-001/ses-emg/trials",
    ):
        answer = reader.client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert " style=" not in answer.text
        assert " onclick=" not in answer.text
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_body_beyond_reason_is_not_read(reader: Reader) -> None:
    answer = reader.client.post("/api/sub-001/ses-pre/scan", content=b" " * (2 << 20))
    assert answer.status_code == 413


def test_names_of_files_that_may_name_a_person_are_not_shown(reader: Reader) -> None:
    folder = reader.study.scan_folder("sub-001", "ses-pre")
    (folder / "02_pool.dcm").rename(folder / "dupontel_jehanne_pool.dcm")
    shown = reader.client.get("/patients/sub-001/ses-pre/scan").text
    shown += reader.client.post("/api/sub-001/ses-pre/scan", json={"drafts": []}).text
    shown += reader.client.post("/api/sub-001/ses-pre/scan/measure", json={"drafts": []}).text
    assert "dupontel" not in shown.lower()
