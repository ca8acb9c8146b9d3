"""Events and protocols given one a recording, or lying beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sudeck.core.errors import InputError
from sudeck.report.tms.people import measure_people
from sudeck.tms.measurement import TmsSettings, measure_recordings
from sudeck.tms.recordings.companions import given_for

ROWS = 8


def recording(folder: Path, name: str) -> Path:
    """Write a table of amplitudes that says nothing of its pulses but their conditions."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"{1.0 + 0.05 * i}\tA" for i in range(ROWS)] + [f"{0.5 + 0.025 * i}\tB" for i in range(ROWS)]
    path = folder / name
    path.write_text("\n".join(["amplitude_mv\ttrial_type", *rows]) + "\n")
    return path


def protocol(folder: Path, name: str, hemisphere: str, *, other: str = "") -> Path:
    path = folder / name
    extra = f"[conditions.{other}]\ntest_rmt = 110\n" if other else ""
    path.write_text(
        f"hemisphere = '{hemisphere}'\nmuscle = 'FDI'\n[conditions.A]\nkind = 'single'\ntest_rmt = 120\n"
        f"[conditions.B]\nisi_ms = 2.5\nconditioning_rmt = 80\ntest_rmt = 120\n{extra}"
    )
    return path


def test_each_recording_has_its_own_protocol(tmp_path: Path) -> None:
    files = [recording(tmp_path, name) for name in ("l_trials.tsv", "r_trials.tsv")]
    stated = {
        files[0].name: protocol(tmp_path, "l.toml", "left"),
        files[1].name: protocol(tmp_path, "r.toml", "right"),
    }
    result = measure_recordings(files, protocol=stated)
    assert [group.hemisphere for group in result.groups] == ["left", "right"]
    assert [one.estimate.value for one in result.find("SICI")] == pytest.approx([0.5, 0.5])
    with pytest.raises(InputError, match=r"x\.tsv: no recording is called so"):
        measure_recordings(files, protocol={"x.tsv": tmp_path / "l.toml"})


def test_what_lies_beside_a_recording_is_for_it_alone(tmp_path: Path) -> None:
    files = [recording(tmp_path, name) for name in ("l_trials.tsv", "r_trials.tsv")]
    protocol(tmp_path, "l_trials_protocol.toml", "left")
    result = measure_recordings(tmp_path)
    assert [group.hemisphere for group in result.groups] == ["left", None]
    other = protocol(tmp_path, "other.toml", "right")
    given = measure_recordings(files, protocol=other)
    assert {group.hemisphere for group in given.groups} == {"right"}


def test_people_in_processes_get_their_own(tmp_path: Path) -> None:
    paths = [recording(tmp_path / f"sub-0{i}", "a_trials.tsv") for i in (1, 2)]
    stated = {
        f"sub-0{i}/a_trials.tsv": protocol(tmp_path, f"{i}.toml", side)
        for i, side in ((1, "left"), (2, "right"))
    }
    result = measure_people([tmp_path], settings=TmsSettings(), protocol=stated)
    assert {(group.participant, group.hemisphere) for group in result.groups} == {
        ("sub-01", "left"), ("sub-02", "right"),
    }  # fmt: skip
    with pytest.raises(InputError, match="2 recordings are called so"):
        measure_people(paths, settings=TmsSettings(), protocol={"a_trials.tsv": tmp_path / "sub-01.toml"})


def test_a_name_is_unused_only_where_no_recording_has_it(tmp_path: Path) -> None:
    files = [recording(tmp_path, name) for name in ("l_trials.tsv", "r_trials.tsv")]
    files[1].write_text(files[1].read_text().replace("\tB", "\tC"))
    stated = protocol(tmp_path, "p.toml", "left", other="C")
    codes = [flag.code for flag in measure_recordings(files, protocol=stated).flags]
    assert "condition-unmatched" not in codes
    stated = protocol(tmp_path, "p.toml", "left", other="D")
    unused = [f for f in measure_recordings(files, protocol=stated).flags if f.code == "condition-unmatched"]
    assert len(unused) == 1
    assert "of D is not used" in unused[0].message


def test_an_option_gives_one_for_all_or_one_a_recording(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not say for which"):
        given_for(["a.cfs=a.tsv", "b.tsv"])
    with pytest.raises(InputError, match="two were given"):
        given_for(["a.cfs=a.tsv", "a.cfs=b.tsv"])
    odd = tmp_path / "a=b.tsv"
    odd.touch()
    assert given_for([str(odd)]) == odd
