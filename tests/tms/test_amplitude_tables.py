"""Tables of amplitudes as laboratories keep them: limits, words for nothing seen, titles, several columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.tms.measurement import measure_recordings
from sudeck.tms.readers.amplitudes import read
from sudeck.tms.readers.base import Hints

HEADING = "hemisphere,muscle,state,condition,isi_ms,test_mso,conditioning_mso,amplitude_mv"


def table(folder: Path, single: Sequence[object], paired: Sequence[object], isi: str = "2.5") -> Path:
    rows = [f"left,FDI,rest,single,n/a,55,n/a,{cell}" for cell in single]
    rows += [f"left,FDI,rest,SICI,{isi},55,38,{cell}" for cell in paired]
    path = folder / "a.csv"
    path.write_text("\n".join([HEADING, *rows]))
    return path


def test_amplitudes_below_a_limit_are_censored(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    single = np.exp(rng.normal(0.0, 0.3, 20))
    paired = 0.06 * np.exp(rng.normal(0.0, 0.5, 20))
    cells = [f"{x:.4f}" if x >= 0.05 else "<0.05" for x in paired]
    assert 4 < cells.count("<0.05") < 16
    whole = measure_recordings(table(tmp_path, single, [f"{x:.4f}" for x in paired])).find("SICI")[0].estimate
    result = measure_recordings(table(tmp_path, single, cells))
    censored = result.find("SICI")[0].estimate
    assert censored.value == pytest.approx(whole.value, rel=0.15)
    assert censored.low < whole.value < censored.high
    (flag,) = [flag for flag in result.flags if flag.code == "amplitudes-below-limit"]
    assert flag.value == cells.count("<0.05")
    assert result.trials[20 + cells.index("<0.05")]["below_mv"] == 0.05


def test_cells_that_are_no_amplitude_are_refused_once_with_their_rows(tmp_path: Path) -> None:
    path = table(tmp_path, ["0.9", "abc", "1.1", "-0.2"], ["0.4", "abc"])
    with pytest.raises(InputError) as refusal:
        measure_recordings(path)
    assert "'…' in rows 2, 6" in str(refusal.value)
    assert "'-0.2' (negative) in row 4" in str(refusal.value)


def test_words_for_nothing_seen_and_for_thrown_away(tmp_path: Path) -> None:
    (found,) = read(table(tmp_path, ["0.9", "no MEP", "excluded"], ["0,4", "#N/A"]), Hints())
    np.testing.assert_allclose(found.amplitude_mv[:3], [0.9, 0.0, np.nan])


def test_a_sample_number_is_no_time_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sample,EMG (mV)\n1,0.2\n2,0.3\n3,0.1\n")
    with pytest.raises(InputError, match="numbers samples"):
        measure_recordings(path)


def test_a_table_without_amplitudes_is_told_its_form(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("trial,result\n1,2\n2,3\n")
    with pytest.raises(InputError) as refusal:
        measure_recordings(path)
    assert "amplitude_mv" in refusal.value.paste


def test_means_below_the_trials_are_no_trials(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"single,FDI,{0.8 + 0.05 * i:.2f}" for i in range(8)]
    path.write_text("\n".join(["Lab 3", "", "condition,muscle,MEP (mV)", *rows, "Mean,,99", "SD,,9"]))
    (found,) = read(path, Hints())
    assert found.n_trials == 8
    assert "summary-rows" in {flag.code for flag in found.flags}


def test_a_column_a_muscle_gives_a_table_a_muscle(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("condition,FDI (mV),APB (mV)\nsingle,0.9,0.4\nsingle,1.1,0.5\n")
    assert [(t.pulses[0].muscle, t.amplitude_mv.tolist()) for t in read(path, Hints())] == [
        ("FDI", [0.9, 1.1]),
        ("APB", [0.4, 0.5]),
    ]


def test_trials_the_table_marks_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("condition,MEP (mV),rejected\nsingle,0.9,\nsingle,8,x\nsingle,1.1,\n")
    (found,) = read(path, Hints())
    np.testing.assert_allclose(found.amplitude_mv, [0.9, np.nan, 1.1])


def test_pairs_without_interval_are_named(tmp_path: Path) -> None:
    result = measure_recordings(table(tmp_path, [0.9, 1.0, 1.1] * 4, [0.4, 0.5, 0.3] * 4, isi="n/a"))
    assert "interval-not-stated" in {flag.code for flag in result.flags}
    (mep,) = result.find("MEP")
    assert mep.estimate.value == pytest.approx(1.0, abs=0.02)


def test_a_limit_above_the_criterion_hides_the_threshold(tmp_path: Path) -> None:
    rows = [f"left,FDI,rest,single,n/a,{mso},n/a,{'<0.1' if mso < 50 else 0.4}" for mso in range(40, 60)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADING, *rows]))
    result = measure_recordings(path)
    assert not result.find("RMT")
    assert any(flag.code == "not-measured" and flag.value == 0.1 for flag in result.flags)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_any_encoding_of_a_spreadsheet_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("Bedingung;Muskel;Seite;MEP (µV)\nsingle;FDI;rechts;900,5\n".encode(encoding))
    (found,) = read(path, Hints())
    assert found.amplitude_mv.tolist() == [0.9005]
    assert (found.pulses[0].muscle, found.pulses[0].muscle_side) == ("FDI", "right")


def test_numbered_columns_are_trials_only_where_they_can_be_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("hemisphere,muscle,condition,MEP1,MEP2\nleft,FDI,single,0.9,0.3\n")
    with pytest.raises(InputError, match=r"nothing says what MEP1 to MEP2 are.*trial1, trial2"):
        read(tmp_path / "two.csv", Hints())
    heading = "participant,hemisphere,muscle,kind," + ",".join(f"trial{i + 1}_mV" for i in range(2))
    (tmp_path / "said.csv").write_text(heading + "\np1,left,FDI,single,0.9,0.3\np2,left,FDI,single,0.5,0.6\n")
    tables = read(tmp_path / "said.csv", Hints())
    assert [(one.participant, one.amplitude_mv.tolist()) for one in tables] == [
        ("p1", [0.9]), ("p2", [0.5]), ("p1", [0.3]), ("p2", [0.6])
    ]  # fmt: skip
    rows = "left,FDI,single,n/a," + ",".join(["0.9", "1.1"] * 4) + "\n"
    rows += "left,FDI,SICI,2.5," + ",".join(["0.4", "0.5"] * 4)
    columns = ",".join(f"MEP_{i + 1} (mV)" for i in range(8))
    (tmp_path / "many.csv").write_text(f"hemisphere,muscle,condition,isi_ms,{columns}\n" + rows)
    result = measure_recordings(tmp_path / "many.csv")
    (mep,), (sici,) = result.find("MEP"), result.find("SICI")
    assert (mep.estimate.n, sici.estimate.n) == (8, 16)
    assert sici.estimate.value == pytest.approx(0.45, rel=0.03)
    assert "trials-side-by-side" in {flag.code for flag in result.flags}


def test_noise_in_a_table_is_no_mep(tmp_path: Path) -> None:
    """Pulses too weak for a response had the noise for their MEP: 0.012 mV, give or take 5 %."""
    rng = np.random.default_rng(3)
    rows = ["kind,hemisphere,muscle,state,test_mso,amplitude_mv"]
    for intensity, response in ((30, 0.0), (34, 0.0), (38, 0.0), (42, 0.0), (46, 0.4), (50, 0.9)):
        drawn = np.hypot(response * np.exp(0.5 * rng.standard_normal(8)), 0.012 * rng.normal(1, 0.07, 8))
        rows += [f"single,left,FDI,rest,{intensity},{value:.4f}" for value in drawn]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    meps = {one.intensity: one.estimate for one in measure_recordings(tmp_path / "a.csv").find("MEP")}
    assert all(meps[f"{intensity} %MSO"].low == 0 for intensity in (30, 34, 38, 42))
    assert meps["46 %MSO"].low < 0.4 < meps["46 %MSO"].high


def test_dates_that_were_latencies_are_none(tmp_path: Path) -> None:
    """A spreadsheet that reads 22.11 as a day keeps its number."""
    cells = ["19.5", "23.9", "45982", "25.1", "0", "n/a"]
    table = tmp_path / "a_trials.tsv"
    table.write_text("amplitude_mv\tlatency\n" + "".join(f"0.5\t{cell}\n" for cell in cells))
    (found,) = read(table, Hints())
    assert found.latency_ms is not None
    np.testing.assert_array_equal(found.latency_ms, [19.5, 23.9, np.nan, 25.1, np.nan, np.nan])
    assert [flag.value for flag in found.flags if flag.code == "latency-unlikely"] == [1.0]


def test_one_refusal_asks_for_all_that_an_array_leaves_open(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    np.savez(tmp_path / "a.npz", meps=rng.normal(size=(20, 600)), raw_meps=rng.normal(size=(20, 600)))
    with pytest.raises(InputError, match=r"several arrays .* and nothing says how fast") as refused:
        measure_recordings(tmp_path / "a.npz")
    assert 'variable = "meps"' in refused.value.paste
    assert "rate_hz = ?" in refused.value.paste


def test_a_column_that_splits_trials_and_is_not_read_is_named(tmp_path: Path) -> None:
    cells = ((0.4, 1, 0.2), (0.5, 2, 0.2), (0.6, 3, 0.4), (0.7, 4, 0.4))
    rows = [f"{word}\t{size}\t{n}\t{spread}" for word in ("sham", "verum") for size, n, spread in cells]
    table = tmp_path / "a_trials.tsv"
    table.write_text("Treatment\tamplitude_mv\ttrial\tspread\n" + "\n".join(rows) + "\n")
    (found,) = read(table, Hints())
    (flag,) = [flag for flag in found.flags if flag.code == "column-not-read"]
    assert "Column 1, Treatment (sham, verum), is not read" in flag.message
    table.write_text(table.read_text().replace("Treatment", "Visit"))
    (found,) = read(table, Hints())
    assert {pulse.visit for pulse in found.pulses} == {"sham", "verum"}
    assert "column-not-read" not in {flag.code for flag in found.flags}
