"""Folders in which laboratories mix people, visits, hands and channels: what is unlike stays apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from sudeck.tms.measurement import measure_recordings

# Each recording of a folder has responses of its own size in mV: what is pooled has a size in between.
SIZES = (0.4, 1.0, 2.5, 6.0)
Maker = Callable[[Path, ModuleType], None]


def _recording(path: Path, forge: ModuleType, number: int, names: tuple[str, ...] = ("FDI",)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    truth = forge.make_emg(mep_mv=SIZES[number], seed=number)
    return Path(forge.write_brainvision(path, forge.Truth(truth.emg_mv[: len(names)], truth.times_s, names)))


def _named(*names: str) -> Maker:
    def make(folder: Path, forge: ModuleType) -> None:
        for number, name in enumerate(names):
            _recording(folder / name, forge, number)

    return make


def _two_channels(*labels: str) -> Maker:
    def make(folder: Path, forge: ModuleType) -> None:
        truth = forge.make_emg(mep_mv=SIZES[1])
        truth.emg_mv[1] = forge.make_emg(mep_mv=SIZES[0], seed=3).emg_mv[0]
        forge.write_brainvision(folder / "a.vhdr", forge.Truth(truth.emg_mv, truth.times_s, labels))

    return make


def _with_events(column: str, values: tuple[str, ...]) -> Maker:
    """Make files with no name of anybody, told apart by a column of their events."""

    def make(folder: Path, forge: ModuleType) -> None:
        for number, value in enumerate(values):
            path = _recording(folder / f"run{number}_emg.vhdr", forge, number)
            rows = "".join(f"{time_s}\tsingle\tleft\t{value}\n" for time_s in forge.TIMES_S)
            path.with_name(f"run{number}_events.tsv").write_text(
                f"onset\ttrial_type\themisphere\t{column}\n" + rows
            )

    return make


def _unlike_formats(folder: Path, forge: ModuleType) -> None:
    _recording(folder / "session.vhdr", forge, 0)
    truth = forge.make_emg(mep_mv=SIZES[1])
    forge.write_edf(folder / "session.edf", forge.Truth(truth.emg_mv[:1], truth.times_s, ("FDI",)))


def _copies_of_one_name(folder: Path, forge: ModuleType) -> None:
    for number, day in enumerate(("monday", "tuesday")):
        _recording(folder / day / "recording.vhdr", forge, number)


FOLDERS: dict[str, tuple[Maker, int]] = {
    "two people": (_named("sub-01_emg.vhdr", "sub-02_emg.vhdr"), 2),
    "two visits": (_named("sub-01/ses-pre/a.vhdr", "sub-01/ses-post/a.vhdr"), 2),
    "two people at two visits": (
        _named(*(f"sub-{who}/ses-{when}/a.vhdr" for who in ("01", "02") for when in ("pre", "post"))),
        4,
    ),
    "two hemispheres that only file names tell": (_named("left_M1.vhdr", "right_M1.vhdr"), 2),
    "unlabelled": (_named("a.vhdr", "b.vhdr", "c.vhdr"), 3),
    "one person named, the other not": (_named("sub-01_emg.vhdr", "other.vhdr"), 2),
    "two channels of one muscle": (_two_channels("FDI raw", "FDI filt"), 2),
    "two hands": (_two_channels("RFDI", "LFDI"), 2),
    "people in the events": (_with_events("participant", ("p1", "p2")), 2),
    "visits in the events": (_with_events("visit", ("before", "after")), 2),
    "hands in the events": (_with_events("muscle_side", ("left", "right")), 2),
    "two formats of one name": (_unlike_formats, 2),
    "one name in two folders": (_copies_of_one_name, 2),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_nothing_unlike_is_measured_together(tmp_path: Path, forge: ModuleType, name: str) -> None:
    make, n_groups = FOLDERS[name]
    make(tmp_path, forge)
    result = measure_recordings(tmp_path)
    assert len({group.key for group in result.groups}) == n_groups
    meps = result.find("MEP")
    assert [one.estimate.n for one in meps] == [5] * n_groups
    sizes = sorted(one.estimate.value for one in meps)
    # A response of 1 mV is 1.1 mV from peak to peak in these recordings; all are as much larger.
    alone = sizes[0] / SIZES[0]
    assert sizes == pytest.approx([alone * size for size in SIZES[:n_groups]], rel=0.06)
    assert "files-pooled" not in {flag.code for flag in result.flags}


def test_states_of_a_real_recording_are_conditions_and_single_pulses_no_pairs(shared: Path) -> None:
    """Means over that of State 2, the test pulse alone, worked out by hand from the sweeps of signal1.mat."""
    states, single = shared / "trouble/tms/signal1.mat", shared / "tms/cspider/example1.cfs"
    if not (states.is_file() and single.is_file()):
        pytest.skip("these recordings are not among the shared files")
    found = measure_recordings([states]).to_dict()["estimates"]
    ratios = [one["value"] for one in found if one["measure"] == "paired pulse ratio of means"]
    assert ratios == pytest.approx([1.44, 0.94, 1.41, 1.43, 1.49], rel=0.01)
    assert {trial.pulse.kind for trial in measure_recordings([single]).trials} == {"single"}
