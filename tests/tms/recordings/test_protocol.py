"""What a person says of a recording: events tables, protocol files, and what is still asked for."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.tms.recordings.labelled_trials import read_trials
from sudeck.tms.recordings.labelling import questions, tell_channel, tell_pulses
from sudeck.tms.recordings.protocol import protocol_from, read_protocol
from sudeck.tms.recordings.pulses import FoundPulse
from sudeck.tms.recordings.recording_inspection import inspect_recording
from sudeck.tms.signals.events import given_by, read_events
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.trials import Pulse

PROTOCOL = """
rmt_mso = 50
muscle = "FDI"
hemisphere = "left"
state = "rest"

[pulses]
markers = ["S 10", "S 11"]

[channels.RFDI]
side = "right"

[conditions."S 10"]
kind = "single"
test_mso = 60

[conditions."S 11"]
isi_ms = 2.5
conditioning_mso = 40
test_mso = 60
"""


def test_a_protocol_tells_conditions_by_marker(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg(isis_ms=(None, 2.5, None, 2.5, 2.5))
    labels = ["S 10", "S 11", "S 10", "S 11", "S 11"]
    markers = [*zip(labels, truth.times_s, strict=True), ("S 99", 6.0)]
    path = forge.write_brainvision(tmp_path / "a.vhdr", truth, markers=markers)
    (tmp_path / "protocol.toml").write_text(PROTOCOL)
    sweeps = read_trials(path, protocol=tmp_path / "protocol.toml", muscle="RFDI")[0]
    assert [p.condition for p in sweeps.pulses] == labels
    single, paired = sweeps.pulses[0], sweeps.pulses[1]
    assert (single.kind, single.test_mso, single.test_rmt, single.isi_ms) == ("single", 60, 120, None)
    assert (paired.kind, paired.isi_ms, paired.conditioning_rmt, paired.test_rmt) == ("paired", 2.5, 80, 120)
    assert {(p.muscle, p.muscle_side, p.hemisphere, p.state) for p in sweeps.pulses} == {
        ("FDI", "right", "left", "rest")
    }
    assert not [flag for flag in sweeps.flags if flag.code in {"not-stated", "interval-contradicted"}]


def test_what_recording_and_protocol_say_may_contradict() -> None:
    found = [FoundPulse(1.0, "paired", 3.0, "x"), FoundPulse(2.0, "paired", 3.0, "y")]
    protocol = protocol_from({"conditions": {"x": {"isi_ms": 10}, "y": {"isi_ms": 2.5}}})
    pulses, flags = tell_pulses(found, label="a", protocol=protocol)
    assert [pulse.isi_ms for pulse in pulses] == [10, 2.5]
    assert [(flag.code, flag.subject) for flag in flags] == [("interval-contradicted", "trial 1")]


def test_events_by_order_must_be_as_many_as_stimuli(tmp_path: Path, forge: ModuleType) -> None:
    path = forge.write_brainvision(tmp_path / "a.vhdr", forge.make_emg())
    events = tmp_path / "events.csv"
    events.write_text("condition,test_mso\n" + "x,50\n" * 5)
    assert [p.test_mso for p in read_trials(path, events=events)[0].pulses] == [50] * 5
    events.write_text("condition,test_mso\n" + "x,50\n" * 4)
    with pytest.raises(InputError, match="5 stimuli were found but the events table has 4 rows"):
        read_trials(path, events=events)


def test_onsets_of_conditioning_pulses_are_moved_to_the_test_pulse(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg(isis_ms=(100.0,) * 5, artefact_mv=0.0)
    path = forge.write_brainvision(tmp_path / "a.vhdr", truth, markers=[])
    events = tmp_path / "e.tsv"
    events.write_text("onset\tisi_ms\n" + "".join(f"{t - 0.1:.4f}\t100\n" for t in truth.times_s))
    protocol = protocol_from({"pulses": {"onset": "conditioning"}})
    sweeps = read_trials(path, events=events, protocol=protocol, muscle="RFDI")[0]
    assert [p.time_s for p in sweeps.pulses] == pytest.approx(truth.times_s)
    unstated = read_trials(path, events=events, muscle="RFDI")[0]
    assert "onset-of-pair-assumed" in {flag.code for flag in unstated.flags}


def test_markers_of_conditioning_pulses_are_moved_to_the_test_pulse(
    tmp_path: Path, forge: ModuleType
) -> None:
    """Of LICI marked at its conditioning pulse the response to that pulse had been measured."""
    truth = forge.make_emg(isis_ms=(100.0, None, 100.0, None, 12.0))
    labels = ["LICI", "test", "LICI", "test", "ICF"]
    early_s = {"LICI": 0.1, "test": 0.0, "ICF": 0.012}
    markers = [(label, t - early_s[label]) for label, t in zip(labels, truth.times_s, strict=True)]
    path = forge.write_brainvision(tmp_path / "a.vhdr", truth, markers=markers)
    conditions = {
        "LICI": {"isi_ms": 100, "kind": "paired"},
        "ICF": {"isi_ms": 12, "kind": "paired"},
        "test": {"kind": "single"},
    }
    stated = protocol_from({"pulses": {"onset": "conditioning"}, "conditions": conditions})
    sweeps = read_trials(path, protocol=stated, muscle="RFDI")[0]
    assert [p.time_s for p in sweeps.pulses] == pytest.approx(truth.times_s)
    assert "onset-of-pair-assumed" not in {flag.code for flag in sweeps.flags}
    silent = read_trials(path, protocol=protocol_from({"conditions": conditions}), muscle="RFDI")[0]
    assert "onset-of-pair-assumed" in {flag.code for flag in silent.flags}
    at_test = forge.write_brainvision(
        tmp_path / "b.vhdr", truth, markers=list(zip(labels, truth.times_s, strict=True))
    )
    for content in ({}, {"pulses": {"onset": "test"}}):
        protocol = protocol_from({**content, "conditions": conditions})
        sweeps = read_trials(at_test, protocol=protocol, muscle="RFDI")[0]
        assert [p.time_s for p in sweeps.pulses] == pytest.approx(truth.times_s, abs=1e-3)


def test_sweeps_cut_at_conditioning_pulses_are_moved_where_that_is_stated(tmp_path: Path) -> None:
    late = 400
    sweeps = np.random.default_rng(0).normal(0, 0.004, (4, 2000))
    sweeps[:, 500 + late : 500 + late + 40] += np.sin(np.arange(40) / 6)
    np.savez(tmp_path / "a.npz", emg=sweeps)
    sidecar = {"unit": "mV", "rate_hz": 4000, "pulse_ms": 125, "kind": "paired", "isi_ms": 100}
    (tmp_path / "a.json").write_text(json.dumps(sidecar))
    protocol = protocol_from({"pulses": {"onset": "conditioning"}})
    moved = read_trials(tmp_path / "a.npz", protocol=protocol)[0]
    assert (np.abs(moved.emg_mv).argmax(axis=1) - moved.pulse_sample < 40).all()
    kept = read_trials(tmp_path / "a.npz")[0]
    assert (np.abs(kept.emg_mv).argmax(axis=1) - kept.pulse_sample >= late).all()


def test_a_sequence_orders_stimuli_that_nothing_else_tells_apart(tmp_path: Path, forge: ModuleType) -> None:
    path = forge.write_brainvision(tmp_path / "a.vhdr", forge.make_emg())
    content = {
        "sequence": {"conditions": ["a", "b", "a", "b", "a"]},
        "conditions": {"a": {"kind": "single"}, "b": {"isi_ms": 10}},
    }
    pulses = read_trials(path, protocol=protocol_from(content))[0].pulses
    assert [pulse.isi_ms for pulse in pulses] == [None, 10, None, 10, None]
    content["sequence"] = {"conditions": ["a"]}
    with pytest.raises(InputError, match="sequence has 1"):
        read_trials(path, protocol=protocol_from(content))


def test_what_nobody_says_is_asked_for() -> None:
    pulse = Pulse(1.0, "unknown")
    assert [flag.subject for flag in questions([pulse])] == ["kind", "hemisphere", "muscle", "state"]
    known = tell_channel([pulse], "LeftAPB")[0]
    assert (known.muscle, known.muscle_side, known.hemisphere) == ("APB", "left", None)


@pytest.mark.parametrize(
    ("record", "given"),
    [
        ({"Onset": "1.5", "trial_type": "SICI"}, {"time_s": 1.5, "condition": "SICI"}),
        ({"ISI (ms)": "2,5"}, {"isi_ms": 2.5, "kind": "paired"}),
        ({"isi": "0"}, {"kind": "single"}),
        ({"trial_type": "Dual pulse"}, {"condition": "Dual pulse", "kind": "paired"}),
        ({"%RMT": "n/a", "hemi": "LH", "state": "Relaxed"}, {"hemisphere": "left", "state": "rest"}),
        ({"pulse_intensity": "40", "second_pulse_intensity": "60"}, {"conditioning_mso": 40, "test_mso": 60}),
        ({"pulse_intensity": "40", "rmt_intensity": "50"}, {"test_mso": 40, "test_rmt": 80}),
        ({"unknown column": "7"}, {}),
    ],
)  # fmt: skip
def test_columns_of_events_tables(record: dict[str, str], given: dict[str, object]) -> None:
    assert given_by(record, "events.tsv") == pytest.approx(given)


@pytest.mark.parametrize(
    "record",
    [
        {"isi_ms": "soon"},
        {"test_mso": "150"},
        {"hemisphere": "front"},
        {"kind": "single", "isi_ms": "3"},
        {"onset": "inf"},
    ],
)
def test_cells_that_can_not_be_are_refused(record: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"^events.tsv: "):
        given_by(record, "events.tsv")


@pytest.mark.parametrize(
    "text",
    ["a = [", "recording = 3", "[pulses]\nonset = 'last'", "[recording]\nunit = 'kg'",
     "[recording]\nrate_hz = 'fast'", "colour = 'red'", "[pulses]\nmarkers = 255",
     "[channels]\nFDI = 3", "hemisphere = 'front'"],
)  # fmt: skip
def test_protocols_that_can_not_be_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(InputError, match=r"^p.toml: "):
        read_protocol(tmp_path / "p.toml")


def test_missing_tables(tmp_path: Path) -> None:
    for reader in (read_protocol, read_events):
        with pytest.raises(InputError, match="there is no such"):
            reader(tmp_path / "none")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("LFDI", ("FDI", "left")), ("FDI_R", ("FDI", "right")), ("EMG right APB", ("APB", "right")),
        ("ecr-l", ("ECR", "left")), ("Chan1", (None, None)), ("TALK", (None, None)),
    ],
)  # fmt: skip
def test_muscles_in_channel_labels(label: str, expected: tuple[str | None, str | None]) -> None:
    assert muscle_and_side(label) == expected


def test_inspection_says_what_is_there_and_what_is_not(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg(isis_ms=(None, 3.0, None, 3.0, None))
    markers = list(zip(("S  1", "S  2", "S  1", "S  2", "S  1"), truth.times_s, strict=True))
    found = inspect_recording(forge.write_brainvision(tmp_path / "a.vhdr", truth, markers=markers))
    assert [(c.name, c.muscle, c.side) for c in found.channels] == [
        ("RFDI", "FDI", "right"),
        ("LFDI", "FDI", "left"),
    ]
    assert found.channels[0].noise_uv == pytest.approx(3.0, rel=0.1)
    assert [(p.kind, p.isi_ms, p.n) for p in found.pulses] == [("single", None, 3), ("paired", 3.0, 2)]
    assert {flag.subject for flag in found.flags if flag.code == "not-stated"} == {"hemisphere", "state"}
    assert found.to_dict()["n_pulses"] == 5
    assert "5 stimuli from markers S  1" in str(found)
    silent = inspect_recording(
        forge.write_brainvision(tmp_path / "b.vhdr", forge.make_emg(artefact_mv=0.0), markers=[])
    )
    assert [flag.code for flag in silent.flags] == ["no-pulses"]


@pytest.mark.parametrize(
    ("scale", "guess"), [(1e3, "they may be milliseconds"), (5e3, "they may be samples of 5000 Hz")]
)
def test_onsets_of_another_clock_are_refused_and_guessed(
    tmp_path: Path, forge: ModuleType, scale: float, guess: str
) -> None:
    truth = forge.make_emg()
    path = forge.write_brainvision(tmp_path / "a.vhdr", truth)
    events = tmp_path / "events.csv"
    events.write_text("onset,kind\n" + "".join(f"{time * scale:g},single\n" for time in truth.times_s))
    with pytest.raises(InputError, match=f"5 of its 5 onsets lie beyond the end.*{guess}"):
        read_trials(path, events=events)


def test_most_stimuli_beyond_the_end_are_another_recording_s(tmp_path: Path, forge: ModuleType) -> None:
    path = forge.write_brainvision(tmp_path / "a.vhdr", forge.make_emg())
    events = tmp_path / "events.csv"
    events.write_text("onset,kind\n1.0,single\n3.1,single\n" + "".join(f"{t},single\n" for t in (14, 18, 22)))
    with pytest.raises(InputError, match="3 of its 5 onsets lie beyond the end of the recording at 12 s;"):
        read_trials(path, events=events)


def test_intervals_in_seconds_are_refused() -> None:
    with pytest.raises(InputError, match=r"0\.0025 ms in column isi is no interval that stimulators give"):
        given_by({"isi": "0.0025"}, "events.tsv")
    assert given_by({"isi_ms": "0.5"}, "events.tsv")["isi_ms"] == 0.5


@pytest.mark.parametrize(
    ("heading", "scale"),
    [
        ("onset_ms", 1e3),
        ("onset (ms)", 1e3),
        ("time_ms", 1e3),
        ("sample", 5000.0),
        ("onset [samples]", 5000.0),
        ("latency [s]", 1.0),
        ("Zeit (ms)", 1e3),
    ],
)
def test_onsets_count_what_their_heading_says(
    tmp_path: Path, forge: ModuleType, heading: str, scale: float
) -> None:
    truth = forge.make_emg()
    path = forge.write_brainvision(tmp_path / "a.vhdr", truth, markers=[])
    rows = "".join(f"{time_s * scale:.6g}\tsingle\n" for time_s in truth.times_s)
    (tmp_path / "e.tsv").write_text(f"{heading}\ttrial_type\n{rows}")
    item = read_trials(path, events=tmp_path / "e.tsv")[0]
    assert [pulse.time_s for pulse in item.pulses] == pytest.approx(truth.times_s, abs=1e-6)


def test_onset_goes_before_the_sample_beside_it(tmp_path: Path, forge: ModuleType) -> None:
    truth = forge.make_emg()
    path = forge.write_brainvision(tmp_path / "a.vhdr", truth, markers=[])
    rows = "".join(f"{time_s}\t{time_s * 1000:.0f}\tsingle\n" for time_s in truth.times_s)
    (tmp_path / "e.tsv").write_text(f"onset\tsample\ttrial_type\n{rows}")
    item = read_trials(path, events=tmp_path / "e.tsv")[0]
    assert [pulse.time_s for pulse in item.pulses] == pytest.approx(truth.times_s)


def test_all_bad_cells_are_in_one_refusal(tmp_path: Path) -> None:
    (tmp_path / "e.tsv").write_text(
        "onset\tisi_ms\themisphere\n1.0\tfast\tleft\n2.0\t2\tup\n3.0\t0.002\tright\n4.0\tfast\tup\n"
    )
    with pytest.raises(InputError) as refusal:
        read_events(tmp_path / "e.tsv")
    said = str(refusal.value)
    assert "column isi_ms is no number (rows 1, 4)" in said
    assert "column hemisphere is not left or right (rows 2, 4)" in said
    assert "0.002 ms in column isi_ms is no interval that stimulators give (row 3)" in said


def test_breaks_are_no_stimuli_and_seconds_of_intervals_are_read(tmp_path: Path) -> None:
    (tmp_path / "e.tsv").write_text(
        "onset\ttrial_type\tISI (s)\n0:01.5\tsingle\tn/a\n0:20\tBreak\tn/a\n1:02,5\tSICI\t0.0025\n"
    )
    table = read_events(tmp_path / "e.tsv")
    assert [(row["time_s"], row.get("isi_ms")) for row in table.rows] == [(1.5, None), (62.5, 2.5)]
    assert [flag.code for flag in table.flags] == ["rows-no-stimuli"]
