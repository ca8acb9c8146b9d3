"""Which pairs are measured together: each against the test pulse alone of its own intensity."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.core.provenance import SourceFile
from sudeck.tms.comparison import compare_results
from sudeck.tms.measurement import measure_trials
from sudeck.tms.result import TmsResult
from sudeck.tms.signals.trials import AmplitudeTable, Pulse

SOURCE = SourceFile("a_trials.tsv", "0" * 64, 1)


def measured(*blocks: tuple[float, dict[str, object]]) -> TmsResult:
    """Measure blocks of twelve amplitudes about a median, of which each is what it says."""
    spread = np.exp(np.linspace(-0.3, 0.3, 12))
    amplitude = np.concatenate([median * spread for median, _ in blocks])
    pulses = tuple(
        Pulse(float("nan"), hemisphere="left", muscle="FDI", state="rest", **given)  # type: ignore[arg-type]
        for _, given in blocks
        for _ in spread
    )
    return measure_trials([AmplitudeTable(amplitude, pulses, None, SOURCE)])


def single(**given: object) -> dict[str, object]:
    return {"kind": "single", **given}


def pair(isi_ms: float, **given: object) -> dict[str, object]:
    return {"kind": "paired", "isi_ms": isi_ms, **given}


def test_pairs_of_two_test_intensities_are_each_held_against_their_own() -> None:
    result = measured(
        (0.3, single(test_mso=50.0)),
        (1.5, single(test_mso=60.0)),
        (0.15, pair(2.5, test_mso=50.0, conditioning_mso=35.0)),
        (0.9, pair(2.5, test_mso=60.0, conditioning_mso=35.0)),
        (2.25, pair(12.0, test_mso=60.0, conditioning_mso=35.0)),
    )
    found = {(one.measure, one.intensity): one.estimate.value for one in result.estimates}
    assert found["SICI", "50 %MSO"] == pytest.approx(0.5, rel=1e-6)
    assert found["SICI", "60 %MSO"] == pytest.approx(0.6, rel=1e-6)
    assert found["ICF", "60 %MSO"] == pytest.approx(1.5, rel=1e-6)
    changes = compare_results(result, result).changes
    assert {one.intensity for one in changes if one.measure == "SICI"} == {"50 %MSO", "60 %MSO"}


def test_pairs_that_say_no_intensity_are_held_against_no_mixture_of_intensities() -> None:
    pairs = (0.15, pair(2.5, conditioning_mso=35.0))
    mixed = measured((0.3, single(test_mso=50.0)), (1.5, single(test_mso=60.0)), pairs)
    assert not mixed.find("SICI")
    assert any("single pulses were given at 50 %MSO, 60 %MSO" in flag.message for flag in mixed.flags)
    alone = measured((0.3, single(test_mso=50.0)), pairs)
    assert alone.find("SICI")[0].estimate.value == pytest.approx(0.5, rel=1e-6)
    assert any(flag.code == "test-alone-assumed" and "at 50 %MSO" in flag.message for flag in alone.flags)
    silent = measured((0.3, single(test_mso=50.0)), (1.5, single()), pairs)
    assert silent.find("SICI")[0].estimate.value == pytest.approx(0.1, rel=1e-6)


def test_conditions_of_one_interval_with_names_of_their_own_stay_apart_where_an_intensity_is_open() -> None:
    result = measured(
        (1.0, single(test_mso=60.0)),
        (0.5, pair(2.5, conditioning_mso=35.0, condition="SICI low")),
        (0.8, pair(2.5, conditioning_mso=35.0, condition="SICI high")),
    )
    found = {one.intensity: one.estimate.value for one in result.find("SICI")}
    assert found == pytest.approx({"SICI low": 0.5, "SICI high": 0.8}, rel=1e-6)


def test_trials_of_several_names_and_one_intensity_are_said_to_be_together() -> None:
    blocks = [(size, single(test_mso=55.0, condition=name)) for size, name in ((1.0, "go"), (0.5, "nogo"))]
    flags = [flag for flag in measured(*blocks).flags if flag.code == "names-together"]
    assert len(flags) == 1
    assert (
        "MEP at 55 %MSO of left FDI is of 24 trials under several names (go 12, nogo 12)" in flags[0].message
    )
    assert not [flag for flag in measured(blocks[0], blocks[0]).flags if flag.code == "names-together"]
