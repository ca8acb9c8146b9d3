"""Recordings and tables that are ordinary and wrong: none prints a number without a word."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.tms.measurement import measure_recordings

RATE_HZ = 5000.0
TIMES_S = tuple(1.0 + 0.9 * i for i in range(12))


def recording(
    forge: ModuleType, folder: Path, line: np.ndarray | None = None, emg: np.ndarray | None = None
) -> Path:
    truth = forge.make_emg(
        isis_ms=(None,) * 12, times_s=TIMES_S, rate_hz=RATE_HZ, duration_s=TIMES_S[-1] + 1.0
    )
    emg = truth.emg_mv[0] if emg is None else emg(truth.emg_mv[0])  # type: ignore[operator]
    line = triggers(emg.size) if line is None else line
    rows = [f"{i / RATE_HZ:.4f},{x:.5f},{t:g}" for i, (x, t) in enumerate(zip(emg, line, strict=True))]
    path = folder / "a.csv"
    path.write_text("\n".join(["Time (s),FDI (mV),Trigger (V)", *rows]))
    return path


def triggers(n: int, width: int = 20) -> np.ndarray:
    line = np.zeros(n)
    for time_s in TIMES_S:
        line[round(time_s * RATE_HZ) :][:width] = 5.0
    return line


def n_samples() -> int:
    return round((TIMES_S[-1] + 1.0) * RATE_HZ)


def test_a_trigger_that_bounces_is_one_stimulus(forge: ModuleType, tmp_path: Path) -> None:
    line = triggers(n_samples())
    for time_s in TIMES_S:
        line[round(time_s * RATE_HZ) :][2:5] = 0.0
    result = measure_recordings(recording(forge, tmp_path, line))
    assert len(result.trials) == 12
    assert {trial.pulse.kind for trial in result.trials} == {"single"}


def test_a_trigger_that_is_stuck_is_told(forge: ModuleType, tmp_path: Path) -> None:
    line = triggers(n_samples())
    line[round(TIMES_S[7] * RATE_HZ) :] = 5.0
    result = measure_recordings(recording(forge, tmp_path, line))
    (flag,) = [flag for flag in result.flags if flag.code == "stimuli-unmarked"]
    assert flag.value == 4
    clean = measure_recordings(recording(forge, tmp_path))
    assert "stimuli-unmarked" not in {flag.code for flag in clean.flags}


def test_a_rectified_signal_is_refused(forge: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="rectified"):
        measure_recordings(recording(forge, tmp_path, emg=np.abs))


def test_a_signal_with_an_offset_is_not_taken_for_rectified(forge: ModuleType, tmp_path: Path) -> None:
    result = measure_recordings(recording(forge, tmp_path, emg=lambda x: x + 5.0))
    assert result.find("MEP")


@pytest.mark.parametrize(
    ("heading", "cells", "words"),
    [
        ("MEP (uV)", ["0.8", "1.1", "0.6", "0.9"], "names uV, which can not be"),
        ("MEP (mV)", ["0.8", "999", "0.6", "0.9"], "row 2, 999, is 999 mV"),
        ("MEP (mV)", ["0.8", "-0.9", "0.6", "0.9"], "negative"),
    ],
)
def test_amplitudes_that_can_not_be_are_refused(
    tmp_path: Path, heading: str, cells: list[str], words: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join([f"trial,{heading}", *(f"{i + 1},{c}" for i, c in enumerate(cells))]))
    with pytest.raises(InputError, match=words):
        measure_recordings(path)


def test_a_smoothed_channel_prints_no_response(forge: ModuleType, tmp_path: Path) -> None:
    path = recording(forge, tmp_path)
    rows = [row.split(",") for row in path.read_text().splitlines()]
    rows = [[row[0], row[1], row[1], row[2]] for row in rows]
    rows[0][2] = "FDI-RMS (mV)"
    path.write_text("\n".join(",".join(row) for row in rows))
    result = measure_recordings(path)
    assert [group.muscle for group in result.groups] == ["FDI"]
    assert len(result.trials) == 12
    assert "channel-not-raw" in {flag.code for flag in result.flags}
    path.write_text(path.read_text().replace("FDI (mV)", "FDI-rect (mV)"))
    with pytest.raises(InputError, match="rectified or smoothed"):
        measure_recordings(path)
