"""A trigger of one name that holds several kinds of stimulus is never measured as one."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.tms.measurement import measure_recordings
from sudeck.tms.recording_template import recording_template
from sudeck.tms.recordings.labelled_trials import read_trials

Isis = tuple[float | None, ...]
KINDS: Isis = (None, 3.0, None, 12.0, 3.0, None, 12.0, 3.0, 12.0, None, 3.0, 12.0)


def made(forge: ModuleType, isis_ms: Isis) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return one channel at 5 kHz and the times of its test pulses."""
    times_s = tuple(1.0 + 0.9 * i for i in range(len(isis_ms)))
    truth = forge.make_emg(isis_ms=isis_ms, times_s=times_s, rate_hz=5000.0, duration_s=times_s[-1] + 1)
    return truth.emg_mv[0], times_s


def intervals(isis_ms: Isis) -> list[object]:
    return [pytest.approx(isi, abs=0.21) if isi else None for isi in isis_ms]


def continuous_text(forge: ModuleType, folder: Path, isis_ms: Isis) -> Path:
    """Write a text of time, EMG and trigger line, its trigger alike for every kind of stimulus."""
    emg_mv, times_s = made(forge, isis_ms)
    line = np.zeros(emg_mv.size)
    for time_s in times_s:
        line[round(time_s * 5000) : round(time_s * 5000) + 10] = 5.0
    rows = [f"{i / 5000:.4f},{x:.5f},{t:g}" for i, (x, t) in enumerate(zip(emg_mv, line, strict=True))]
    path = folder / "a.csv"
    path.write_text("\n".join(["Time (s),FDI (mV),Trigger (V)", *rows]))
    return path


def test_a_bare_trigger_of_several_kinds_is_refused_with_a_table_to_paste(
    forge: ModuleType, tmp_path: Path
) -> None:
    path = continuous_text(forge, tmp_path, KINDS)
    with pytest.raises(InputError, match="4 paired at 12 ms, 4 paired at 3 ms, 4 single") as refused:
        read_trials(path)
    pasted = tmp_path / "events.tsv"
    pasted.write_text(refused.value.paste)
    stated = tmp_path / "p.toml"
    stated.write_text('[pulses]\nonset = "test"\n')
    (given,) = read_trials(path, events=pasted, protocol=stated)
    assert [pulse.isi_ms for pulse in given.pulses] == [
        pytest.approx(k, abs=0.21) if k else None for k in KINDS
    ]
    template = recording_template(path)
    assert template.events.splitlines()[1:] == refused.value.paste.splitlines()[1:]


def test_what_a_person_states_of_the_trigger_goes_before(forge: ModuleType, tmp_path: Path) -> None:
    path = continuous_text(forge, tmp_path, KINDS)
    stated = tmp_path / "p.toml"
    stated.write_text('kind = "single"\n')
    (given,) = read_trials(path, protocol=stated)
    assert {pulse.kind for pulse in given.pulses} == {"single"}


def test_one_odd_trial_makes_no_second_kind(forge: ModuleType, tmp_path: Path) -> None:
    (given,) = read_trials(continuous_text(forge, tmp_path, (None,) * 9 + (3.0,)))
    assert {pulse.kind for pulse in given.pulses} == {"single"}


def sweeps(forge: ModuleType, folder: Path, isis_ms: Isis, **given: object) -> Path:
    emg_mv, times_s = made(forge, isis_ms)
    at = [round(time_s * 5000) for time_s in times_s]
    np.savez(folder / "a.npz", emg=np.stack([emg_mv[i - 500 : i + 500] for i in at]))
    rest = {"unit": "mV", "rate_hz": 5000, "pulse_ms": 100, "channel": "FDI"} | given
    (folder / "a.json").write_text(json.dumps(rest))
    return folder / "a.npz"


def test_sweeps_show_their_pairs_by_name(forge: ModuleType, tmp_path: Path) -> None:
    names = ["a" if isi is None else f"b{isi:g}" for isi in KINDS]
    (given,) = read_trials(sweeps(forge, tmp_path, KINDS, condition=names))
    assert [pulse.isi_ms for pulse in given.pulses] == [
        pytest.approx(k, abs=0.21) if k else None for k in KINDS
    ]


def test_sweeps_without_names_are_refused(forge: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="their responses are not one MEP"):
        read_trials(sweeps(forge, tmp_path, KINDS))


def test_sweeps_cut_at_the_conditioning_pulse_are_moved_to_the_test_pulse(
    forge: ModuleType, tmp_path: Path
) -> None:
    isis_ms: Isis = (None, 12.0) * 4
    emg_mv, times_s = made(forge, isis_ms)
    at = [round((time_s - (isi or 0) / 1e3) * 5000) for time_s, isi in zip(times_s, isis_ms, strict=True)]
    np.savez(tmp_path / "a.npz", emg=np.stack([emg_mv[i - 500 : i + 500] for i in at]))
    given = {"unit": "mV", "rate_hz": 5000, "pulse_ms": 100, "channel": "FDI", "condition": ["a", "b"] * 4}
    (tmp_path / "a.json").write_text(json.dumps(given))
    (cut,) = read_trials(tmp_path / "a.npz")
    assert "moved-to-test-pulse" in {flag.code for flag in cut.flags}
    sharpest = np.abs(np.diff(cut.emg_mv, axis=1)).argmax(axis=1)
    assert np.ptp(sharpest) <= 4


def test_single_pulses_of_two_names_are_two_meps_and_no_reference(forge: ModuleType, tmp_path: Path) -> None:
    isis_ms: Isis = (None, None, 3.0) * 4
    path = sweeps(forge, tmp_path, isis_ms, condition=["weak", "strong", "pair"] * 4)
    result = measure_recordings(path)
    assert [one.intensity for one in result.find("MEP")] == ["weak", "strong"]
    assert not result.find("paired pulse")
    assert any("strong, weak" in flag.message for flag in result.flags)
