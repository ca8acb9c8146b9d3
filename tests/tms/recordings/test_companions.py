from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from sudeck.core.errors import InputError
from sudeck.tms.measurement import measure_recordings
from sudeck.tms.recordings.companions import events_of


def recordings(folder: Path, forge: ModuleType) -> list[Path]:
    """One of each continuous format, the frames of CFS beginning late on the clock of the file."""
    truth = forge.make_emg(isis_ms=(None, 3.0, None, 12.0, None))
    named = list(zip(("S  1", "S  2", "S  1", "S  3", "S  1"), truth.times_s, strict=True))
    frames = [truth.emg_mv[0, round((t - 0.5) * 5000) : round((t + 0.5) * 5000)] for t in truth.times_s]
    starts = [19.06 + t for t in truth.times_s]
    return [
        forge.write_brainvision(folder / "a.vhdr", truth, markers=named),
        forge.write_edf(folder / "b.edf", truth, annotations=[(t, name) for name, t in named]),
        forge.write_edf(folder / "c.bdf", truth, bdf=True),
        forge.write_cfs(folder / "d.cfs", frames, starts=starts, states=[1, 2, 1, 3, 1]),
    ]


@pytest.mark.parametrize("index", range(4))
def test_the_trials_of_a_run_fed_back_as_events_reproduce_it(
    tmp_path: Path, forge: ModuleType, index: int
) -> None:
    path = recordings(tmp_path, forge)[index]
    first = measure_recordings(path)
    first.write(tmp_path / "out")
    again = measure_recordings(path, events=tmp_path / "out" / "trials.tsv")
    assert len(again.trials) == len(first.trials)
    for one, two in zip(first.trials, again.trials, strict=True):
        assert two.pulse.time_s == pytest.approx(one.pulse.time_s, abs=1e-9)
        assert (two.pulse.kind, two.pulse.isi_ms, two.channel) == (
            one.pulse.kind,
            one.pulse.isi_ms,
            one.channel,
        )
        assert two["amplitude_mv"] == pytest.approx(one["amplitude_mv"], rel=1e-9)
        assert two["latency_ms"] == pytest.approx(one["latency_ms"], rel=1e-9, nan_ok=True)
    for one, two in zip(first.estimates, again.estimates, strict=True):
        assert two.measure == one.measure
        assert two.estimate.value == pytest.approx(one.estimate.value, rel=1e-9)


def test_one_table_for_all_files_tells_them_by_name(tmp_path: Path) -> None:
    table = tmp_path / "events.tsv"
    table.write_text("file\tonset\ttrial_type\na.edf\t1.0\tx\nb.edf\t2.0\ty\n")
    assert [row["time_s"] for row in events_of(table, Path("b.edf")).rows] == [2.0]
    with pytest.raises(InputError, match=r"no row is about c\.edf"):
        events_of(table, Path("c.edf"))
