"""Many studies of many worlds, spread over processes or a cluster; what came of them as one result."""

from __future__ import annotations

import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from sudeck.core.errors import InputError
from sudeck.core.provenance import SOFTWARE
from sudeck.study.measuring.engine import Died, Progress, spread
from sudeck.synthetic.study.worlds import WORLDS, find_world
from sudeck.truth.faults import find_fault
from sudeck.truth.file_study import WORLDS_OF_FILES, score_file_study
from sudeck.truth.folder_score import RESIDUAL
from sudeck.truth.goals import Line, judge_goals
from sudeck.truth.row import StudyRow, Task
from sudeck.truth.table_study import score_table_study

if TYPE_CHECKING:
    from collections.abc import Mapping

QUICK_STUDIES: Final = 6
STUDIES: Final = 100

Tier = Literal["tables", "files"]
_SCORED: Final = {"tables": score_table_study, "files": score_file_study}


@dataclass(frozen=True)
class Tally:
    """What came of many studies.

    Attributes
    ----------
    lines : tuple of Line
        One a goal and world.
    rows : tuple of StudyRow
        One a study, in the order they were asked for.
    died : int
        Studies whose process died.
    tier, fault : str
        As asked for.
    seed : int
    seconds : float
    stopped : bool
        By Ctrl-C, before all studies were done.
    """

    lines: tuple[Line, ...]
    rows: tuple[StudyRow, ...]
    died: int
    tier: Tier
    fault: str
    seed: int
    seconds: float
    stopped: bool = False

    @property
    def failed(self) -> tuple[Line, ...]:
        """The lines that fail."""
        return tuple(line for line in self.lines if line.verdict == "fail")

    def false_claims(self) -> Mapping[tuple[str, str], int]:
        """Return how many studies made each false claim, by world and claim."""
        return Counter(
            key
            for row in self.rows
            for key in {(row.task.world, one.claim.claim) for one in row.ledger if not one.holds}
        )

    def residuals(self) -> Mapping[str, list[float]]:
        """Return errors over stated errors by measure; those of one scan stand at one place in its phases."""
        found: dict[str, list[float]] = defaultdict(list)
        for row in self.rows:
            for name, values in row.numbers.items():
                if name.startswith(RESIDUAL):
                    found[name.removeprefix(RESIDUAL)] += [round(one, 3) for one in values]
        return dict(found)

    def to_dict(self) -> dict[str, Any]:
        """Return the contract of ``truth.json`` as plain JSON-ready values."""
        return {
            "software": SOFTWARE,
            "tier": self.tier,
            "fault": self.fault or None,
            "seed": self.seed,
            "worlds": {row.task.world: WORLDS[row.task.world].what for row in self.rows},
            "studies": len(self.rows),
            "died": self.died,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 1),
            "lines": [line.to_dict() for line in self.lines],
            "residuals": self.residuals(),
            "false_claims": [
                {"world": row.task.world, "seed": list(row.task.seed), **one.to_dict()}
                for row in self.rows
                for one in row.ledger
                if not one.holds
            ],
        }


def tally_truth(
    worlds: Sequence[str] = (),
    *,
    studies: int = STUDIES,
    tier: Tier = "tables",
    fault: str = "",
    together: bool = False,
    seed: int = 0,
    jobs: int | None = None,
    cluster: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Tally:
    """Draw, answer and score studies in every world; a Ctrl-C ends it with the studies that are done.

    Parameters
    ----------
    worlds : sequence of str
        All unless named.
    studies : int
        In each world.
    tier : {"tables", "files"}
        Studies as tables of a hundred patients, or as files, pixels and volts, of two dozen.
    fault : str
        Of `sudeck.truth.faults`, planted to see goals fail.
    together : bool
        As for `judge_goals`.
    seed : int
        With world and number it seeds a study, so that any number of workers computes the same.
    jobs, cluster
        As for `sudeck.study.measuring.engine.spread`.
    progress : callable, optional
        Told how far it is after every study.

    Raises
    ------
    InputError
        If there is no world or no fault of a name, or the tier has not that world.
    """
    tables = tuple(name for name, world in WORLDS.items() if not world.unlike_limbs)
    drawn = WORLDS_OF_FILES if tier == "files" else tables
    names = [find_world(name).name for name in worlds] or list(drawn)
    for name in names:
        if name not in drawn:
            raise InputError(name, f"this world is not drawn as {tier}", f"use one of {', '.join(drawn)}")
    find_fault(fault)
    tasks = [
        Task(name, (seed, zlib.crc32(name.encode()), number), fault)
        for number in range(studies)
        for name in names
    ]
    begun = time.perf_counter()
    found: dict[int, StudyRow] = {}
    died = 0
    stopped = False
    try:
        for done, (index, row) in enumerate(spread(_SCORED[tier], tasks, jobs=jobs, cluster=cluster), 1):
            if isinstance(row, Died):
                died += 1
            else:
                found[index] = row
            if progress is not None:
                pace = (time.perf_counter() - begun) / done
                progress(Progress(done, len(tasks), 0, pace * (len(tasks) - done)))
    except KeyboardInterrupt:
        if not found:
            raise
        stopped = True
    rows = tuple(found[index] for index in sorted(found))
    ordered = sorted(rows, key=lambda row: (names.index(row.task.world), row.task.seed))
    seconds = time.perf_counter() - begun
    lines = judge_goals(ordered, together=together)
    return Tally(lines, tuple(ordered), died, tier, fault, seed, seconds, stopped)
