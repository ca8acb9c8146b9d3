"""Cutting sweeps, and what is wrong with them at first sight."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.core.provenance import SourceFile
from sudeck.tms.recordings.channels import muscle_channels
from sudeck.tms.recordings.labelled_trials import read_trials
from sudeck.tms.signals.duplicates import duplicate_flags
from sudeck.tms.signals.recording import Recording, Section, Signal
from sudeck.tms.signals.sweeps import sweep_flags
from sudeck.tms.signals.trials import Pulse, TrialSet, cut_trials
from sudeck.tms.signals.units import noise_and_peak, to_millivolts, voltage_unit

SOURCE = SourceFile("made", "0" * 64, 0)


def ramp(n: int, rate_hz: float, sections: tuple[Section, ...]) -> tuple[Recording, Signal]:
    """Return a recording whose every sample is its own index."""
    signal = Signal("FDI", np.arange(float(n)), rate_hz, sections[0].start_s, "mV")
    return Recording(SOURCE, "made", (signal,), (), sections), signal


@given(
    st.lists(st.floats(0.3, 9.0), min_size=1, max_size=8), st.sampled_from([1000.0, 2000.0, 4096.0, 5000.0])
)
def test_every_sweep_has_its_pulse_at_the_same_column(times_s: list[float], rate_hz: float) -> None:
    recording, signal = ramp(round(10 * rate_hz), rate_hz, (Section(0.0, 10.0),))
    found = cut_trials(recording, signal, [Pulse(time_s, "single") for time_s in times_s])
    expected = np.round(np.sort(times_s) * rate_hz)
    np.testing.assert_array_equal(found.emg_mv[:, found.pulse_sample], expected)
    assert np.all(np.diff(found.emg_mv, axis=1) == 1)
    assert found.time_ms[found.pulse_sample] == 0
    assert [pulse.time_s for pulse in found.pulses] == sorted(times_s)


def test_sweeps_keep_to_their_section_and_its_clock() -> None:
    recording, signal = ramp(4000, 1000.0, (Section(10.0, 12.0), Section(50.0, 52.0)))
    assert recording.duration_s == 4.0
    found = cut_trials(recording, signal, [Pulse(50.15, "single"), Pulse(11.0, "single")])
    assert found.emg_mv[:, found.pulse_sample].tolist() == [1000.0, 2150.0]
    assert found.pulse_sample == 150  # no further back than the second section begins
    assert recording.sample_at(signal, 30.0) is None
    assert recording.section_of(51.0) is recording.sections[1]


def test_pulses_too_near_the_edge_are_left_out_and_flagged() -> None:
    recording, signal = ramp(5000, 1000.0, (Section(0.0, 5.0),))
    found = cut_trials(recording, signal, [Pulse(0.01, "single"), Pulse(2.0, "single"), Pulse(9.0, "single")])
    assert found.n_trials == 1
    assert [flag.code for flag in found.flags] == ["pulse-outside-recording"] * 2
    with pytest.raises(InputError, match="counts in seconds"):
        cut_trials(recording, signal, [Pulse(2000.0, "single")])


def test_dead_interrupted_and_repeated_sweeps_are_flagged() -> None:
    rng = np.random.default_rng(0)
    sweeps = np.round(rng.normal(0, 0.01, (6, 500)), 4)
    sweeps[1] = 0.0
    sweeps[2, 100:110] = np.nan
    sweeps[5] = sweeps[0]
    codes = [(flag.code, flag.subject) for flag in sweep_flags(sweeps)]
    assert codes == [
        ("dead-sweep", "trial 2"),
        ("missing-samples", "trial 3"),
        ("repeated-sweep", "trial 6"),
    ]


def test_the_same_recording_under_two_names() -> None:
    rng = np.random.default_rng(0)
    emg = rng.normal(0, 1, (10, 300))
    pulses = (Pulse(1.0, "single"),) * 10

    def named(name: str, sweeps: np.ndarray) -> TrialSet:
        return TrialSet(sweeps, 1000.0, 100, pulses, "FDI", SourceFile(name, name, 1))

    one, copy, other = named("a", emg), named("b", emg[::-1]), named("c", emg + 1)
    assert [flag.subject for flag in duplicate_flags([one, other, copy])] == ["b"]


def test_muscles_are_chosen_by_name_side_or_channel(tmp_path: Path, forge: ModuleType) -> None:
    path = forge.write_brainvision(tmp_path / "a.vhdr", forge.make_emg())
    assert [s.channel for s in read_trials(path, muscle="FDI")] == ["RFDI", "LFDI"]
    assert [s.channel for s in read_trials(path, muscle="left FDI")] == ["LFDI"]
    assert [s.channel for s in read_trials(path, muscle="rfdi")] == ["RFDI"]
    with pytest.raises(InputError, match="every channel names another muscle than APB"):
        read_trials(path, muscle="APB")


def test_channels_that_are_no_voltage_are_not_measured() -> None:
    emg = np.random.default_rng(0).normal(0, 0.01, 100)
    channels = (Signal("force", emg, 1e3, 0.0, "N"), Signal("EMG", emg, 1e3, 0.0, "mV"))
    recording = Recording(SOURCE, "made", channels, (), (Section(0.0, 0.1),))
    assert [signal.name for signal in muscle_channels(recording)] == ["EMG"]
    with pytest.raises(InputError, match="no channel is a voltage"):
        muscle_channels(Recording(SOURCE, "made", channels[:1], (), (Section(0.0, 0.1),)))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("µV", "uv"),
        ("\u03bcV", "uv"),
        ("Âµv", "uv"),
        ("mV", "mv"),
        (" Volt", "v"),
        ("V", "v"),
        ("N", None),
        ("", None),
    ],
)
def test_units_as_people_write_them(text: str, unit: str | None) -> None:
    assert voltage_unit(text) == unit


@pytest.mark.parametrize("true_unit", ["V", "mV", "uV"])
@pytest.mark.parametrize("stated", ["V", "mV", "uV", ""])
def test_units_are_held_against_what_emg_can_be(true_unit: str, stated: str) -> None:
    rng = np.random.default_rng(3)
    emg_mv = rng.normal(0, 0.004, 5000)
    emg_mv[2000:2050] += 1.5
    per_mv = {"V": 1e-3, "mV": 1.0, "uV": 1e3}
    found, flags = to_millivolts(emg_mv * per_mv[true_unit], stated, channel="FDI", file="a")
    np.testing.assert_allclose(found, emg_mv)
    assert [flag.code for flag in flags] == (
        [] if stated == true_unit else ["unit-inferred" if not stated else "unit-implausible"]
    )


def test_a_unit_that_stays_open_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"unit = 'mV'"):
        to_millivolts(np.zeros(100), "", channel="FDI", file="a")
    flat, flags = to_millivolts(np.zeros(100), "mV", channel="FDI", file="a")
    assert flat.size == 100
    assert flags == ()
    noise, peak = noise_and_peak(np.random.default_rng(0).normal(0, 2.0, 20000))
    assert noise == pytest.approx(2.0, rel=0.05)
    assert peak > 6
