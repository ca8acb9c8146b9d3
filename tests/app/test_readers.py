"""Two persons who read a study blinded to each other, and how far they agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from sudeck.app.server import review_app
from sudeck.cli.app import app as commands
from sudeck.core.errors import InputError
from sudeck.study.answers.reader_agreement import compare_readers
from sudeck.study.checks.check import check_study
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import (
    decision_file,
    read_decisions,
    record_decision,
    standing_decisions,
    take_over,
)
from sudeck.study.folder.layout import StudyFolder, open_study
from sudeck.study.measuring.records import stored_record
from sudeck.study.measuring.run import run_study
from support.reviewing import ADDRESS, EMG_SESSION, PORT, TOKEN, Reader

SCAN = "sub-001/ses-pre/scan"
TRIALS = f"sub-001/{EMG_SESSION}/trials"


def reading(study: StudyFolder, name: str, shift: float, rejected: tuple[int, ...]) -> dict[str, Any]:
    """Let a person review three patients; gives what the pages showed of the first."""
    own = open_study(study.root, reader=name)
    app = review_app(own, token=TOKEN, port=PORT)
    with TestClient(app, base_url=ADDRESS, headers={"origin": ADDRESS}) as client:
        client.get("/", params={"token": TOKEN})
        reader = Reader(client, own)
        assert client.get("/readers").status_code == 404
        assert f"blinded reading by {name}" in client.get("/").text
        for patient in ("sub-001", "sub-002", "sub-003"):
            part = f"{patient}/ses-pre/scan"
            region = reader.ask(f"{part}/outline", name="whole")["region"]
            region = {**region, "points": [[x + shift, y] for x, y in region["points"]]}
            assert reader.save(patient, "ses-pre", [{"kind": "region", "value": region}])["status"] == 200
            assert reader.save(patient, "", [{"kind": "accepted", "value": True}])["status"] == 200
        rows = reader.ask(TRIALS)["result"]["trials"]
        drafts = [{"kind": "trial", "about": rows[i]["about"], "value": "reject"} for i in rejected]
        assert reader.save("sub-001", EMG_SESSION, drafts)["status"] == 200
        shown: dict[str, Any] = reader.ask(f"{SCAN}/measure")
        return shown


def test_two_readers_see_nothing_of_each_other_and_are_compared(study: StudyFolder) -> None:
    before = stored_record(study, "sub-001")
    first = reading(study, "NM", 0.0, (0, 1, 2))
    second = reading(study, "AB", 0.6, (1, 2, 3))
    assert {one["who"] for one in second["decisions"]} == {"AB"}
    assert first["result"]["estimates"] != second["result"]["estimates"]
    with pytest.raises(InputError, match="not measured"):
        compare_readers(study)

    given = CliRunner().invoke(commands, ["review", str(study.root), "--compare"])
    assert given.exit_code == 0, given.output
    own = stored_record(replace(study, reader="AB"), "sub-001")
    assert own is not None
    assert own["scans"]["ses-pre"]["estimates"] == second["result"]["estimates"]

    found = compare_readers(study)
    assert found.read == {"AB": 3, "NM": 3}
    assert found.ratios["VPr"].n == 3
    (trials,) = found.trials
    assert trials.rejected == (3, 3, 2)
    assert trials.same == pytest.approx(1 - 2 / trials.trials)
    assert (study.derivatives / "readers.tsv").is_file()

    run_study(study.root, jobs=1)  # no blinded reading is used
    assert stored_record(study, "sub-001") == before

    app = review_app(study, token=TOKEN, port=PORT)
    with TestClient(app, base_url=ADDRESS) as client:
        client.get("/", params={"token": TOKEN})
        assert 'href="/readers"' in client.get("/").text
        page = client.get("/readers").text
        assert "AB and NM" in page
        assert f"{found.ratios['VPr'].icc.value:.4f}" in page
        taken = {"reader": "AB", "who": "CD", "why": "consensus", "seen": ""}
        ask = lambda body: client.post("/api/sub-001/take-over", json=body, headers={"origin": ADDRESS})  # noqa: E731
        assert ask({**taken, "reader": "XY"}).status_code == 422
        assert ask(taken).json()["saved"] == 5  # the region, three trials, and that it was looked at
        assert ask(taken).json()["saved"] == 0
        assert ask({**taken, "reader": "NM"}).status_code == 409

    run_study(study.root, jobs=1)  # which counts from now on, to the last digit
    counted = stored_record(study, "sub-001")
    assert counted is not None
    assert counted["scans"]["ses-pre"]["estimates"] == own["scans"]["ses-pre"]["estimates"]
    shown = [record["recordings"][EMG_SESSION]["estimates"] for record in (counted, own)]
    assert shown[0] == shown[1]
    assert "blinded reading of AB" in read_decisions(study, "sub-001")[0].why


def test_taking_a_reading_over_takes_back_what_it_has_not(study: StudyFolder) -> None:
    def decide(where: StudyFolder, kind: Any, value: Any, about: str = "") -> None:
        record_decision(where, Decision("sub-002", kind, value, "NM", "seen", about=about))

    reader = open_study(study.root, reader="AB")
    decide(study, "side", "left")
    decide(study, "note", "a note of our own")
    with pytest.raises(InputError, match="nobody of that name"):
        take_over(study, "AB", "sub-002", who="CD", why="consensus")
    decide(reader, "limb", "hand")
    with pytest.raises(InputError, match="AB did not review this patient"):
        take_over(study, "AB", "sub-002", who="CD", why="consensus")
    decide(reader, "accepted", True)
    assert len(take_over(study, "AB", "sub-002", who="CD", why="consensus")) == 3
    standing = {one.kind: one.value for one in standing_decisions(study, "sub-002")}
    assert standing == {"note": "a note of our own", "limb": "hand", "accepted": True}
    assert take_over(study, "AB", "sub-002", who="CD", why="consensus") == ()
    given = CliRunner().invoke(
        commands, ["decide", str(study.root), "sub-002", "take-over", "AB", "--why", "consensus"]
    )
    assert "stands as AB read it already" in given.output
    decide(study, "signed-off", True)
    with pytest.raises(InputError, match="signed off"):
        take_over(study, "AB", "sub-002", who="CD", why="consensus")


def test_check_finds_a_reading_that_was_changed(study: StudyFolder) -> None:
    reading(study, "NM", 0.0, (0,))
    path = decision_file(replace(study, reader="NM"), "sub-001")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    assert "reading of NM" in str(check_study(study, pixels=False))


def test_one_reader_is_not_compared(study: StudyFolder) -> None:
    with pytest.raises(InputError, match="0 persons read it blinded"):
        compare_readers(study)
    with pytest.raises(InputError, match="letters and digits"):
        open_study(study.root, reader="../NM")


def test_a_trial_that_two_recordings_have_is_refused_until_it_is_said_of_which(study: StudyFolder) -> None:
    (recording,) = study.root.glob(f"sub-001/{EMG_SESSION}/emg/*_emg.edf")
    recording.with_name(recording.name.replace("task-", "task-second")).write_bytes(recording.read_bytes())

    def decide(*place: str) -> Any:
        words = ["decide", str(study.root), "sub-001", "reject", "trial", "3", *place]
        return CliRunner().invoke(commands, [*words, "--session", EMG_SESSION, "--why", "x", "--who", "NM"])

    refused = decide()
    assert isinstance(refused.exception, InputError)
    named = str(refused.exception).partition("reject trial 3 of ")[2].rstrip(".")
    assert decide("of", named).exit_code == 0
    assert [one.about for one in standing_decisions(study, "sub-001")] == [f"trial 3 of {named}"]
