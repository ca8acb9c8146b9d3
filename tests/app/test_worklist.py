"""The list of patients: states, reasons, size."""

from __future__ import annotations

import re
import time

from sudeck.app.workbench import Workbench
from sudeck.app.worklist import worklist
from sudeck.study.measuring.records import stored_record
from sudeck.study.measuring.run import run_study
from support.reviewing import Reader


def states(reader: Reader) -> dict[str, str]:
    return {row.patient: row.state for row in worklist(Workbench(reader.study))}


def test_a_patient_goes_from_new_to_signed(reader: Reader) -> None:
    assert states(reader)["sub-002"] in ("new", "flagged")
    reader.save("sub-002", "", [{"kind": "accepted", "value": True}])
    assert states(reader)["sub-002"] == "reviewed"
    reader.save("sub-002", "", [{"kind": "signed-off", "value": True}])
    assert states(reader)["sub-002"] == "signed"
    reader.save("sub-002", "", [{"kind": "signed-off", "value": None}])
    assert states(reader)["sub-002"] == "reviewed"


def test_flagged_patients_come_first_and_say_why(reader: Reader) -> None:
    first = reader.study.scan_files("sub-003", "ses-pre")[0]
    first.write_bytes(first.read_bytes()[:2000])
    run_study(reader.study.root, jobs=1)
    rows = worklist(Workbench(reader.study))
    found = next(row for row in rows if row.patient == "sub-003")
    assert found.state == "flagged"
    assert found.reasons
    assert [row.state for row in rows] == sorted((row.state for row in rows), key=["flagged", "new"].index)


def test_what_was_decided_since_the_run_shows(reader: Reader) -> None:
    assert not any(row.stale for row in worklist(Workbench(reader.study)))
    reader.save("sub-002", "ses-pre", [{"kind": "side", "value": "left"}])
    assert [row.patient for row in worklist(Workbench(reader.study)) if row.stale] == ["sub-002"]
    assert "sudeck run" in reader.client.get("/").text


def test_a_hundred_patients_make_a_small_page(reader: Reader) -> None:
    table = reader.study.table_file("participants")
    lines = table.read_text(encoding="utf-8").splitlines()
    more = [lines[1].replace("sub-001", f"sub-x{number:03d}") for number in range(102)]
    table.write_text("\n".join([*lines, *more]) + "\n", encoding="utf-8")
    reader.client.get("/")
    began = time.perf_counter()
    page = reader.client.get("/")
    assert page.text.count("<tr data-state") == 105
    assert len(page.content) < 200_000
    assert time.perf_counter() - began < 5.0  # about 0.1 s on a quiet machine


def test_a_patients_page_tells_measures_from_low_to_high_and_bounds_as_bounds(reader: Reader) -> None:
    page = reader.client.get("/patients/sub-001").text
    strengths = [float(one) for one in re.findall(r'FDI MEP <span class="quiet">([\d.]+) %MSO', page)]
    assert len(strengths) > 3
    assert strengths == sorted(strengths)
    assert page.count("above ") == sum(
        one["low"] is not None and one["high"] is None
        for part in (stored_record(reader.study, "sub-001") or {})["recordings"].values()
        for one in part["estimates"]
    )
