"""What the page of each scan claims, kept beside its result so that it can be held against the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.claim import Claim, claims_of
from sudeck.report.scan.words import sayings
from sudeck.scan.result import ScanResult

if TYPE_CHECKING:
    from sudeck.tms.result import TmsResult

LEDGER_FILE: Final = "claims.json"


def keep_claims(result: ScanResult | TmsResult) -> Mapping[str, bytes]:
    """Return the ledger of a scan's page as a file; nothing for a recording, which has none yet."""
    if not isinstance(result, ScanResult):
        return {}
    claims = [claim.to_dict() for claim in claims_of(sayings(result))]
    return {LEDGER_FILE: json.dumps(claims).encode()}


def read_claims(folder: Path) -> Iterator[tuple[Claim, ...]]:
    """Yield the ledger of each page kept in a patient's folder."""
    for path in sorted(folder.glob(f"*{LEDGER_FILE}")):
        told: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        yield tuple(Claim(**one) for one in told)
