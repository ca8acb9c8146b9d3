"""The treatment: a record of doses in; regimens, concentrations, what is on board and contradictions out.

Read in the order of the data: `units` and `given` (what a row says), `record_checks` (where a record
contradicts itself).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.ketamine.given import GivenDose, Moment
    from sudeck.ketamine.record_checks import RecordFinding, check_record

__all__ = ["GivenDose", "Moment", "RecordFinding", "check_record"]

__getattr__, __dir__ = lazy_face(
    __name__,
    given="GivenDose Moment",
    record_checks="RecordFinding check_record",
)
