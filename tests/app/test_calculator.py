"""The calculator beside a patient says what `sudeck calculate` says."""

from __future__ import annotations

from sudeck.app.calculator_card import calculator_fields
from sudeck.app.workbench import Workbench
from sudeck.prediction import calculate
from sudeck.study.folder.layout import open_study
from sudeck.study.measuring.records import stored_record
from support.reviewing import Reader

RATIOS = {"VPr": 1.2, "TPr": 1.3, "BPr": 1.6}


def test_three_ratios_are_held_against_the_published_rule(reader: Reader) -> None:
    answer = reader.client.post("/api/sub-001/calculate", json={**RATIOS, "TPr": "1,3"}).json()
    verdict = calculate(RATIOS).verdict
    assert answer["met"] == verdict.criteria_met == 3
    assert {name: one["value"] for name, one in answer["rule"].items()} == dict(verdict.values)
    assert answer["probability"] is None  # three patients make no model


def test_what_is_no_number_is_refused(reader: Reader) -> None:
    answer = reader.client.post("/api/sub-001/calculate", json={**RATIOS, "TPr": "much"})
    assert answer.status_code == 422
    assert "it is no number" in answer.json()["error"]


def test_it_begins_with_what_was_measured_and_a_blinded_reader_has_none(reader: Reader) -> None:
    bench = Workbench(reader.study)
    patient, record = bench.patient("sub-001"), stored_record(reader.study, "sub-001")
    assert patient is not None
    assert record is not None
    fields = {one.name: one.value for one in calculator_fields(bench, patient, record)}
    vpr = record["scans"]["ses-pre"]["estimates"]["VPr"]["value"]
    assert float(fields["VPr"]) == round(vpr, 3)
    blinded = Workbench(open_study(reader.study.root, reader="NM"))
    assert calculator_fields(blinded, patient, record) == ()
