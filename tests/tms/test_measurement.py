from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.provenance import SourceFile
from sudeck.tms.measurement import TmsSettings, measure_recordings, measure_trials
from sudeck.tms.measures.measure_settings import GroupSettings
from sudeck.tms.measures.measured import TRIAL_COLUMNS
from sudeck.tms.result import TmsResult
from sudeck.tms.signals.trials import AmplitudeTable, Pulse, TrialSet

LEFT = Pulse(
    float("nan"), "single", hemisphere="left", muscle="FDI", muscle_side="right", state="rest", visit="pre"
)


def source(name: str) -> SourceFile:
    return SourceFile(name, (name + "0" * 64)[:64], 0)


def trial_set(emg: np.ndarray, pulses: list[Pulse], name: str = "recording.vhdr") -> TrialSet:
    timed = tuple(replace(pulse, time_s=5.0 * index) for index, pulse in enumerate(pulses))
    return TrialSet(emg, 5000.0, 1500, timed, "FDI", source(name))


@pytest.fixture
def paired_block(mep) -> Callable[..., TrialSet]:
    """Test alone at 1 mV, SICI of 0.4 at 2.5 ms, ICF of 1.5 at 10 ms, 25 trials each."""

    def make(**changes) -> TrialSet:
        test = replace(LEFT, test_rmt=120.0, **changes)
        paired = replace(test, kind="paired", conditioning_rmt=80.0)
        emg = np.vstack(
            [
                mep(25, amplitude_mv=1.0, seed=1).emg_mv,
                mep(25, amplitude_mv=0.4, seed=2).emg_mv,
                mep(25, amplitude_mv=1.5, seed=3).emg_mv,
            ]
        )
        kinds = [test] * 25 + [replace(paired, isi_ms=2.5)] * 25 + [replace(paired, isi_ms=10.0)] * 25
        return trial_set(emg, kinds)

    return make


def test_paired_pulses_come_out_as_the_ratios_put_in(paired_block) -> None:
    result = measure_trials([paired_block()])
    (sici,) = result.find("SICI", hemisphere="left")
    (icf,) = result.find("ICF")
    assert sici.estimate.low < 0.4 < sici.estimate.high
    assert icf.estimate.low < 1.5 < icf.estimate.high
    assert (sici.isi_ms, icf.isi_ms) == (2.5, 10.0)
    assert (sici.conditioning, sici.intensity, sici.visit, sici.muscle) == (
        "80 %RMT",
        "120 %RMT",
        "pre",
        "FDI",
    )
    assert len(result.find("SICI ratio of means")) == 1
    (amplitude,) = result.find("MEP")
    assert amplitude.intensity == "120 %RMT"
    assert amplitude.estimate.low < 1.0 < amplitude.estimate.high
    (latency,) = result.find("MEP latency")
    assert latency.estimate.value == pytest.approx(22.0, abs=0.4)


def test_hemispheres_visits_and_files_are_kept_apart_or_joined(paired_block) -> None:
    left = paired_block(participant="P1")
    right = paired_block(participant="P1", hemisphere="right", muscle_side="left")
    post = replace(paired_block(participant="P1", visit="post"), source=source("post.vhdr"))
    more = replace(paired_block(participant="P1"), emg_mv=left.emg_mv * 1.01, source=source("more.vhdr"))
    result = measure_trials([left, right, post, more])
    assert {(group.visit, group.hemisphere) for group in result.groups} == {
        ("pre", "left"),
        ("pre", "right"),
        ("post", "left"),
    }
    (joined,) = result.find("SICI", visit="pre", hemisphere="left")
    (single,) = result.find("SICI", visit="post")
    assert joined.estimate.n == 2 * single.estimate.n
    assert {"duplicate-recording", "files-pooled"} <= {flag.code for flag in result.flags}
    assert len(result.provenance.sources) == 3


def test_files_that_do_not_say_whose_they_are_are_measured_each_by_itself(paired_block) -> None:
    other = replace(paired_block(), emg_mv=paired_block().emg_mv * 1.01, source=source("other.vhdr"))
    result = measure_trials([paired_block(), other])
    assert [one.estimate.n for one in result.find("SICI")] == [50.0, 50.0]
    assert [one.file for one in result.find("SICI")] == ["recording.vhdr", "other.vhdr"]
    assert "files-kept-apart" in {flag.code for flag in result.flags}
    alone = measure_trials([other])
    for one, two in zip(alone.estimates, result.groups[1].estimates, strict=True):
        assert two.estimate == one.estimate


