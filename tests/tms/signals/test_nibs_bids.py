"""Parameters of pulses that another table holds reach the events that point to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sudeck.core.errors import InputError
from sudeck.tms.signals.events import read_events

NIBS = (
    "{key}\ttms_stim_mode\tinter_stimulus_interval\tpulse_intensity\tsecond_pulse_intensity\trmt_intensity\n"
)


def study(folder: Path, *, key: str = "event_id", rows: str = "a\tsingle\tn/a\t60\tn/a\t50\n") -> Path:
    (folder / "emg").mkdir(exist_ok=True)
    (folder / "nibs").mkdir(exist_ok=True)
    events = folder / "emg" / "sub-01_task-sici_events.tsv"
    events.write_text(f"onset\tduration\ttrial_type\t{key}\n1.0\t0\tx\ta\n6.5\t0\ty\tb\n12\t0\tx\ta\n")
    table = folder / "nibs" / "sub-01_stimsys-tms_task-sici_acq-online_nibs.tsv"
    table.write_text(NIBS.format(key=key) + rows + "b\tdual\t2\t40\t60\t50\n")
    (folder / "nibs" / "sub-01_stimsys-tms_task-rmt_nibs.tsv").write_text(NIBS.format(key=key))
    return events


@pytest.mark.parametrize("key", ["event_id", "stim_id", "stim_count"])
def test_each_draft_says_what_an_event_was(tmp_path: Path, key: str) -> None:
    first, second, third = read_events(study(tmp_path, key=key)).rows
    assert (first["kind"], first["test_mso"], first["test_rmt"]) == ("single", 60, 120)
    assert (second["kind"], second["isi_ms"], second["conditioning_mso"], second["test_mso"]) == (
        "paired",
        2,
        40,
        60,
    )
    assert third == first | {"time_s": 12.0}


def test_names_in_camel_case_are_the_same_names(tmp_path: Path) -> None:
    events = study(tmp_path)
    table = next((tmp_path / "nibs").glob("*sici*"))
    camel = table.read_text().replace("pulse_intensity", "PulseIntensity", 1)
    table.write_text(camel.replace("inter_stimulus_interval", "InterStimulusInterval"))
    assert [row.get("isi_ms") for row in read_events(events).rows] == [None, 2, None]


def test_an_event_that_points_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="event_id a is not in"):
        read_events(study(tmp_path, rows=""))


def test_two_rows_of_one_key_that_differ_are_refused(tmp_path: Path) -> None:
    rows = "a\tsingle\tn/a\t60\tn/a\t50\na\tsingle\tn/a\t65\tn/a\t50\n"
    with pytest.raises(InputError, match="differ"):
        read_events(study(tmp_path, rows=rows))
