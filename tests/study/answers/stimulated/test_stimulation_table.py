"""The table of measures: intervals common to the visits, their errors, and the way back to the record."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from sudeck.study.answers.stimulated.hemisphere_reading import Reading
from sudeck.study.answers.stimulated.placed_readings import read_recordings, visit_names
from sudeck.study.answers.stimulated.stimulation_table import (
    BOTH,
    CIRCUIT,
    COLUMNS,
    GROUP,
    combine_intervals,
    for_circuit,
    mean_variance,
    tabulate_stimulation,
)
from sudeck.study.folder.layout import StudyFolder
from support.stimulated import estimate

VISITS = visit_names(("ses-pre", "ses-post"))


def readings(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> tuple[Reading, ...]:
    recordings = {"ses-pre": {"estimates": before}, "ses-post": {"estimates": after}}
    return read_recordings({"participant_id": "sub-001", "recordings": recordings}, VISITS, "right")[0]


def sici(isi: float, value: float, side: str = "left", **given: Any) -> dict[str, Any]:
    return estimate("SICI", side, value, isi_ms=isi, **given)


def test_a_named_measure_is_the_mean_over_what_both_visits_have() -> None:
    own = readings([sici(2, 0.4), sici(3, 0.9)], [sici(2, 0.2)])
    combined, flags = combine_intervals(own)
    assert {one.visit: (one.value, of) for one, of in combined} == {
        "pre": (pytest.approx(0.4), "SICI_2"),
        "post": (pytest.approx(0.2), "SICI_2"),
    }
    assert not flags
    whole, _ = combine_intervals(readings([sici(2, 0.4), sici(3, 0.9)], [sici(2, 0.2), sici(3, 0.1)]))
    assert [one.value for one, _ in whole] == [pytest.approx(0.6), pytest.approx(math.sqrt(0.02))]
    assert {of for _, of in whole} == {"SICI_2, SICI_3"}


def test_hemispheres_are_compared_at_the_same_intervals() -> None:
    both = [sici(2, 0.4), sici(3, 0.9), sici(2, 0.5, "right")]
    combined, _ = combine_intervals(readings(both, both))
    assert {of for _, of in combined} == {"SICI_2"}
    # Nothing in common between hemispheres, yet between the visits of each.
    apart = [sici(2, 0.4), sici(3, 0.5, "right")]
    assert {of for _, of in combine_intervals(readings(apart, apart))[0]} == {"SICI_2", "SICI_3"}


def test_nothing_in_common_is_said() -> None:
    combined, flags = combine_intervals(readings([sici(2, 0.4)], [sici(3, 0.4)]))
    assert combined == []
    assert "sub-001: SICI of the pain hemisphere" in flags[0].message


def test_a_missed_visit_takes_nothing_away() -> None:
    combined, _ = combine_intervals(readings([sici(2, 0.4), sici(3, 0.9)], []))
    assert [of for _, of in combined] == ["SICI_2, SICI_3"]


def test_the_error_of_a_mean_of_intervals_is_that_of_simulated_trials() -> None:
    rng = np.random.default_rng(5)
    n_single, n_paired, sd, repeats = 10, 12, 0.5, 40_000
    alone = sd * rng.standard_normal((repeats, n_single)).mean(axis=1)
    pairs = sd * rng.standard_normal((repeats, 3, n_paired)).mean(axis=2)
    simulated = (pairs - alone[:, None]).mean(axis=1).var()
    shared = sd**2 / n_single
    stated = mean_variance([shared + sd**2 / n_paired] * 3, [shared] * 3)
    assert stated == pytest.approx(simulated, rel=0.03)
    assert mean_variance([0.02, 0.02], [math.nan] * 2) == pytest.approx(0.015)


def test_the_mep_is_taken_nearest_to_120_percent() -> None:
    rows = [
        estimate("MEP", "left", value, intensity=f"{percent} %RMT")
        for percent, value in ((110, 0.3), (130, 1.5))
    ]
    named = [*rows, estimate("MEP", "left", 1.0, intensity="120 %RMT")]
    assert [of for _, of in combine_intervals(readings(named, named))[0]] == ["MEP_1.2"] * 2
    # What only one visit has does not count, however usual it is.
    assert {of for _, of in combine_intervals(readings(named, rows))[0]} <= {"MEP_1.1", "MEP_1.3"}


def test_rows_lead_back_to_record_and_trials(study: StudyFolder) -> None:
    own = readings([estimate("RMT", "left", 50.0), sici(2, 0.4), sici(3, 0.9)], [sici(2, 0.2), sici(3, 0.1)])
    table = tabulate_stimulation(study, {"sub-001": own}, visits=("pre", "post"))
    assert table.frame["measure"].tolist() == ["RMT", "SICI", "SICI_2", "SICI_3", "SICI", "SICI_2", "SICI_3"]
    assert table.frame["used_for"].tolist() == [BOTH, GROUP, CIRCUIT, CIRCUIT, GROUP, CIRCUIT, CIRCUIT]
    assert set(table.frame["record"]) == {"sub-001/sub-001.json"}
    assert table.frame["trials"].iloc[-1] == "sub-001/ses-post_trials.tsv"
    assert table.used_for(GROUP)["measure"].tolist() == ["RMT", "SICI", "SICI"]
    assert table.used_for(CIRCUIT)["measure"].tolist() == ["RMT", "SICI_2", "SICI_3", "SICI_2", "SICI_3"]
    table.write(study)
    lines = (study.derivatives / "measures.tsv").read_text().splitlines()
    assert lines[0].split("\t") == list(COLUMNS)
    assert len(lines) == 8
    sidecar = json.loads((study.derivatives / "measures_columns.json").read_text())
    assert list(sidecar) == list(COLUMNS)


def test_of_several_conditioning_intensities_the_circuit_takes_its_own(study: StudyFolder) -> None:
    both = [sici(2, 0.6, conditioning="70 %RMT"), sici(2, 0.5, conditioning="80 %RMT")]
    table = tabulate_stimulation(study, {"sub-001": readings(both, both)}, visits=("pre", "post"))
    assert table.used_for(CIRCUIT)[["measure", "value"]].values.tolist() == [["SICI_2", 0.5]] * 2
    assert table.used_for(GROUP)["value"].tolist() == [pytest.approx(math.sqrt(0.3))] * 2


def test_afferent_inhibition_is_for_patients_together_and_not_for_the_circuit() -> None:
    pair = [estimate("SAI", "left", value, isi_ms=22, conditioning="afferent") for value in (0.6, 0.4)]
    own = readings(pair[:1], pair[1:])
    assert [(one.name, one.value) for one in own] == [("SAI_22", 0.6), ("SAI_22", 0.4)]
    assert for_circuit(own) == []
    combined, flags = combine_intervals(own)
    assert [(one.name, of) for one, of in combined] == [("SAI", "SAI_22")] * 2
    assert not flags
