"""What a person is likely to open next is read and laid over itself before it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from starlette.requests import Request

from sudeck.app.asked import bench_of
from sudeck.app.scan_calls import scan_at_work
from sudeck.app.trial_calls import measured_trials
from sudeck.app.workbench import Workbench
from sudeck.app.worklist import WorklistRow, worklist
from sudeck.core.errors import SudeckError

AHEAD: Final = 3  # patients; the workbench keeps 8
_LOOK_AGAIN_S: Final = 0.05


class Preparing:
    """One thread that prepares patients while no page waits, the newest wish first.

    Parameters
    ----------
    prepare : callable
        Prepares one patient; what it raises is left for the page to say.
    idle : callable
        Whether no page waits.
    """

    def __init__(self, prepare: Callable[[str], None], idle: Callable[[], bool]) -> None:
        self._prepare, self._idle = prepare, idle
        self._wished: list[str] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def wish(self, patients: Sequence[str]) -> None:
        """Prepare these next, in this order, in place of what was wished before."""
        with self._changed:
            self._wished = list(patients)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def _work(self) -> None:
        for patient in self._next():
            try:
                self._prepare(patient)
            except (SudeckError, OSError):
                continue  # the page says it, with what to do

    def _next(self) -> Iterator[str]:
        while True:
            with self._changed:
                while not self._wished or not self._idle():
                    self._changed.wait(_LOOK_AGAIN_S if self._wished else None)
                patient = self._wished.pop(0)
            yield patient


def preparing_of(bench: Workbench) -> Preparing:
    """Return what prepares the patients of a study: the first page of each, scan or trials."""

    def prepare(name: str) -> None:
        found = bench.patient(name)
        if found is None:
            return
        if found.inputs.scans:
            scan_at_work(bench, found.inputs, next(iter(found.inputs.scans))).measured()
        elif found.inputs.recordings:
            measured_trials(bench, found.inputs, next(iter(found.inputs.recordings)))

    return Preparing(prepare, bench.idle)


def prepare_from(request: Request, patient: str = "") -> tuple[WorklistRow, ...]:
    """Return the worklist, and have prepared who comes first on it, or a patient and who comes after.

    Parameters
    ----------
    request : Request
    patient : str
        Whose page is opened: its files are read while the browser loads the page.
    """
    rows = worklist(bench_of(request))
    preparing: Preparing | None = request.app.state.preparing
    if preparing is not None:
        preparing.wish([*([patient] if patient else []), *ahead(rows, patient)])
    return rows


def ahead(rows: Sequence[WorklistRow], patient: str = "") -> list[str]:
    """Return the next few patients of a worklist that nobody signed, first or after one of them."""
    names = [row.patient for row in rows]
    start = names.index(patient) + 1 if patient in names else 0
    waiting = (row.patient for row in (*rows[start:], *rows[:start]) if row.state != "signed")
    return list(islice((name for name in waiting if name != patient), AHEAD))
