"""`sudeck circuit`, as a user types it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sudeck.circuit.drugs import ARMS, SHIFTS, SYNAPSES
from sudeck.cli.app import app
from sudeck.core.errors import InputError
from sudeck.report.circuit.words import change_text


def _run(*words: str) -> str:
    result = CliRunner().invoke(app, ["circuit", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.mark.usefixtures("numba_installed")
def test_simulate_prints_a_table_and_writes_a_figure(tmp_path: Path) -> None:
    figure = tmp_path / "rmt.png"
    text = _run("simulate", "--protocol", "rmt", "--nmda", "0.6", "--out", str(figure))
    assert "RMT" in text
    assert "NMDA on pyramidal cells ×0.6" in text
    assert figure.read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("numba_installed")
def test_what_some_circuits_do_not_show_is_counted(tmp_path: Path) -> None:
    """In two circuits no test pulse makes up for LICI: a range over the others, and no traceback."""
    figure = tmp_path / "triple.png"
    text = " ".join(_run("simulate", "--protocol", "triple", "--out", str(figure)).split())
    assert "SICI with LICI: only 24 show it." in text
    assert "nan" not in text
    assert figure.is_file()


def test_every_change_has_words() -> None:
    for name in (*SYNAPSES, *SHIFTS):
        text = change_text({name: 1.5})
        assert "_" not in text
        assert text.endswith("+1.5" if name in SHIFTS else "×1.5")
    for arm in ARMS.values():
        assert not re.search(r"(?<!GABA-)\b[ABEP]\b|`", arm.source), arm.source


@pytest.mark.usefixtures("numba_installed")
def test_figures_of_other_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="png"):
        _run("simulate", "--protocol", "rmt", "--out", str(tmp_path / "figure.bmp"))


@pytest.mark.usefixtures("numba_installed")
def test_an_unstable_change_is_refused() -> None:
    with pytest.raises(InputError, match="Circuit"):
        _run("simulate", "--protocol", "rmt", "--nmda", "10", "--gaba-a", "0")


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.tsv").write_text("")
    with pytest.raises(InputError, match="table"):
        _run("fit", str(tmp_path / "empty.tsv"))


def test_a_table_without_a_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short.tsv").write_text("participant_id\tvisit\nsub-1\tpre\n")
    with pytest.raises(InputError, match="hemisphere"):
        _run("fit", str(tmp_path / "short.tsv"))
