"""The guide to a first day, run literally: its files are written and its commands typed as they stand."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import SudeckError
from sudeck.study.folder.create import create_study

GUIDE = Path(__file__).parent.parent / "docs" / "first_day.md"
BLOCK = re.compile(r"(?:`(?P<file>[^`\n]+)`:\n\n)?```(?P<kind>sh|tsv)\n(?P<text>.*?)```", re.DOTALL)


def steps() -> Iterator[tuple[str, str]]:
    """Yield what is to be written, as (file, text), and what is to be typed, as ("", command)."""
    for block in BLOCK.finditer(GUIDE.read_text(encoding="utf-8")):
        if block["kind"] == "tsv":
            yield block["file"], block["text"]
        else:
            yield from (("", line) for line in block["text"].splitlines() if line)


def test_the_guide_leads_from_record_numbers_to_a_prediction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = {}
    for file, text in steps():
        if file:
            Path(file).write_text(text, encoding="utf-8")
            continue
        program, *words = shlex.split(text)
        assert program == "sudeck"
        done = CliRunner().invoke(app, words)
        assert not isinstance(done.exception, SudeckError), f"{text}: {done.exception}"
        assert done.exit_code == 0, f"{text}: {done.output}"
        said[words[0]] = done.output
    derivatives = tmp_path / "crps-study" / "derivatives" / "sudeck"
    prediction = json.loads((derivatives / "prediction.json").read_text(encoding="utf-8"))
    assert prediction["flow"]["analysed"] == 10
    assert prediction["flow"]["responders"] == 5
    assert prediction["model"] is None
    assert (derivatives / "report.html").is_file()
    participants = (tmp_path / "crps-study" / "participants.tsv").read_text(encoding="utf-8")
    assert "70145" not in participants
    assert "2023-11-20" not in participants
    assert "Published rule" in said["calculate"]
    assert "To correct" not in said["check"]
    assert "nobody has a score at week 4" in said["check"]


def test_the_readme_of_a_new_study_names_commands_and_options_that_are_there(tmp_path: Path) -> None:
    import typer

    readme = create_study(tmp_path / "my study").study.root / "README.md"
    typed = [
        line.strip() for line in readme.read_text(encoding="utf-8").splitlines() if line.startswith("    ")
    ]
    assert len(typed) > 10
    known = typer.main.get_command(app)
    for line in typed:
        words = shlex.split(line)
        command = known.commands[words[words.index("sudeck") + 1]]  # type: ignore[attr-defined]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line
        assert "my study" in words, line