def test_two_channels_of_one_muscle_are_two_groups(paired_block) -> None:
    raw = replace(paired_block(), channel="FDI raw")
    rms = replace(paired_block(), channel="FDI rms", emg_mv=0.1 * raw.emg_mv)
    result = measure_trials([raw, rms])
    assert [group.channel for group in result.groups] == ["FDI raw", "FDI rms"]
    ours, others = (one.estimate.value for one in result.find("MEP"))
    assert others == pytest.approx(0.1 * ours, rel=1e-6)


def test_two_channels_and_two_files_of_one_name_are_told_apart(paired_block) -> None:
    twin = replace(paired_block(), source=SourceFile("recording.vhdr", "1" * 64, 0))
    result = measure_trials([paired_block(), paired_block(), twin])
    assert len(result.groups) == 3
    assert {trial.file for trial in result.trials} == {"recording.vhdr", "recording.vhdr (2)"}


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (("sub-01_task-sici_emg.csv", "sub-02_task-sici_emg.csv"), [("sub-01", ""), ("sub-02", "")]),
        (("sub-01/ses-pre/a.csv", "sub-01/ses-post/a.csv"), [("sub-01", "pre"), ("sub-01", "post")]),
        (("a.csv", "b.csv"), [("", ""), ("", "")]),
        (("sub-01_ses-pre_run-1_emg.csv", "sub-01_ses-pre_run-2_emg.csv"), [("sub-01", "pre")]),
    ],
)
def test_a_folder_is_pooled_only_where_its_names_say_so(tmp_path: Path, names, groups) -> None:
    for seed, name in enumerate(names):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        amplitude_csv(tmp_path / name, seed=seed)
    found = measure_recordings(tmp_path).groups
    assert sorted((one.participant, one.visit) for one in found) == sorted(groups)


def test_threshold_and_recruitment_from_many_intensities(mep) -> None:
    intensities = [40.0, 44.0, 48.0, 52.0, 56.0, 60.0, 64.0, 68.0]
    sizes = [0.005, 0.012, 0.06, 0.3, 0.9, 1.6, 2.0, 2.1]
    emg = [mep(10, amplitude_mv=size, seed=seed).emg_mv for seed, size in enumerate(sizes)]
    pulses = [replace(LEFT, test_mso=mso) for mso in intensities for _ in range(10)]
    result = measure_trials([trial_set(np.vstack(emg), pulses)])
    (threshold,) = result.find("RMT")
    assert threshold.estimate.value == pytest.approx(47.5, abs=1.5)
    assert result.find("RMT 5/10 rule")[0].estimate.value == 48.0
    assert result.find("RMT ML-PEST")[0].estimate.value == pytest.approx(47.5, abs=2.0)
    (plateau,) = result.find("MEPmax")
    assert plateau.estimate.low < 2.2 < plateau.estimate.high * 1.2
    (group,) = result.groups
    assert group.curve is not None
    assert set(group.thresholds) == {"RMT"}
    assert len(result.find("MEP")) == 8


def test_silent_periods_of_two_intensities_stay_apart(mep, active_emg) -> None:
    response = mep(10, amplitude_mv=3.0, noise_mv=0.0).emg_mv
    ends_ms = {110.0: 120.0, 140.0: 200.0}
    emg = [active_emg(10, quiet_ms=(22.0, end_ms)) + response for end_ms in ends_ms.values()]
    active = [replace(LEFT, state="active", test_rmt=strength) for strength in ends_ms for _ in range(10)]
    contralateral = measure_trials([trial_set(np.vstack(emg), active)])
    found = {one.intensity: one.estimate.value for one in contralateral.find("CSP")}
    assert found == pytest.approx({"110 %RMT": 98.0, "140 %RMT": 178.0}, abs=5.0)
    pauses = {110.0: (34.0, 58.0), 140.0: (34.0, 74.0)}
    emg = [active_emg(20, quiet_ms=quiet, share=0.5) for quiet in pauses.values()]
    same_side = [
        replace(LEFT, state="active", muscle_side="left", test_rmt=at) for at in pauses for _ in range(20)
    ]
    ipsilateral = measure_trials([trial_set(np.vstack(emg), same_side, "left.vhdr")])
    found = {one.intensity: one.estimate.value for one in ipsilateral.find("iSP")}
    assert found == pytest.approx({"110 %RMT": 24.0, "140 %RMT": 40.0}, abs=4.0)


