"""The study folder as BIDS sees it; the official validator has the last word where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sudeck.study.folder.bids import IGNORE_FILE, keep_to_bids
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder

VALIDATOR = shutil.which("bids-validator-deno")


def test_the_table_of_participants_is_hidden_until_somebody_is_in_it(tmp_path: Path) -> None:
    study = create_study(tmp_path / "study").study
    place = study.root / IGNORE_FILE
    assert "participants.tsv" in place.read_text(encoding="utf-8")
    place.write_text(place.read_text(encoding="utf-8") + "notes/**\n", encoding="utf-8")
    keep_to_bids(study, ["sub-001", "../elsewhere"])
    lines = place.read_text(encoding="utf-8").splitlines()
    assert "participants.tsv" not in lines
    assert "notes/**" in lines
    assert not any(line.endswith("/") for line in lines)
    assert (study.root / "sub-001").is_dir()
    assert not (tmp_path / "elsewhere").exists()
    assert study.patients() == ()  # an empty folder is no patient with files


@pytest.mark.skipif(VALIDATOR is None, reason="bids-validator-deno is not installed")
@pytest.mark.parametrize("which", ["fresh", "filled"])
def test_the_official_validator_finds_no_error(
    tmp_path: Path, pixel_study: Path, copy_of: Callable[[Path], Path], which: str
) -> None:
    root = create_study(tmp_path / "fresh").study.root if which == "fresh" else copy_of(pixel_study)
    assert _errors(StudyFolder(root)) == []


def _errors(study: StudyFolder) -> list[str]:
    assert VALIDATOR is not None
    command = [VALIDATOR, "--format", "json", str(study.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    issues = json.loads(done.stdout)["issues"]["issues"]
    return [f"{one['code']} {one.get('location')}" for one in issues if one["severity"] == "error"]
