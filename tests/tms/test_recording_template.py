"""What inspect writes to be completed gives the same stimuli when it is fed back."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from sudeck.tms.recording_template import recording_template
from sudeck.tms.recordings.labelled_trials import read_trials


def test_what_is_written_gives_the_same_stimuli(forge, tmp_path: Path) -> None:
    truth = forge.make_emg(isis_ms=(None, 3.0, None, 3.0, None))
    markers = [
        ("S  1" if isi is None else "S  2", time_s)
        for time_s, isi in zip(truth.times_s, (None, 3.0, None, 3.0, None), strict=True)
    ]
    path = forge.write_brainvision(tmp_path / "a.vhdr", truth, markers=markers)
    made = recording_template(path)
    events, protocol = made.write(tmp_path / "out", "a")
    before = read_trials(path)
    after = read_trials(path, events=events, protocol=protocol)
    for one, other in zip(before, after, strict=True):
        for pulse, again in zip(one.pulses, other.pulses, strict=True):
            assert again.time_s == pytest.approx(pulse.time_s, abs=1e-9)
            assert (again.kind, again.isi_ms, again.condition) == (pulse.kind, pulse.isi_ms, pulse.condition)
    stated = tomllib.loads(made.protocol)
    assert stated["channels"]["RFDI"] == {"muscle": "FDI", "side": "right"}
    assert set(stated["conditions"]) == {"S  1", "S  2"}
    assert "# hemisphere = " in made.protocol
    # Every line that stands behind a # is one to be used as it is.
    whole = "\n".join(line.removeprefix("# ") for line in made.protocol.splitlines()[1:])
    completed = tmp_path / "complete.toml"
    completed.write_text(whole, encoding="utf-8")
    (first, *_) = read_trials(path, events=events, protocol=completed)
    assert {pulse.hemisphere for pulse in first.pulses} == {"left"}
    assert {pulse.test_rmt for pulse in first.pulses} == {120.0}
