"""What the page of each scan and recording claims, kept beside its result to be held against the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.claim import Claim, claims_of
from sudeck.report.scan import words as scan_words
from sudeck.report.tms import sentences as tms_sentences
from sudeck.scan.result import ScanResult

if TYPE_CHECKING:
    from sudeck.tms.result import TmsResult

SCAN_LEDGER: Final = "scan_claims.json"
TMS_LEDGER: Final = "tms_claims.json"


def keep_claims(result: ScanResult | TmsResult) -> Mapping[str, bytes]:
    """Return the ledger of the page of a scan or a recording, as a file."""
    if isinstance(result, ScanResult):
        name, claims = SCAN_LEDGER, claims_of(scan_words.sentences(result))
    else:
        name, claims = TMS_LEDGER, claims_of(tms_sentences.sentences(result))
    # An open end stands as null; what is within it has no bound.
    given = [{**one.to_dict(), "high": one.high if one.high < float("inf") else None} for one in claims]
    return {name: json.dumps(given, allow_nan=False).encode()}


def read_claims(folder: Path, ledger: str) -> Iterator[tuple[Claim, ...]]:
    """Yield the ledger of each page of a kind kept in a patient's folder."""
    for path in sorted(folder.glob(f"*{ledger}")):
        given: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        yield tuple(
            Claim(**{**one, "high": float("inf") if one["high"] is None else one["high"]}) for one in given
        )
