"""What a person saves on the pages: a run afterwards gives the numbers that were shown, of each kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sudeck.app.scan_calls import scan_at_work
from sudeck.app.workbench import Workbench
from sudeck.core.storage import to_json
from sudeck.study.checks.check import check_study
from sudeck.study.folder.decisions import decision_file, read_decisions
from sudeck.study.measuring.inputs import patient_inputs
from sudeck.study.measuring.records import stored_record
from sudeck.study.measuring.run import run_study
from support.reviewing import EMG_SESSION, Reader

SCAN = "sub-001/ses-pre/scan"
TRIALS = f"sub-001/{EMG_SESSION}/trials"


def drawn(reader: Reader, name: str = "whole") -> dict[str, Any]:
    region: dict[str, Any] = reader.ask(f"{SCAN}/outline", name=name)["region"]
    return region


def rerun(reader: Reader, patient: str = "sub-001") -> dict[str, Any]:
    run_study(reader.study.root, jobs=1)
    record = stored_record(reader.study, patient)
    assert record is not None
    return record


def moved(region: dict[str, Any], dx: float, dy: float) -> dict[str, Any]:
    return {**region, "points": [[x + dx, y + dy] for x, y in region["points"]]}


def test_what_is_shown_first_is_what_the_run_measured(reader: Reader) -> None:
    record = stored_record(reader.study, "sub-001")
    assert record is not None
    assert reader.ask(f"{SCAN}/measure")["result"]["estimates"] == record["scans"]["ses-pre"]["estimates"]
    shown = reader.ask(TRIALS)["result"]["estimates"]
    assert shown == record["recordings"][EMG_SESSION]["estimates"]


def kinds(reader: Reader) -> dict[str, list[dict[str, Any]]]:
    region = drawn(reader)
    as_set = reader.ask(f"{SCAN}/measure")["poses"]["bone"]["as_set"]
    counterpart = [as_set["counterpart"][0] + 0.7, as_set["counterpart"][1] - 0.4]
    return {
        "mirror": [{"kind": "mirror", "value": {**as_set, "counterpart": counterpart}}],
        "region": [{"kind": "region", "value": moved(region, 0.5, -0.6)}],
        "side": [{"kind": "side", "value": "right"}],
        "image-left": [{"kind": "image-left", "value": "left"}],
        "view": [{"kind": "view", "value": "posterior"}],
        "phase": [
            {"kind": "phase", "about": "02_pool.dcm", "value": "bone"},
            {"kind": "phase", "about": "03_delayed.dcm", "value": "tissue"},
        ],
        "limb": [{"kind": "limb", "value": "foot"}],
        "injection-time": [{"kind": "injection-time", "value": "2020-03-14T08:56:00"}],
        "frame-time": [{"kind": "frame-time", "value": 4.0}],
    }


OF_SCANS = ["region", "mirror", "side", "image-left", "view", "phase", "limb", "injection-time", "frame-time"]


@pytest.mark.parametrize("kind", OF_SCANS)
def test_after_saving_a_run_gives_exactly_the_ratios_shown(reader: Reader, kind: str) -> None:
    before = reader.ask(f"{SCAN}/measure")["result"]["estimates"]
    drafts = kinds(reader)[kind]
    if (
        kind == "limb"
    ):  # the table and the files contradict each other: nothing is measured until a person says
        table = reader.study.root / "participants.tsv"
        table.write_text(table.read_text().replace("foot", "hand", 1))
        assert "it shows the foot, not the hand" in reader.ask(f"{SCAN}/measure")["problem"]
    shown = reader.ask(f"{SCAN}/measure", drafts)["result"]
    images = reader.ask(SCAN, drafts)["phases"]
    # The view tells only which side lies where, which the files say too; the injection only when.
    if kind not in ("view", "limb", "injection-time"):
        assert shown["estimates"] != before
    assert reader.save("sub-001", "ses-pre", drafts)["status"] == 200
    scan = rerun(reader)["scans"]["ses-pre"]
    assert scan["estimates"] == shown["estimates"]
    assert [flag["message"] for flag in scan["flags"]] == [flag["message"] for flag in shown["flags"]]
    for name, phase in scan["phases"].items():
        assert phase["start_s"] == images[name]["start_s"]
    if kind == "injection-time":
        assert [images[name]["start_s"] for name in ("vascular", "tissue")] == [240.0, 540.0]


@pytest.mark.parametrize(
    "draft", [{"kind": "limb", "value": "hand"}, {"kind": "injection-time", "value": "2020-03-12T09:00:00"}]
)
def test_what_makes_a_scan_unusable_is_refused_by_the_run_as_on_the_page(
    reader: Reader, draft: dict[str, Any]
) -> None:
    shown = reader.ask(f"{SCAN}/measure", [draft])["problem"]
    assert reader.save("sub-001", "ses-pre", [draft])["status"] == 200
    failures = rerun(reader)["failures"]
    assert [one["reason"] for one in failures if one["measure"] == "scan"] == [shown]


@pytest.mark.parametrize("kind", ["trial", "onset"])
def test_after_saving_a_run_gives_exactly_the_measures_shown(reader: Reader, kind: str) -> None:
    rows = reader.ask(TRIALS)["result"]["trials"]
    row = next(row for row in rows if row["latency_ms"])
    value = "reject" if kind == "trial" else row["latency_ms"] + 1.5
    drafts = [{"kind": kind, "about": row["about"], "value": value}]
    shown = reader.ask(f"{TRIALS}/measure", drafts)["result"]
    assert shown["undecided"] != shown["estimates"] or kind == "onset"
    assert reader.save("sub-001", EMG_SESSION, drafts)["status"] == 200
    assert rerun(reader)["recordings"][EMG_SESSION]["estimates"] == shown["estimates"]


def test_the_healthy_region_is_shown_where_it_is_measured(reader: Reader) -> None:
    region = drawn(reader)
    ellipse = {"name": "e", "type": "ellipse", "unit": "mm", "centre": [0, 0], "radii": [22, 13]}
    corners = np.array(region["points"])
    spacing = reader.ask(f"{SCAN}/measure")["poses"]["bone"]["spacing_mm"]
    ellipse["centre"] = (corners.mean(axis=0) * spacing[::-1]).tolist()
    inputs = patient_inputs(reader.study, "sub-001", Workbench(reader.study).rows()["sub-001"])
    posed = scan_at_work(Workbench(reader.study), inputs, "ses-pre").posed
    for shape in (region, ellipse):
        poses = reader.ask(f"{SCAN}/measure", [{"kind": "region", "value": shape}])["poses"]
        for name, pose in posed.poses.phases.items():
            (beyond,) = poses[name]["beyond"]
            if shape is not region:
                assert len(beyond) == 32
                continue
            a, b, c, d, e, f = poses[name]["to_healthy"]
            shown = corners @ np.array([[a, b], [c, d]]) + (e, f) + beyond
            places = posed.poses.phases["bone"].grid.points_of(corners[:, 1], corners[:, 0])
            row, column = pose.grid.pixel_of(pose.counterpart(places))
            assert np.abs(shown - np.stack([column, row], axis=1)).max() < 0.01


def test_a_trial_rejected_and_taken_back_gives_the_same_bits(reader: Reader) -> None:
    first = reader.ask(TRIALS)["result"]
    row = next(row for row in first["trials"] if row["kind"] == "paired")
    rejected = [{"kind": "trial", "about": row["about"], "value": "reject"}]
    without = reader.ask(f"{TRIALS}/measure", rejected)["result"]
    assert [one["rejected"] for one in without["trials"]].count(True) == 1
    fewer = [
        (a["n"], b["n"])
        for a, b in zip(first["estimates"], without["estimates"], strict=True)
        if a["n"] != b["n"]
    ]
    assert fewer
    assert all(n - m == 1 for n, m in fewer)
    reader.save("sub-001", EMG_SESSION, rejected)
    reader.save("sub-001", EMG_SESSION, [{**rejected[0], "value": None}])
    assert reader.ask(TRIALS)["result"] == first
    assert len(read_decisions(reader.study, "sub-001")) == 2  # undo is a line, nothing is erased


def test_a_region_on_air_is_refused_and_nothing_is_kept(reader: Reader) -> None:
    air = {**drawn(reader), "points": [[2, 2], [14, 2], [14, 12], [2, 12]]}
    drafts = [{"kind": "region", "value": air}]
    assert "lies on the affected limb" in reader.ask(f"{SCAN}/measure", drafts)["problem"]
    assert reader.save("sub-001", "ses-pre", drafts)["status"] == 422
    assert not decision_file(reader.study, "sub-001").exists()


def test_a_second_tab_is_told_what_came_in_between(reader: Reader) -> None:
    head = reader.ask(SCAN)["head"]
    assert reader.save("sub-001", "ses-pre", [{"kind": "side", "value": "left"}], seen=head)["status"] == 200
    stale = reader.save("sub-001", "ses-pre", [{"kind": "side", "value": "right"}], seen=head)
    assert stale["status"] == 409
    assert '"left" (NM' in stale["decided"][0]
    assert len(read_decisions(reader.study, "sub-001")) == 1
    again = [{"kind": "side", "value": "right"}]
    assert reader.save("sub-001", "ses-pre", again, seen=stale["head"])["status"] == 200


def test_a_signed_patient_is_closed_until_reopened(reader: Reader) -> None:
    side = [{"kind": "side", "value": "left"}]
    assert reader.save("sub-002", "", [{"kind": "signed-off", "value": True}])["status"] == 200
    refused = reader.save("sub-002", "ses-pre", side)
    assert refused["status"] == 422
    assert "NM signed the patient off" in refused["error"]
    assert reader.save("sub-002", "", [{"kind": "signed-off", "value": None}])["status"] == 200
    assert reader.save("sub-002", "ses-pre", side)["status"] == 200


def test_a_decision_needs_who_and_why(reader: Reader) -> None:
    drafts = [{"kind": "side", "value": "left"}]
    answer = reader.ask("sub-001/decisions", drafts, session="ses-pre", who=" ", why="x", seen="")
    assert answer["status"] == 422
    assert not decision_file(reader.study, "sub-001").exists()


@pytest.mark.parametrize(
    "drafts",
    [
        "reject everything",
        [{"kind": "side", "value": "middle"}],
        [{"kind": "unknown", "value": 1}],
        [{"value": "left"}],
        [17],
    ],
)
def test_what_is_no_decision_is_refused(reader: Reader, drafts: Any) -> None:
    assert reader.ask(f"{SCAN}/measure", drafts)["status"] == 422


def test_check_finds_a_line_that_was_changed_or_taken_out(reader: Reader) -> None:
    for side in ("left", "right", "left"):
        reader.save("sub-001", "ses-pre", [{"kind": "side", "value": side}])
    path = decision_file(reader.study, "sub-001")
    lines = path.read_bytes().splitlines(keepends=True)
    for forged in ([lines[0].replace(b"left", b"right"), *lines[1:]], [lines[0], lines[2]]):
        path.write_bytes(b"".join(forged))
        assert "does not follow the line before" in str(check_study(reader.study))
        page = reader.client.get("/").text
        assert "does not follow the line before" in page


def test_what_is_sent_is_strict_json(reader: Reader) -> None:
    assert "NaN" not in reader.client.post(f"/api/{TRIALS}", json={"drafts": []}).text
    assert to_json({"a": float("nan")}).split() == ["{", '"a":', "null", "}"]