def test_silent_periods_of_both_sides(mep, active_emg) -> None:
    response = mep(20, amplitude_mv=3.0, noise_mv=0.0).emg_mv
    contracting = replace(LEFT, state="active")
    contralateral = trial_set(active_emg(20) + response, [contracting] * 20)
    same_side = replace(contracting, muscle_side="left")
    ipsilateral = trial_set(active_emg(20, quiet_ms=(34.0, 58.0), share=0.5), [same_side] * 20, "left.vhdr")
    result = measure_trials([contralateral, ipsilateral])
    (csp,) = result.find("CSP")
    assert csp.estimate.value == pytest.approx(128.0, abs=4.0)
    assert csp.estimate.low < csp.estimate.value < csp.estimate.high
    (isp,) = result.find("iSP")
    assert isp.estimate.value == pytest.approx(24.0, abs=4.0)
    (depth,) = result.find("iSP depth")
    assert depth.estimate.low < 0.55 < depth.estimate.high + 0.1
    assert len(result.find("active MEP")) >= 1
    steady = trial_set(active_emg(20, share=1.0), [same_side] * 20)
    none = measure_trials([steady])
    assert not none.find("iSP")
    assert any(flag.code == "not-measured" and flag.subject == "iSP" for flag in none.flags)


def test_pairs_without_their_test_pulse_are_refused_in_words(paired_block) -> None:
    block = paired_block()
    pairs = trial_set(block.emg_mv[25:], list(block.pulses[25:]))
    result = measure_trials([pairs])
    assert not result.find("SICI")
    (flag,) = [flag for flag in result.flags if flag.code == "not-measured"]
    assert "no single pulse has the test intensity" in flag.message
    other = [replace(pulse, test_rmt=140.0) for pulse in block.pulses[:25]]
    wrong = trial_set(block.emg_mv, [*other, *block.pulses[25:]])
    assert not measure_trials([wrong]).find("SICI")


def test_flagged_trials_are_kept_and_left_out_beside(paired_block) -> None:
    block = paired_block()
    block.emg_mv[:5, :1500] += 0.05 * np.random.default_rng(8).standard_normal((5, 1500))
    result = measure_trials([block])
    assert [bool(trial.flags) for trial in result.trials][:6] == [True] * 5 + [False]
    all_n = result.find("SICI")[0].estimate.n
    (without,) = [one for one in result.estimates_without_flagged if one.measure == "SICI"]
    assert (all_n, without.estimate.n) == (50.0, 45.0)


def test_dead_trials_are_measured_nowhere(paired_block) -> None:
    block = paired_block()
    block.emg_mv[0] = 0.0
    result = measure_trials([block])
    assert np.isnan(result.trials[0]["amplitude_mv"])
    assert result.find("MEP")[0].estimate.n == 24.0


def test_table_of_amplitudes_needs_no_sweeps() -> None:
    rng = np.random.default_rng(6)
    size = np.concatenate(
        [np.exp(0.5 * rng.standard_normal(30)), 0.5 * np.exp(0.5 * rng.standard_normal(30))]
    )
    size[35] = 0.0
    pulses = [LEFT] * 30 + [replace(LEFT, kind="paired", isi_ms=3.0, condition="SICI")] * 30
    flag = Flag("doubtful", "Trial 2 is doubtful.", subject="trial 2")
    table = AmplitudeTable(size, tuple(pulses), None, source("amplitudes.csv"), (flag,))
    result = measure_trials([table])
    (sici,) = result.find("SICI")
    assert sici.estimate.low < 0.5 < sici.estimate.high
    assert result.trials[1].flags == ("doubtful",)
    assert result.sweeps == ()


