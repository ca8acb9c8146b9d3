from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.storage import to_json
from sudeck.tms.measurement import measure_recordings
from sudeck.tms.measures.measured import Measured
from sudeck.tms.retest import read_retest, scale_of
from sudeck.tms.saved import is_saved_result, read_measures


def test_what_was_written_is_read_back(tmp_path) -> None:
    rng = np.random.default_rng(0)
    intensity = np.repeat(np.arange(40, 70, 3), 5)
    amplitude = 0.01 + 2 / (1 + np.exp((55 - intensity) / 3)) * np.exp(0.4 * rng.standard_normal(50))
    rows = [f"{x},{y:.4f},left,FDI" for x, y in zip(intensity, amplitude, strict=True)]
    table = tmp_path / "t.csv"
    table.write_text("intensity_mso,amplitude_mv,hemisphere,muscle\n" + "\n".join(rows) + "\n")
    result = measure_recordings(table)
    result.write(tmp_path / "out")
    assert is_saved_result(tmp_path / "out")
    read = read_measures(tmp_path / "out")
    assert [one.to_dict() for one in read] == [one.to_dict() for one in result.estimates]


def test_open_bounds_stay_open(tmp_path) -> None:
    bounds = [
        Measured("MEPmax", "left", "FDI", Estimate("MEPmax", 2.0, 1.5, math.inf, unit="mV")),
        Measured("SICI", "left", "FDI", Estimate("SICI", 0.2, 0.0, math.inf, scale="log"), isi_ms=2.5),
        Measured("x", None, "FDI", Estimate("x", 1.0, -math.inf, 2.0)),
    ]
    (tmp_path / "tms.json").write_text(to_json({"estimates": [one.to_dict() for one in bounds]}))
    read = [one.estimate for one in read_measures(tmp_path)]
    assert [(e.low, e.high) for e in read] == [(1.5, math.inf), (0.0, math.inf), (-math.inf, 2.0)]


@given(st.one_of(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(str)))
def test_anything_else_is_refused(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.mktemp("x") / "tms.json"
    path.write_text('{"estimates": [' + text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(InputError):
        read_measures(path)
    path.unlink()
    with pytest.raises(InputError, match="no tms"):
        read_measures(path)


def test_errors_between_sessions_are_read_by_measure(tmp_path) -> None:
    path = tmp_path / "retest.tsv"
    rows = [
        "SICI\t0.5\t0.6",
        "SICI\t0.4\t0.35",
        "SICI\t0.7\t0.6",
        "RMT\t45\t46",
        "RMT\t50\t49",
        "RMT\t60\t61",
    ]
    path.write_text("measure\tfirst\tsecond\n" + "\n".join(rows) + "\n")
    errors = read_retest(path)
    before, after = np.log([0.5, 0.4, 0.7]), np.log([0.6, 0.35, 0.6])
    assert errors["SICI"].sd == pytest.approx((after - before).std(ddof=1) / math.sqrt(2))
    assert (errors["SICI"].scale, errors["RMT"].scale) == ("log", "linear")
    assert scale_of("MEP") == "log"
    for text, said in (
        ("measure\tfirst\n", "no column"),
        ("measure\tfirst\tsecond\nSICI\tx\t1\n", "no number"),
        ("measure\tfirst\tsecond\nSICI\t1\t1\n", "fewer than three"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=said):
            read_retest(path)
    with pytest.raises(InputError, match="no such file"):
        read_retest(tmp_path / "absent.tsv")
