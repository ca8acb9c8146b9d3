"""Both hands in one recording are as a recording a hemisphere: the same sweeps, the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sudeck.tms.measurement import measure_recordings

COLUMNS = ("onset", "kind", "isi_ms", "test_mso", "conditioning_mso", "hemisphere", "state")


@pytest.fixture
def recording(forge, tmp_path: Path) -> tuple[object, list[tuple[object, ...]]]:
    """Ten steps of intensity and eight pairs a hemisphere, in turn; each hand answers its own hemisphere."""
    rng = np.random.default_rng(4)
    rate, n = 5000, 60
    emg = rng.normal(0, 0.004, (2, rate * (n + 3)))
    t = np.arange(150) / rate
    wave = np.sin(2 * np.pi * t / 0.012) * np.exp(-((t - 0.008) ** 2) / (2 * 0.004**2))
    rows: list[tuple[object, ...]] = []
    for k in range(n):
        hand = k % 2
        pair = k >= 40
        mso = 56 if pair else 36 + (k // 2) * 2
        size = 0.6 / (1 + np.exp((47 + 2 * hand - mso) / 2.5)) * np.exp(0.4 * rng.standard_normal())
        size *= 0.4 if pair else 1.0
        at = round((1.0 + k) * rate)
        for place in [at - 13, at] if pair else [at]:
            emg[:, place : place + 3] += np.array([0.5, -0.4, 0.1])
        emg[hand, at + 110 : at + 110 + t.size] += size * wave
        hemisphere = ("left", "right")[hand]
        kind = ("paired", 2.6, mso, 38) if pair else ("single", "n/a", mso, "n/a")
        rows.append((f"{1.0 + k:.4f}", *kind, hemisphere, "rest"))
    truth = forge.Truth(emg, tuple(1.0 + k for k in range(n)), ("RFDI", "LFDI"))
    return truth, rows


def test_one_file_equals_a_file_a_hemisphere(forge, recording, tmp_path: Path) -> None:
    truth, rows = recording

    def write(folder: Path, task: str, chosen: list[tuple[object, ...]]) -> None:
        folder.mkdir(exist_ok=True)
        forge.write_edf(folder / f"sub-01_ses-pre_task-{task}_emg.edf", truth)
        lines = ["\t".join(COLUMNS), *("\t".join(map(str, row)) for row in chosen)]
        (folder / f"sub-01_ses-pre_task-{task}_events.tsv").write_text("\n".join(lines) + "\n")

    write(tmp_path / "one", "tms", rows)
    for side in ("left", "right"):
        write(tmp_path / "two", side, [row for row in rows if row[5] == side])
    one, two = measure_recordings(tmp_path / "one"), measure_recordings(tmp_path / "two")
    assert len(one.find("SICI")) == 2
    assert len(one.find("RMT")) == 2
    assert {m.hemisphere for m in one.estimates} == {"left", "right"}
    assert all(m.muscle_side != m.hemisphere for m in one.estimates)
    entries = [
        {
            (m.measure, m.hemisphere, m.muscle_side, m.isi_ms, m.intensity, m.conditioning): m
            for m in r.estimates
        }
        for r in (one, two)
    ]
    assert entries[0].keys() == entries[1].keys()
    for key, estimate in entries[0].items():
        for bound in ("value", "low", "high"):
            expected = getattr(entries[1][key].estimate, bound)
            assert getattr(estimate.estimate, bound) == pytest.approx(expected, rel=1e-9), key
    assert {m.conditioning for m in one.find("SICI")} == {"38 %MSO"}
