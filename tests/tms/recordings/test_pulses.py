"""Stimuli from markers, trigger lines and the artefact alone."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.provenance import SourceFile
from sudeck.tms.recordings.pairs import look_for_pairs
from sudeck.tms.recordings.pulses import find_pulses, marker_groups
from sudeck.tms.signals.artefact_times import artefact_times, artefacts_in, common_artefact_sample, sharpness
from sudeck.tms.signals.recording import Marker, Recording, Section, Signal

SOURCE = SourceFile("made", "0" * 64, 0)


def recording_of(
    truth: object, markers: list[tuple[float, str, str]] | None = None, *extra: Signal
) -> Recording:
    emg = truth.emg_mv  # type: ignore[attr-defined]
    rate_hz = truth.rate_hz  # type: ignore[attr-defined]
    signals = [Signal(name, emg[i], rate_hz, 0.0, "mV") for i, name in enumerate(("RFDI", "LFDI"))]
    made = tuple(Marker(*item[:2], channel=item[2]) for item in sorted(markers or []))
    return Recording(SOURCE, "made", (*signals, *extra), made, (Section(0.0, emg.shape[1] / rate_hz),))


def test_a_marker_that_follows_the_stimulus_is_noticed(forge: ModuleType) -> None:
    truth = forge.make_emg()
    markers = [(t, "S255", "Stimulus") for t in truth.times_s] + [
        (t + 0.0102, "S254", "Stimulus") for t in truth.times_s
    ]
    train = find_pulses(recording_of(truth, markers))
    assert [pulse.time_s for pulse in train.pulses] == list(truth.times_s)
    flag = next(flag for flag in train.flags if flag.code == "marker-not-stimulus")
    assert flag.subject == "S254"
    assert flag.value == pytest.approx(10.2)
    assert {group.label: group.role for group in train.groups}["S254"] == "follows S255 by 10.2 ms"


def test_two_markers_that_both_hold_an_artefact_are_a_pair(forge: ModuleType) -> None:
    truth = forge.make_emg(isis_ms=(10.0,) * 5)
    markers = [(t, "test", "TMS 1") for t in truth.times_s] + [
        (t - 0.01, "cond", "TMS 2") for t in truth.times_s
    ]
    train = find_pulses(recording_of(truth, markers))
    assert [(p.kind, p.isi_ms, p.label) for p in train.pulses] == [("paired", 10.0, "cond+test")] * 5
    assert [p.time_s for p in train.pulses] == pytest.approx(truth.times_s)


def test_a_marker_off_its_artefact_is_flagged(forge: ModuleType) -> None:
    truth = forge.make_emg()
    train = find_pulses(recording_of(truth, [(t - 0.003, "", "trigger") for t in truth.times_s]))
    flag = next(flag for flag in train.flags if flag.code == "marker-delay")
    assert flag.value == pytest.approx(3.0, abs=0.6)


def test_keys_and_other_stimulators_are_left_out(forge: ModuleType) -> None:
    truth = forge.make_emg()
    markers = [(t, "", "Magnet") for t in truth.times_s]
    markers += [(t + 0.9, "", "Hreflex") for t in truth.times_s] + [(2.0, "k", "Keyboard")]
    recording = recording_of(truth, markers)
    train = find_pulses(recording)
    assert len(train.pulses) == 5
    assert [flag.subject for flag in train.flags if flag.code == "marker-left-out"] == ["Hreflex"]
    assert len(find_pulses(recording, markers=["hreflex", "Magnet"]).pulses) == 10
    with pytest.raises(InputError, match="no marker is called S9"):
        find_pulses(recording, markers=["S9"])
    assert {group.channel for group in marker_groups(recording)} == {"Magnet", "Hreflex"}


def test_a_trigger_line_among_the_channels(forge: ModuleType) -> None:
    truth = forge.make_emg(artefact_mv=0.0)
    line = np.zeros(truth.emg_mv.shape[1])
    for time_s in truth.times_s:
        line[round(time_s * 5000) : round(time_s * 5000) + 50] = 5.0
    train = find_pulses(recording_of(truth, None, Signal("Trig", line, 5000.0, 0.0, "V")))
    assert train.origin == "trigger line Trig"
    assert [p.time_s for p in train.pulses] == pytest.approx(truth.times_s)


@pytest.mark.parametrize("rate_hz", [2000.0, 5000.0, 10000.0])
def test_artefacts_alone_give_time_kind_and_interval(forge: ModuleType, rate_hz: float) -> None:
    # At 2 kHz the artefacts of a pair 3 ms apart run together.
    close_ms = 3.0 if rate_hz > 2000 else 6.0
    truth = forge.make_emg(isis_ms=(None, close_ms, 12.0, 100.0, None), rate_hz=rate_hz)
    recording = recording_of(truth)
    train = find_pulses(recording)
    pulses, _ = look_for_pairs(recording, train.pulses)
    assert [p.time_s for p in pulses] == pytest.approx(truth.times_s, abs=3 / rate_hz)
    assert [p.kind for p in pulses] == ["single", "paired", "paired", "paired", "single"]
    assert [p.isi_ms for p in pulses[1:4]] == pytest.approx([close_ms, 12, 100], abs=1.5e3 / rate_hz)
    assert "pulses-from-artefact" in {flag.code for flag in train.flags}


def test_close_pairs_at_a_low_rate_stay_open(forge: ModuleType) -> None:
    truth = forge.make_emg(isis_ms=(2.5,) * 5, rate_hz=2000.0)
    recording = recording_of(truth, [(t, "S1", "Stimulus") for t in truth.times_s])
    pulses, _ = look_for_pairs(recording, find_pulses(recording).pulses)
    assert "single" not in {p.kind for p in pulses}
    assert len(find_pulses(recording_of(truth)).pulses) == 5


def test_stimuli_of_one_name_are_of_one_kind(forge: ModuleType) -> None:
    truth = forge.make_emg(isis_ms=(None, 3.0, None, 3.0, 3.0))
    recording = recording_of(truth, [(t, "S1", "Stimulus") for t in truth.times_s])
    found = find_pulses(recording).pulses
    pulses, flags = look_for_pairs(recording, found, ["S1"] * 5)
    assert {pulse.kind for pulse in pulses} == {"paired"}
    assert "kind-not-alike" in {flag.code for flag in flags}
    apart, _ = look_for_pairs(recording, found, ["a", "b", "a", "b", "b"])
    assert [pulse.kind for pulse in apart] == ["single", "paired", "single", "paired", "paired"]


def test_one_marker_a_pair_becomes_the_time_of_the_test_pulse(forge: ModuleType) -> None:
    truth = forge.make_emg(isis_ms=(None, 3.0, None, 12.0, None))
    on_the_first = [
        (t - (i or 0) / 1e3, "S1", "Stimulus") for t, i in zip(truth.times_s, (0, 3, 0, 12, 0), strict=True)
    ]
    recording = recording_of(truth, on_the_first)
    pulses, flags = look_for_pairs(recording, find_pulses(recording).pulses)
    assert [p.time_s for p in pulses] == pytest.approx(truth.times_s, abs=5e-4)
    assert [p.kind for p in pulses] == ["single", "paired", "single", "paired", "single"]
    assert flags[0].code == "kind-from-artefact"


def test_without_a_clear_artefact_the_kind_stays_open(forge: ModuleType) -> None:
    truth = forge.make_emg(artefact_mv=0.02)
    recording = recording_of(truth, [(t, "S1", "Stimulus") for t in truth.times_s])
    pulses, flags = look_for_pairs(recording, find_pulses(recording).pulses)
    assert {p.kind for p in pulses} == {"unknown"}
    assert flags == ()


def test_responses_are_not_taken_for_artefacts(forge: ModuleType) -> None:
    truth = forge.make_emg(artefact_mv=0.0, mep_mv=4.0)
    with pytest.raises(InputError, match="no stimulus was found"):
        find_pulses(recording_of(truth))


def test_markers_that_no_artefact_tells_apart(forge: ModuleType) -> None:
    truth = forge.make_emg(artefact_mv=0.0)
    twice = [(t, "A", "Stimulus") for t in truth.times_s] + [
        (t + 0.01, "B", "Stimulus") for t in truth.times_s
    ]
    with pytest.raises(InputError, match=r"B always follows A by 10.0 ms.*\[pulses\] markers"):
        find_pulses(recording_of(truth, twice))
    assert len(find_pulses(recording_of(truth, twice), markers=["A"]).pulses) == 5
    conditions = [(t, "AB"[i % 2], "Stimulus") for i, t in enumerate(truth.times_s)]
    train = find_pulses(recording_of(truth, conditions))
    assert len(train.pulses) == 5
    assert [flag.code for flag in train.flags] == ["markers-untested"]


def test_weak_stimuli_are_kept_and_incidents_are_not(forge: ModuleType) -> None:
    truth = forge.make_emg()
    markers = [(t, "S1", "Stimulus") for t in truth.times_s] + [(6.1, "S99", "Stimulus")]
    markers += [(1.9 + 2 * i, "S2", "Stimulus") for i in range(5)]
    train = find_pulses(recording_of(truth, markers))
    assert {pulse.label for pulse in train.pulses} == {"S1", "S2"}
    assert {flag.subject: flag.code for flag in train.flags} == {
        "S2": "marker-without-artefact",
        "S99": "marker-not-stimulus",
    }


def test_seams_between_sections_are_not_taken_for_artefacts(forge: ModuleType) -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.003, 20000)
    samples[10000:] += 2.0
    signal = Signal("FDI", samples, 5000.0, 0.0, "mV")
    sections = (Section(0.0, 2.0), Section(5.0, 7.0))
    with pytest.raises(InputError, match="no stimulus"):
        find_pulses(Recording(SOURCE, "made", (signal,), (), sections))


def test_sharpness_is_the_second_difference() -> None:
    ramp = np.arange(50.0)
    assert sharpness(ramp, 5000.0).max() == 0
    step = np.where(np.arange(50) < 25, 0.0, 1.0)
    assert sharpness(step, 5000.0)[24:26] == pytest.approx([1.0, 1.0])


def test_the_artefact_common_to_all_sweeps(forge: ModuleType) -> None:
    truth = forge.make_emg()
    sweeps = np.array([truth.emg_mv[0, round(t * 5000) - 400 : round(t * 5000) + 800] for t in truth.times_s])
    assert common_artefact_sample([sweeps], 5000.0) == pytest.approx(400, abs=1)
    assert common_artefact_sample([np.zeros((3, 100))], 5000.0) is None
    onsets, _, heights = artefacts_in(sweeps[0], 5000.0, 0.2)
    assert onsets.tolist() == pytest.approx([400], abs=1)
    assert heights[0] > 0.5


def test_the_marker_that_is_the_stimulus_in_a_real_recording(shared: Path) -> None:
    from sudeck.tms.recordings.labelled_trials import read_trials

    path = shared / "tms" / "cunningham" / "BrainVision" / "Example Data 1.vhdr"
    if not path.is_file():
        pytest.skip("this recording is not among the shared files")
    sweeps = read_trials(path, muscle="RFDI")[0]
    assert sweeps.n_trials == 20
    assert {pulse.condition for pulse in sweeps.pulses} == {"S255"}
    flag = next(flag for flag in sweeps.flags if flag.code == "marker-not-stimulus")
    assert flag.value == pytest.approx(10.2, abs=0.25)


def test_pulses_by_artefact_in_real_recordings(shared: Path) -> None:
    from sudeck.tms.recordings.labelled_trials import read_recording, read_trials
    from sudeck.tms.recordings.protocol import protocol_from

    folder = shared / "tms"
    if not (folder / "cspider" / "example1.cfs").is_file():
        pytest.skip("these recordings are not among the shared files")
    recording, _ = read_recording(folder / "cspider" / "example1.cfs")
    assert isinstance(recording, Recording)
    truth = [float(word) for word in (folder / "cspider" / "timing_csp_pulses.txt").read_text().split()]
    found = find_pulses(recording).pulses
    starts = [section.start_s for section in recording.sections]
    expected = [start + time_s for start in starts for time_s in truth]
    assert [pulse.time_s for pulse in found] == pytest.approx(expected, abs=5e-4)
    rate = protocol_from({"recording": {"rate_hz": 5000}})
    sici = read_trials(folder / "veta" / "SICI_example_data.mat", protocol=rate)[0]
    assert [pulse.kind for pulse in sici.pulses] == ["paired"] * 30
    assert {pulse.isi_ms for pulse in sici.pulses} == {2.8}
    csp = read_trials(folder / "veta" / "CSP_example_data.mat", protocol=rate)[0]
    assert [pulse.kind for pulse in csp.pulses] == ["single"] * 13


def test_a_condition_that_is_named_is_a_stimulus_and_its_end_is_none(forge: ModuleType) -> None:
    truth = forge.make_emg()
    markers = [(t, "S1", "Stimulus") for t in truth.times_s] + [
        (t + 0.4, "S9", "Stimulus") for t in truth.times_s
    ]
    train = find_pulses(recording_of(truth, markers), named=(" s1 ",))
    assert [pulse.time_s for pulse in train.pulses] == list(truth.times_s)
    assert {group.label: group.role for group in train.groups}["S9"] == "not named"


def test_comments_on_the_artefact_are_stimuli(forge: ModuleType) -> None:
    truth = forge.make_emg()
    train = find_pulses(recording_of(truth, [(t, "single", "Comments") for t in truth.times_s]))
    assert train.origin.startswith("comments")
    assert [pulse.time_s for pulse in train.pulses] == list(truth.times_s)


def test_a_height_beyond_every_number_over_no_noise_is_divided_in_silence() -> None:
    samples = np.random.default_rng(3).normal(0.0, 1e-160, 20_000)
    samples[[4_000, 9_000, 15_000]] = 1e150
    signal = Signal("RFDI", samples, 5000.0, 0.0, "mV")
    recording = Recording(SOURCE, "made", (signal,), (), (Section(0.0, samples.size / 5000.0),))
    assert len(artefact_times(recording)) == 3
