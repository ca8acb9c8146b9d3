"""A REDCap project asked over its API, here a stand-in on this computer, and one made from our dictionary."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs

import pytest

from sudeck.core.errors import InputError
from sudeck.study.folder.dictionary import redcap_dictionary
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.tables import read_tables
from sudeck.study.imports.import_redcap import import_redcap
from sudeck.study.imports.redcap_pull import pull_project

TOKEN = "0123456789ABCDEF0123456789abcdef"
# As a project made from our dictionary exports it: one row a record, event-less, forms that repeat.
EXPORT = """participant_id,redcap_repeat_instrument,redcap_repeat_instance,age,sex,limb,affected_side,\
onset_date,pain_visit,pain_day,pain_nrs,lab_day,lab_test,lab_value
sub-001,,,44,F,hand,right,02/03/2024,,,,,,
sub-001,pain,1,,,,,,baseline,0,7,,,
sub-001,pain,2,,,,,,day 5,5,3,,,
sub-001,labs,1,,,,,,,,,1,urine_cytology,0
"""


class StandIn(BaseHTTPRequestHandler):
    """Answers as REDCap does, and remembers what it was asked."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        content = body["content"][0]
        self.asked.append(content)
        if content == "record":  # the map names events by their unique names
            assert body["eventName"] == ["unique"]
        names = [line.split(",")[0] for line in redcap_dictionary().splitlines()[1:]]
        described = json.dumps([{"field_name": name, "form_name": "all"} for name in names])
        metadata = described if body["format"] == ["json"] else redcap_dictionary()
        known = {"record": EXPORT, "metadata": metadata}
        good = body["token"] == [TOKEN] and self.path == "/redcap/api/"
        self.send_response(200 if good else 403)
        self.end_headers()
        refusal = "error\nYou do not have permissions to use the API"
        self.wfile.write((known.get(content, refusal) if good else refusal).encode())

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def address() -> Iterator[str]:
    StandIn.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), StandIn)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/redcap/api/"
    server.shutdown()
    thread.join()
    server.server_close()


def maps_of(study: StudyFolder, text: str) -> Path:
    """Return the map of the study, cut to the columns that the export has."""
    whole = (study.root / "redcap" / "redcap_map.toml").read_text(encoding="utf-8")
    header = text.splitlines()[0].split(",")
    kept = [
        line
        for line in whole.splitlines()
        if " = " not in line or any(f'"{name}"' in line for name in header)
    ]
    filled = "\n".join(kept)
    sections = [part for part in filled.split("\n\n") if " = " in part]
    place = study.root.parent / "map.toml"
    place.write_text("\n\n".join(sections), encoding="utf-8")
    return place


def test_a_project_is_pulled_and_imported(study: StudyFolder, address: str, tmp_path: Path) -> None:
    pytest.importorskip("redcap", reason="needs PyCap")
    export, dictionary = pull_project(address, TOKEN, tmp_path)
    assert set(StandIn.asked) == {"record", "metadata"}
    plan = maps_of(study, EXPORT)
    dry = import_redcap(study, export, map_file=plan, dictionary=dictionary, dry_run=True)
    assert not read_tables(study)["pain"].rows
    done = import_redcap(study, export, map_file=plan, dictionary=dictionary, key=dry.key)
    assert [row.action for row in done.rows] == ["added"] * 4
    tables = read_tables(study)
    assert [row["nrs"] for row in tables["pain"].rows] == [7, 3]
    (lab,) = tables["labs"].rows
    assert lab["test"] == "urine-cytology"
    (person,) = tables["participants"].rows
    assert person["onset_date"] == date(2024, 3, 2) + done.key.shift("sub-001")


def test_a_refused_token_is_in_no_message(address: str, tmp_path: Path) -> None:
    pytest.importorskip("redcap", reason="needs PyCap")
    other = TOKEN[::-1]
    with pytest.raises(InputError) as refusal:
        pull_project(address, other, tmp_path)
    assert other not in str(refusal.value)
    assert not (tmp_path / "export.csv").exists()


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("http://redcap.example.org/api/", TOKEN, "https"),
        ("https://redcap.example.org/", TOKEN, "/api/"),
        ("https://redcap.example.org/api/", "", "REDCAP_TOKEN is not set"),
        ("https://redcap.example.org/api/", "my token", "REDCAP_TOKEN holds no token"),
    ],
)
def test_a_token_goes_nowhere_unless_address_and_token_are_sound(
    url: str, token: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        pull_project(url, token, tmp_path)


def test_an_export_saved_anew_with_the_month_first_is_refused(study: StudyFolder, tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_text(EXPORT.replace("02/03/2024", "02/23/2024"))
    with pytest.raises(InputError, match="month first"):
        import_redcap(study, export, map_file=maps_of(study, EXPORT), dry_run=True)
