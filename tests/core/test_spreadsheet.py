"""Workbooks give every row they hold, and damaged or oversized ones a sentence."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from sudeck.core.errors import InputError
from sudeck.core.limits import SETTING, memory_allowed
from sudeck.core.spreadsheet import read_sheets

openpyxl = pytest.importorskip("openpyxl")


def workbook(path: Path, n_rows: int, *, dimension: str | None = None) -> Path:
    """Write a workbook of two columns; its sheet may state another size than it has."""
    book = openpyxl.Workbook()
    book.active.append(["trial", "mep_amplitude_uv"])
    for row in range(n_rows):
        book.active.append([row + 1, 100.0 + row])
    book.save(path)
    if dimension is not None:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        sheet = "xl/worksheets/sheet1.xml"
        stated = f'ref="A1:B{n_rows + 1}"'.encode()
        assert stated in parts[sheet]
        parts[sheet] = parts[sheet].replace(stated, f'ref="{dimension}"'.encode())
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
    return path


@pytest.mark.parametrize("dimension", ["A1:B3", "A1", "A1:A21", "A1:ZZ900"])
def test_every_row_is_read_whatever_size_the_sheet_states(tmp_path: Path, dimension: str) -> None:
    (sheet,) = read_sheets(workbook(tmp_path / "a.xlsx", 20, dimension=dimension))
    assert [cells[0] for _, cells in sheet.rows[1:]] == list(range(1, 21))
    assert sheet.rows[20] == (21, (20, 119.0))


def test_rows_keep_their_number_where_others_are_empty(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B4"] = "a", 2
    book.save(tmp_path / "a.xlsx")
    assert read_sheets(tmp_path / "a.xlsx")[0].rows == ((1, ("a",)), (4, (None, 2)))


def test_a_formula_nobody_worked_out_is_no_empty_cell(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["participant_id", "BPr"])
    book.active.append(["sub-001", "=1 + 0.3"])  # as a program writes it: no value until Excel saves it
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="cell B2 of sheet 'Sheet' holds a formula"):
        read_sheets(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("saved", "value"),
    [
        (b'<c r="B2"><f>1+0.3</f><v>1.3</v></c>', 1.3),
        (b'<c r="B2" t="str"><f>IF(A1="","",A1)</f><v></v></c>', None),
    ],
)
def test_a_formula_reads_as_what_it_gave_when_the_workbook_was_saved(
    tmp_path: Path, saved: bytes, value: float | None
) -> None:
    with zipfile.ZipFile(workbook(tmp_path / "a.xlsx", 1)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    before = b'<c r="B2" t="n"><v>100</v></c>'
    assert before in parts[sheet]
    parts[sheet] = parts[sheet].replace(before, saved)
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    cells = read_sheets(tmp_path / "b.xlsx")[0].rows[1][1]
    assert cells == ((1,) if value is None else (1, value))


def test_a_damaged_workbook_is_refused_in_a_sentence(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "a.xlsx", 5).read_bytes()
    for at in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[at] ^= 0x5A
        (tmp_path / "b.xlsx").write_bytes(damaged)
        with suppress(InputError):
            read_sheets(tmp_path / "b.xlsx")


def test_a_workbook_that_unpacks_to_gigabytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 3_000_000)
    monkeypatch.setenv(SETTING, "0.01")
    with pytest.raises(InputError, match=f"set {SETTING}=1"):
        read_sheets(tmp_path / "a.xlsx")


def test_the_limit_of_memory_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "much")
    with pytest.raises(InputError, match="no number of gigabytes"):
        memory_allowed(1)
