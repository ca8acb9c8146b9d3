"""The console table keeps to 80 columns, to plain text in a pipe, and to the encoding of the output."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from sudeck.core.flags import Flag
from sudeck.report.scan.console import print_scan
from sudeck.scan.result import ScanResult


def printed(result: ScanResult, *, encoding: str = "utf-8", written: str = "", **options: bool) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    print_scan(result, written=written, console=Console(file=stream, width=80, highlight=False, **options))
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_six_ratios_in_eighty_plain_columns(result: ScanResult) -> None:
    text = printed(result)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    verdicts = result.verdicts()
    for name, estimate in result.estimates.items():
        line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
        assert f"{estimate.value:.3f}" in line
        assert f"{estimate.low:.3f} to {estimate.high:.3f}" in line
        if name in verdicts:
            assert f"{verdicts[name].cutoff:.3f}" in line
            assert ("yes" if verdicts[name].exceeded else "no") in line.split()
            assert "%" in line


def test_colour_only_on_a_terminal(result: ScanResult) -> None:
    assert "\x1b[" in printed(result, force_terminal=True)


def test_refusals_flags_and_the_place_of_results_are_said(result: ScanResult) -> None:
    flag = Flag(
        "x", "A finding that is long enough to need more than a single line of the console.", "serious"
    )
    reason = "No usable image of the [bold]bone[/bold] phase was found."
    partial = replace(
        result,
        estimates={"VPr": result.estimates["VPr"]},
        refused={"BPr": reason},
        flags=(Flag("y", "A remark.", "info"), flag),
    )
    text = printed(partial, written="results/scan.json")
    assert f"BPr not measured: {reason}" in text
    assert "serious: A finding" in text
    assert text.index("serious:") < text.index("info:")
    assert text.endswith("Results: results/scan.json\n")
    assert max(map(len, text.splitlines())) <= 80


def test_a_long_path_stays_on_one_line(result: ScanResult) -> None:
    path = "/".join(["a-folder"] * 15)
    assert f"Results: {path}\n" in printed(result, written=path)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_old_encodings_lose_letters_but_not_the_table(result: ScanResult, encoding: str) -> None:
    flag = Flag("x", "Zoë’s 北 file \udcff\x1b[2J.", "caution")
    text = printed(replace(result, flags=(flag,)), encoding=encoding, written="Zoë/北")
    assert "VPr" in text
    assert "\x1b" not in text