def test_tracked_test_intensity_gives_the_threshold_change(mep) -> None:
    rng = np.random.default_rng(12)
    mso = np.tile(np.arange(50.0, 62.0), 4)
    shift = np.repeat([0.0, 5.0], mso.size)
    size = 0.2 * np.exp(0.25 * (np.tile(mso, 2) - 55.0 - shift) + 0.4 * rng.standard_normal(2 * mso.size))
    single = [replace(LEFT, test_mso=level) for level in mso]
    paired = [replace(LEFT, test_mso=level, kind="paired", isi_ms=2.5) for level in mso]
    table = AmplitudeTable(size, tuple(single + paired), None, source("tracking.csv"))
    (tracked,) = measure_trials([table]).find("SICI tracked")
    assert tracked.estimate.low < 100 * 5.0 / 55.0 < tracked.estimate.high


def test_written_files_keep_the_contract(paired_block, tmp_path: Path) -> None:
    result = measure_trials([paired_block()])
    result.write(tmp_path)
    plain = json.loads((tmp_path / "tms.json").read_text())
    assert set(plain) == {
        "estimates",
        "estimates_without_flagged",
        "estimates_background_adjusted",
        "flags",
        "provenance",
    }
    wanted = {
        "measure",
        "hemisphere",
        "muscle",
        "isi_ms",
        "value",
        "low",
        "high",
        "level",
        "unit",
        "n",
        "method",
    }
    for entry in plain["estimates"]:
        assert wanted <= set(entry)
        assert entry["low"] is None or entry["low"] <= entry["value"]
        assert entry["level"] == 0.95
    with (tmp_path / "trials.tsv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert list(rows[0])[:10] == list(TRIAL_COLUMNS)[:10]
    assert len(rows) == 75
    assert rows[30]["isi_ms"] == "2.5"
    assert float(rows[30]["amplitude_mv"]) == pytest.approx(result.trials[30]["amplitude_mv"])
    assert (rows[0]["hemisphere"], rows[0]["flags"]) == ("left", "n/a")


def test_result_reads_well_and_repeats(paired_block) -> None:
    first, second = measure_trials([paired_block()]), measure_trials([paired_block()])
    assert "pre left FDI: SICI 0." in str(first)
    assert "0 of 75 trials carry a flag" in str(first)
    plain = [result.to_dict() for result in (first, second)]
    for one in plain:
        one["provenance"].pop("created")
    assert json.dumps(plain[0]) == json.dumps(plain[1])


def test_a_pair_of_unknown_intensity_has_no_name_of_a_measure(paired_block) -> None:
    block = paired_block()
    unknown = dict.fromkeys(("test_rmt", "conditioning_rmt"))
    result = measure_trials([replace(block, pulses=tuple(replace(p, **unknown) for p in block.pulses))])
    assert not result.find("SICI")
    assert not result.find("ICF")
    assert [one.isi_ms for one in result.find("paired pulse")] == [2.5, 10.0]
    flag = next(flag for flag in result.flags if flag.code == "measure-not-named")
    assert "conditioning_rmt" in flag.message


def test_conditions_of_one_interval_and_unknown_intensity_stay_apart(paired_block) -> None:
    block = paired_block()
    unknown = dict.fromkeys(("test_rmt", "conditioning_rmt"))
    pulses = [replace(p, **unknown, condition=f"State {p.isi_ms}") for p in block.pulses]
    pulses = [replace(p, isi_ms=2.0) if p.isi_ms else p for p in pulses]
    result = measure_trials([replace(block, pulses=tuple(pulses))])
    assert [one.conditioning for one in result.find("paired pulse")] == ["State 2.5", "State 10.0"]


def test_both_hands_in_one_set_equal_a_set_a_hand(mep) -> None:
    left = mep(30, amplitude_mv=1.0, noise_mv=0.002, hum_mv=0.02, seed=1).emg_mv
    right = mep(30, amplitude_mv=0.2, noise_mv=0.009, seed=2).emg_mv
    on_right = replace(LEFT, hemisphere="right")
    order = np.random.default_rng(3).permutation(60)
    pulses = [LEFT] * 30 + [on_right] * 30
    whole = trial_set(np.vstack([left, right])[order], [pulses[i] for i in order])
    together = measure_trials([whole])
    for emg, pulse, rows in ((left, LEFT, order[order < 30]), (right, on_right, order[order >= 30] - 30)):
        alone = measure_trials([trial_set(emg[rows], [pulse] * 30)])
        own = [one for one in together.estimates if one.hemisphere == pulse.hemisphere]
        assert [one.estimate for one in own] == [one.estimate for one in alone.estimates]


def test_a_silent_muscle_has_no_response_and_its_threshold_lies_above_the_range(mep) -> None:
    noise = np.vstack([mep(10, amplitude_mv=0.0, noise_mv=0.004, seed=seed).emg_mv for seed in range(8)])
    mso = [replace(LEFT, test_mso=40.0 + 4 * (i // 10)) for i in range(60)]
    pairs = [replace(LEFT, test_mso=60.0, kind="paired", isi_ms=2.5, conditioning_mso=40.0)] * 20
    result = measure_trials([trial_set(noise, [*mso, *pairs])])
    assert result.estimates == ()
    assert result.groups[0].pairs == ()
    assert {"no-response", "threshold-above-range"} <= {flag.code for flag in result.flags}
    (above,) = [flag for flag in result.flags if flag.code == "threshold-above-range"]
    assert above.value == 60.0


def test_noise_in_a_table_is_found_and_makes_no_lower_threshold() -> None:
    rng = np.random.default_rng(5)
    means, slope = [], 0.3
    for _ in range(12):
        mso = np.repeat(np.arange(40.0, 62.0, 2.0), 10)
        size = 0.05 * np.exp(slope * (mso - 50.0) + 0.8 * rng.standard_normal(mso.size))
        size = np.hypot(size, rng.uniform(0.012, 0.03, mso.size))
        pulses = tuple(replace(LEFT, test_mso=float(level)) for level in mso)
        result = measure_trials([AmplitudeTable(size, pulses, None, source("noisy.csv"))])
        means.append(result.find("RMT")[0].estimate.value)
        assert "noise-from-table" in {flag.code for flag in result.flags}
    assert np.mean(means) == pytest.approx(50.0, abs=0.3 + 2 * np.std(means) / np.sqrt(12))


def test_weak_pulses_that_give_noise_have_an_upper_limit_and_no_lower_one(mep) -> None:
    rng = np.random.default_rng(9)
    mso = np.repeat([38.0, 41.0, 44.0, 50.0, 56.0, 62.0], 10)
    size = np.repeat([0.0, 0.0, 0.0, 0.15, 0.8, 2.0], 10) * np.exp(0.5 * rng.standard_normal(60))
    pulses = tuple(replace(LEFT, test_mso=float(level)) for level in mso)
    # A table whose noise lies above the criterion of 50 µV, and sweeps.
    noisy = np.hypot(size, 0.06 * np.exp(0.15 * rng.standard_normal(60)))
    sweeps = np.vstack(
        [mep(1, amplitude_mv=one, noise_mv=0.004, seed=i).emg_mv for i, one in enumerate(size)]
    )
    for trials in (AmplitudeTable(noisy, pulses, None, source("noisy.csv")), trial_set(sweeps, list(pulses))):
        found = {one.intensity: one.estimate for one in measure_trials([trials]).find("MEP")}
        for level in ("38 %MSO", "41 %MSO", "44 %MSO"):
            assert found[level].low == 0.0
            assert found[level].high < 0.12
            assert "no more responses than chance" in found[level].method
        assert found["62 %MSO"].low > 0.9


def test_a_table_whose_weakest_pulses_are_all_zero_is_measured() -> None:
    rng = np.random.default_rng(10)
    mso = np.repeat([38.0, 44.0, 50.0, 56.0], 8)
    size = np.repeat([0.0, 0.05, 0.4, 1.5], 8) * np.exp(0.5 * rng.standard_normal(32))
    pulses = tuple(replace(LEFT, test_mso=float(level)) for level in mso)
    result = measure_trials([AmplitudeTable(size, pulses, None, source("zeros.csv"))])
    (weak,) = [one.estimate for one in result.find("MEP") if one.intensity == "38 %MSO"]
    assert weak.low == 0.0
    assert weak.high < 0.05
    assert "not-measured" not in {flag.code for flag in result.flags}


def test_sweeps_shorter_than_the_window_are_measured_with_a_caution(mep) -> None:
    whole = trial_set(mep(12, latency_ms=22.0).emg_mv, [LEFT] * 12)
    short = replace(whole, emg_mv=whole.emg_mv[:, : 1500 + 250])
    result = measure_trials([short])
    assert "window-shortened" in {flag.code for flag in result.flags}
    ours, long = result.find("MEP")[0].estimate, measure_trials([whole]).find("MEP")[0].estimate
    assert ours.value == pytest.approx(long.value, rel=0.01)


def test_settings_reach_the_measures(paired_block) -> None:
    settings = TmsSettings(measures=GroupSettings(level=0.8, floor_mv=0.001))
    result = measure_trials([paired_block()], settings=settings)
    assert {one.estimate.level for one in result.estimates} == {0.8}
    assert result.provenance.settings["measures"]["level"] == 0.8


def amplitude_csv(path: Path, *, seed: int = 1) -> Path:
    rng = np.random.default_rng(seed)
    rows = "".join(f"left,FDI,single,{np.exp(rng.standard_normal()):.4f}\n" for _ in range(20))
    path.write_text("hemisphere,muscle,kind,amplitude_mv\n" + rows)
    return path


def test_a_bad_recording_does_not_stop_the_others(tmp_path: Path) -> None:
    good = amplitude_csv(tmp_path / "good.csv")
    bad = tmp_path / "bad.vhdr"
    bad.write_bytes(b"\x00\x01\x02")
    result = measure_recordings([bad, good])
    assert isinstance(result, TmsResult)
    assert len(result.find("MEP", hemisphere="left")) == 1
    (refused,) = [flag for flag in result.flags if flag.code == "recording-refused"]
    assert "bad.vhdr" in refused.message
    with pytest.raises(InputError, match=r"bad\.vhdr"):
        measure_recordings(bad)
    with pytest.raises(InputError, match="none was given"):
        measure_recordings([])


def test_real_recording_with_hum_from_file_to_result(shared: Path) -> None:
    pytest.importorskip("neo")
    path = shared / "tms" / "cunningham" / "BrainVision" / "Example Data 1.vhdr"
    result = measure_recordings(path, muscle="RFDI")
    assert len(result.trials) == 20
    (latency,) = result.find("MEP latency")
    assert latency.estimate.value == pytest.approx(28.2, abs=0.6)
    assert {"hum", "marker-not-stimulus"} <= {flag.code for flag in result.flags}


def test_singles_of_unknown_intensity_beside_pairs_are_said_to_be_assumed(paired_block) -> None:
    given = measure_trials([paired_block()])
    block = paired_block()
    pulses = tuple(replace(pulse, test_rmt=None) for pulse in block.pulses)
    unknown = measure_trials([replace(block, pulses=pulses)])
    assert "test-alone-assumed" not in {flag.code for flag in given.flags}
    (flag,) = [flag for flag in unknown.flags if flag.code == "test-alone-assumed"]
    assert flag.value == 25


def test_stimuli_of_unstated_kind_are_kept_out_of_mep_and_ratio():
    given = {"hemisphere": "left", "muscle": "FDI", "state": "rest", "test_mso": 55.0}
    pulses = (
        [Pulse(np.nan, "single", **given)] * 8
        + [Pulse(np.nan, "paired", isi_ms=2.5, conditioning_mso=35.0, **given)] * 8
        + [Pulse(np.nan, "unknown", **given)] * 8
    )
    amplitude = np.concatenate([np.full(8, 1.0), np.full(8, 0.5), np.full(8, 0.1)]) * np.tile(
        [0.9, 1.0, 1.1, 1.0], 6
    )
    source = SourceFile("a.csv", "0" * 64, 1)
    result = measure_trials([AmplitudeTable(amplitude, tuple(pulses), None, source)])
    (mep,) = result.find("MEP")
    assert mep.estimate.value == pytest.approx(1.0, rel=0.02)
    (apart,) = result.find("MEP of unstated kind")
    assert apart.estimate.value == pytest.approx(0.1, rel=0.02)
    assert "kind-not-stated" in {flag.code for flag in result.flags}
    alone = measure_trials([AmplitudeTable(amplitude[16:], tuple(pulses[16:]), None, source)])
    assert alone.find("MEP")
    assert "kind-assumed-single" in {flag.code for flag in alone.flags}
