"""The results of a scan as a table: one row a ratio."""

from __future__ import annotations

from pathlib import Path

from sudeck.core.estimate import Estimate
from sudeck.core.storage import write_tsv
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS
from sudeck.scan.result import ScanResult

COLUMNS = {
    "measure": "Affected over healthy uptake in the vascular, tissue or bone phase, or a ratio of two such",
    "region": "Region it was measured in: ratios of different regions are not comparable",
    "value": "Estimate",
    "low": "Lower bound of the interval",
    "high": "Upper bound of the interval",
    "level": "Coverage of the interval",
    "log_se": "Standard error of the natural logarithm",
    "log_se_counting": "Part of it from counting",
    "log_se_placement": "Part of it from the placement of the two regions",
    "counts": "Counts in the regions",
    "uptake_value": "The ratio of uptake per area: blur, scatter and background taken out",
    "uptake_low": "Lower bound of its interval",
    "uptake_high": "Upper bound of its interval",
    "cutoff": "Published cut-off (Sorel et al. 2018), where there is one",
    "exceeded": "Whether the estimate is above the cut-off",
    "probability": "Probability that the true ratio is above the cut-off, given the measurement error",
    "refused": "Why it was not measured",
}


def estimate_rows(result: ScanResult) -> list[dict[str, object]]:
    """Return one row a ratio, measured or not; those of further delayed images come last."""
    verdicts = result.verdicts()
    rows: list[dict[str, object]] = []
    for name in (*PHASE_RATIOS.values(), *RATIOS_OF_RATIOS):
        row: dict[str, object] = {
            "measure": name,
            "region": result.region,
            "refused": result.refused.get(name),
        }
        row |= _values(result.estimates.get(name), result.uptake_estimates.get(name))
        verdict = verdicts.get(name)
        if verdict is not None:
            exceeded = "yes" if verdict.exceeded else "no"
            row |= {"cutoff": verdict.cutoff, "exceeded": exceeded, "probability": verdict.probability}
        rows.append(row)
    for other in result.other_delayed:
        name = PHASE_RATIOS["bone"]
        of_image = {
            "measure": f"{name} at {other.time}",
            "region": result.region,
            "refused": other.refused.get(name),
        }
        rows.append(of_image | _values(other.estimates.get(name), other.uptake_estimates.get(name)))
    return rows


def _values(estimate: Estimate | None, uptake: Estimate | None) -> dict[str, object]:
    """Return what the estimates of the image and of uptake fill of a row."""
    row: dict[str, object] = {}
    if estimate is not None:
        row |= {
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "level": estimate.level,
            "log_se": estimate.se,
            "log_se_counting": estimate.components["counting"],
            "log_se_placement": estimate.components["placement"],
            "counts": estimate.n,
        }
    if uptake is not None:
        row |= {"uptake_value": uptake.value, "uptake_low": uptake.low, "uptake_high": uptake.high}
    return row


def write_estimates(result: ScanResult, path: Path) -> None:
    """Write the table and its sidecar."""
    write_tsv(path, estimate_rows(result), columns=COLUMNS)
