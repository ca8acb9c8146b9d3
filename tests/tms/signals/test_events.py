"""Events tables: what is read of them, and what is said of the rest."""

from __future__ import annotations

from sudeck.tms.signals.events import events_table


def test_a_column_that_tells_like_stimuli_apart_and_is_not_read_is_named() -> None:
    rows = [
        {"onset": f"{2 * k}", "trial_type": "SICI", "treatment": name, "run": str(k % 2)}
        for k, name in enumerate(["sham", "verum"] * 4)
    ]
    (flag,) = events_table(rows, "events.tsv").flags
    assert flag.code == "column-not-read"
    assert "treatment (sham, verum)" in flag.message
    apart = [row | {"trial_type": row["treatment"]} for row in rows]
    assert events_table(apart, "events.tsv").flags == ()
