"""A whole folder of people, visits and sides: nothing pooled, one table over all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.mechanism.measure_table import tabulate_measures
from sudeck.report.tms.people import measure_people
from sudeck.tms.measurement import TmsSettings, measure_recordings
from sudeck.tms.measures_table import measures_rows, read_affected


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, two visits, two hemispheres, a file each: 10 test pulses and 10 pairs."""
    root = tmp_path_factory.mktemp("recordings")
    time_ms = np.arange(-100, 100, 0.25)
    wave = np.where((time_ms > 22) & (time_ms < 34), np.sin((time_ms - 22) * np.pi / 6), 0.0)
    rng = np.random.default_rng(7)
    for person in ("01", "02", "03"):
        for visit in ("pre", "post"):
            for side, other in (("left", "right"), ("right", "left")):
                path = root / f"sub-{person}/ses-{visit}/sub-{person}_ses-{visit}_{side}.npz"
                path.parent.mkdir(parents=True, exist_ok=True)
                ratio = 0.4 if visit == "pre" else 0.8
                size = np.repeat([1.0, ratio], 10) * np.exp(0.3 * rng.standard_normal(20))
                np.savez(
                    path, emg=0.5 * size[:, None] * wave + rng.normal(0, 0.003, (20, wave.size)), t=time_ms
                )
                given = {"unit": "mV", "rate_hz": 4000, "pulse_ms": 100, "channel": "FDI", "test_rmt": 120}
                given |= {"hemisphere": side, "muscle_side": other, "state": "rest", "conditioning_rmt": 80}
                given |= {"isi_ms": [None] * 10 + [2.5] * 10}
                path.with_suffix(".json").write_text(json.dumps(given))
    return root


def test_each_person_has_a_folder_and_one_table_holds_all(folder: Path, tmp_path: Path) -> None:
    sides = tmp_path / "participants.tsv"
    sides.write_text("participant_id\taffected_side\nsub-01\tright\nsub-02\tleft\nsub-03\tn/a\n")
    given: list[tuple[int, int]] = []
    result = measure_people(
        [folder], settings=TmsSettings(), out=tmp_path / "out", jobs=2, affected=read_affected(sides),
        progress=lambda done, total, left: given.append((done, total)),
    )  # fmt: skip
    assert given == [(1, 3), (2, 3), (3, 3)]
    assert {(g.participant, g.visit, g.hemisphere) for g in result.groups} == {
        (f"sub-{person}", visit, side)
        for person in ("01", "02", "03")
        for visit in ("pre", "post")
        for side in ("left", "right")
    }
    alone = measure_recordings(folder)
    assert [m.to_dict() for m in result.estimates] == [m.to_dict() for m in alone.estimates]
    table = pd.read_csv(tmp_path / "out/measures.tsv", sep="\t")
    sici = table[(table.measure == "SICI") & (table.visit == "pre")]
    assert dict(zip(zip(sici.participant_id, sici.side, strict=True), sici.hemisphere, strict=True)) == {
        ("sub-01", "left"): "pain", ("sub-01", "right"): "other",
        ("sub-02", "left"): "other", ("sub-02", "right"): "pain",
        ("sub-03", "left"): "left", ("sub-03", "right"): "right",
    }  # fmt: skip
    read = tabulate_measures(table)
    assert {"SICI", "MEP"} <= set(read.measures)
    assert any(flag.code == "side-unknown" for flag in read.flags)
    for person in ("01", "02", "03"):
        own = tmp_path / f"out/sub-{person}"
        assert set(pd.read_csv(own / "measures.tsv", sep="\t").participant_id) == {f"sub-{person}"}
        assert (own / "report.html").is_file()
        assert (own / "tms.json").is_file()
    # What was written is no recording.
    with pytest.raises(InputError):
        measure_recordings(tmp_path / "out")


def test_one_bad_person_stops_nobody(folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "sub-09/sub-09_left.npz"
    bad.parent.mkdir()
    bad.write_bytes(b"PK\x03\x04 no archive")
    result = measure_people([folder / "sub-01", bad], settings=TmsSettings(), jobs=1)
    assert {group.participant for group in result.groups} == {"sub-01"}
    assert any(flag.code == "recording-refused" for flag in result.flags)
    with pytest.raises(InputError):
        measure_people([bad], settings=TmsSettings())


def test_no_two_rows_have_one_name(folder: Path) -> None:
    estimates = measure_recordings(folder / "sub-01").estimates
    rows = measures_rows(estimates)
    assert {row["measure"] for row in rows} >= {"SICI", "SICI ratio of means", "MEP", "MEP latency"}
    from dataclasses import replace

    twice = [*estimates, *(replace(one, isi_ms=3.0) for one in estimates if one.measure == "SICI")]
    rows = measures_rows(twice)
    keys = [(row["participant_id"], row["visit"], row["hemisphere"], row["measure"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert {"SICI_2.5", "SICI_3"} <= {row["measure"] for row in rows}
