"""File names that may name a person never get out; those that can not stay readable."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.study.measuring.neutral_names import neutral_names, neutralise


@pytest.mark.parametrize(
    "name",
    [
        "01_flow.dcm",
        "02_flow_and_pool.dcm",
        "sub-001_ses-pre_trials.tsv",
        "090500_static_3fa2b1.dcm",
        "IM00012",
    ],
)
def test_neutral_names_stay(name: str) -> None:
    assert neutral_names([Path(name)], "sub-001") == {}


@pytest.mark.parametrize(
    "name",
    ["dupont.dcm", "DUPONT_pool.dcm", "1961-02-03 müller.dcm", "K7304511.dcm", "19610203.dcm", "pool.anna"],
)
def test_others_are_replaced(name: str) -> None:
    instead = neutral_names([Path("01_flow.dcm"), Path(name)], "sub-001")
    assert instead[name].startswith("file-2")


def test_everywhere_in_a_record() -> None:
    instead = {"Ann & Co.dcm": "file-1.dcm", "Ann.dcm": "file-2.dcm"}
    record = {"Ann.dcm": ["in Ann & Co.dcm, twice Ann & Co.dcm", 3, None], "page": "<b>Ann &amp; Co.dcm</b>"}
    assert neutralise(record, instead) == {
        "file-2.dcm": ["in file-1.dcm, twice file-1.dcm", 3, None],
        "page": "<b>file-1.dcm</b>",
    }


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=12))
def test_no_name_survives(word: str) -> None:
    name = f"Dupont{word}.dcm"
    instead = neutral_names([Path(name)], "sub-001")
    assert name not in neutralise(f"{name}: the file is empty", instead)
