"""The result of a measurement: estimates, one row a trial, flags, provenance; as objects, JSON and TSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sudeck.core.storage import write_json, write_tsv
from sudeck.tms.measures.measured import TRIAL_COLUMNS

if TYPE_CHECKING:
    from sudeck.core.flags import Flag
    from sudeck.core.provenance import Provenance
    from sudeck.tms.measures.measured import GroupMeasures, Measured, Trial
    from sudeck.tms.recordings.trial_decisions import TrialDecision
    from sudeck.tms.responses.responses import TrialResponses
    from sudeck.tms.signals.trials import TrialSet


@dataclass(frozen=True)
class TmsResult:
    """Everything a measurement found.

    Attributes
    ----------
    groups : tuple of GroupMeasures
        One a visit, hemisphere and muscle, from all trials that were not rejected.
    estimates, estimates_without_flagged : tuple of Measured
        From all trials, and from those that carry no flag.
    trials : tuple of Trial
        One a trial, in order of file and time.
    sweeps : tuple of (TrialSet, TrialResponses)
        The sweeps themselves, for a report to draw; empty for tables of amplitudes.
    flags : tuple of Flag
        Of recordings, trials and measures.
    provenance : Provenance
    reporting : Mapping of str to str
        What the protocol file says for the reporting checklist; see `sudeck.tms.checklist`.
    decisions : tuple of TrialDecision
        What a person decided about single trials; they are in `groups` and all that is made of them.
    estimates_undecided : tuple of Measured
        The same estimates from all trials as they were recorded, before anybody decided; empty where nobody
        did.
    """

    groups: tuple[GroupMeasures, ...]
    estimates_without_flagged: tuple[Measured, ...]
    trials: tuple[Trial, ...]
    sweeps: tuple[tuple[TrialSet, TrialResponses], ...]
    flags: tuple[Flag, ...]
    provenance: Provenance
    reporting: Mapping[str, str] = field(default_factory=dict)
    decisions: tuple[TrialDecision, ...] = ()
    estimates_undecided: tuple[Measured, ...] = ()

    @property
    def n_rejected(self) -> int:
        """Number of trials that a person took out of the measures."""
        return sum(trial.rejected for trial in self.trials)

    @property
    def estimates(self) -> tuple[Measured, ...]:
        """All estimates, group by group."""
        return tuple(measured for group in self.groups for measured in group.estimates)

    def find(self, measure: str, **wanted: object) -> Sequence[Measured]:
        """Return the estimates of a measure whose fields are as wanted, e.g. ``hemisphere="left"``."""
        return [
            item
            for item in self.estimates
            if item.measure == measure and all(getattr(item, key) == value for key, value in wanted.items())
        ]

    def __str__(self) -> str:
        lines = [str(item) for item in self.estimates] or ["nothing could be estimated"]
        whole = [str(flag) for flag in self.flags if "trial " not in flag.subject]
        n_flagged = sum(bool(trial.flags) for trial in self.trials)
        counts = f"{n_flagged} of {len(self.trials)} trials carry a flag"
        if self.n_rejected:
            counts += f", {self.n_rejected} were rejected"
        return "\n".join([*lines, *whole, counts])

    def to_dict(self) -> dict[str, Any]:
        """Return the content of tms.json."""
        decided = {
            "decisions": [item.to_dict() for item in self.decisions],
            "estimates_undecided": [item.to_dict() for item in self.estimates_undecided],
        }
        return {
            "estimates": [item.to_dict() for item in self.estimates],
            "estimates_without_flagged": [item.to_dict() for item in self.estimates_without_flagged],
            "estimates_background_adjusted": [
                item.to_dict() for group in self.groups for item in group.adjusted
            ],
            "flags": [flag.to_dict() for flag in self.flags],
            "provenance": self.provenance.to_dict(),
            **(decided if self.decisions else {}),
        }

    def write(self, folder: str | Path) -> None:
        """Write tms.json, and trials.tsv with its sidecar, into a folder; each atomically."""
        folder = Path(folder)
        write_json(folder / "tms.json", self.to_dict())
        write_tsv(folder / "trials.tsv", [trial.to_row() for trial in self.trials], columns=TRIAL_COLUMNS)
