"""One scan without a study: the page, and the command that measures the same."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from sudeck.app.one_scan import PATIENT, keep_review, study_of_scan
from sudeck.app.server import review_app
from sudeck.cli.app import app as commands
from sudeck.core.errors import InputError
from sudeck.study.folder.layout import StudyFolder
from support.reviewing import ADDRESS, PORT, TOKEN, Reader

SCAN = f"{PATIENT}/ses-pre/scan"


def test_the_command_told_measures_what_the_page_shows(study: StudyFolder, tmp_path: Path) -> None:
    paths = [study.scan_folder("sub-001", "ses-pre")]
    kept: list[str] = []
    with study_of_scan(paths, affected="left", limb=None) as alone:
        keep = lambda: kept.append(keep_review(alone, paths, tmp_path, affected="left", limb=None))  # noqa: E731
        app = review_app(alone, token=TOKEN, port=PORT, saved=keep)
        with TestClient(app, base_url=ADDRESS, headers={"origin": ADDRESS}) as client:
            client.get("/", params={"token": TOKEN})
            reader = Reader(client, alone)
            assert "where the review was started" in client.get(f"/patients/{SCAN}").text
            region = reader.ask(f"{SCAN}/outline", name="whole")["region"]
            region = {**region, "points": [[x + 0.4, y] for x, y in region["points"]]}
            as_set = reader.ask(f"{SCAN}/measure")["poses"]["bone"]["as_set"]
            drafts = [
                {"kind": "region", "value": region},
                {"kind": "mirror", "value": {**as_set, "rotation_deg": as_set["rotation_deg"] + 1}},
                {"kind": "view", "value": "palmar"},
            ]
            shown = reader.ask(f"{SCAN}/measure", drafts)["result"]["estimates"]
            assert reader.save(PATIENT, "ses-pre", drafts)["status"] == 200
    assert not alone.root.exists()
    words = shlex.split(kept[-1])
    assert words[:2] == ["sudeck", "scan"]
    result = CliRunner().invoke(commands, [*words[1:], "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "out" / "scan.json").read_text())["estimates"] == shown


def test_a_scan_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="no such file"),
        study_of_scan([tmp_path / "x"], affected="left", limb=None),
    ):
        pass
    with (
        pytest.raises(InputError, match="no file is there"),
        study_of_scan([tmp_path], affected="left", limb=None),
    ):
        pass


def test_one_scan_needs_its_side(study: StudyFolder) -> None:
    path = study.scan_files("sub-001", "ses-pre")[0]
    result = CliRunner().invoke(commands, ["review", str(path)])
    assert result.exit_code != 0
    assert "affected side" in str(result.exception)
