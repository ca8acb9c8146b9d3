"""What is read ahead: who comes next, and that nobody waits for it."""

from __future__ import annotations

import threading
from dataclasses import replace

from sudeck.app.preparing import AHEAD, Preparing, ahead, preparing_of
from sudeck.app.workbench import Kept, Workbench
from sudeck.app.worklist import worklist
from sudeck.core.errors import InputError
from support.reviewing import Reader

_WAIT_S = 30.0


def test_those_after_a_patient_are_prepared_but_nobody_who_is_signed_off(reader: Reader) -> None:
    rows = list(worklist(Workbench(reader.study)))
    first, second, third = (row.patient for row in rows)
    assert ahead(rows) == [first, second, third][:AHEAD]
    assert ahead(rows, second) == [third, first]
    rows[2] = replace(rows[2], state="signed")
    assert ahead(rows, second) == [first]


def test_the_next_patient_is_measured_before_the_page_asks(reader: Reader) -> None:
    bench = Workbench(reader.study)
    prepared = threading.Event()
    made = preparing_of(bench)
    preparing = Preparing(lambda name: (made._prepare(name), prepared.set())[0], lambda: True)
    preparing.wish(["sub-002"])
    assert prepared.wait(_WAIT_S)
    found = bench.patient("sub-002")
    assert found is not None
    assert len(bench.poses._entries) == len(bench.scans._entries) == 1


def test_a_newer_wish_takes_the_place_of_older_ones_and_a_refusal_ends_nothing() -> None:
    done: list[str] = []
    idle = threading.Event()
    last = threading.Event()

    def prepare(name: str) -> None:
        done.append(name)
        if name == "refused":
            raise InputError(name, "it has no files", "add them")
        if name == "last":
            last.set()

    preparing = Preparing(prepare, idle.is_set)
    preparing.wish(["old", "older"])
    preparing.wish(["refused", "last"])  # no page waits any more only after this
    idle.set()
    assert last.wait(_WAIT_S)
    assert done == ["refused", "last"]


def test_who_makes_one_thing_does_not_hold_up_who_asks_for_another() -> None:
    kept, begun, go_on = Kept(), threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(_WAIT_S)
        return "slow"

    thread = threading.Thread(target=kept.get, args=("a", slow))
    thread.start()
    assert begun.wait(_WAIT_S)
    assert kept.get("b", lambda: "quick") == "quick"
    go_on.set()
    thread.join()
    assert kept.get("a", lambda: "made again") == "slow"
