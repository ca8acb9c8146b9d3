"""The statistics of measures.tsv alone, chosen and combined as a study does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import InputError
from sudeck.study.answers.stimulated.measured_table import explain_measures

CHANGE = {"RMT": 1.0, "MEP": 1.1, "SICI": 0.5}


def rows_of(patient: int) -> list[dict[str, Any]]:
    """Give what `sudeck tms --participants` writes of one person with the left hand affected."""
    own = []
    for visit in ("post", "pre"):
        for hemisphere, side, hand in (("pain", "right", "left"), ("other", "left", "right")):
            after = visit == "post" and hemisphere == "pain"
            common = {"participant_id": f"sub-{patient}", "visit": visit, "hemisphere": hemisphere}
            common |= {"side": side, "muscle": "FDI", "muscle_side": hand}
            threshold = 40.0 + patient
            measured = {
                "RMT": (threshold, None, None),
                # 1.2 of the threshold is the MEP; a stronger pulse is another.
                f"MEP_{1.2 * threshold:g} %MSO": (1.0, 1.2 * threshold, None),
                f"MEP_{1.5 * threshold:g} %MSO": (3.0 if visit == "pre" else 1.0, 1.5 * threshold, None),
                # Their geometric mean is 0.4, before and, but for the change, after.
                "SICI_2": (0.2 if after else 0.4, 1.2 * threshold, 2.0),
                "SICI_3": (0.8 if after else 0.4, 1.2 * threshold, 3.0),
                "SICI ratio of means": (9.0, None, None),
            }
            for name, (value, intensity, isi_ms) in measured.items():
                change = CHANGE.get(name.partition("_")[0], 1.0) if after else 1.0
                # People differ in their change; on average, of logarithms, they do not.
                differ = math.exp(0.01 * (patient - 2)) if visit == "post" else 1.0
                level = None if intensity is None else f"{intensity:g} %MSO"
                row = {"measure": name, "value": value * change * differ, "log_se": 0.05}
                own.append(common | row | {"intensity": level, "isi_ms": isi_ms})
    return own


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "measures.tsv"
    rows = [row for patient in range(5) for row in rows_of(patient)]
    pd.DataFrame(rows).to_csv(path, sep="\t", index=False, na_rep="n/a")
    return path


def test_intervals_are_averaged_and_the_usual_intensity_is_the_mep(table: Path) -> None:
    found, flags = explain_measures(table)
    changes = {(one.measure, one.hemisphere): one.ratio.value for one in found.changes.changes}
    assert {measure for measure, _ in changes} == {"RMT", "MEP", "SICI"}
    for measure, change in CHANGE.items():
        assert changes[measure, "pain"] == pytest.approx(change, rel=1e-3)
        assert changes[measure, "other"] == pytest.approx(1.0, rel=1e-3)
    assert flags == ()
    assert found.changes.changes[0].baseline == "pre"


def test_relief_is_associated_where_it_is_given(table: Path, tmp_path: Path) -> None:
    relief = tmp_path / "relief.tsv"
    relief.write_text("participant_id\trelief\n" + "".join(f"sub-{i}\t{10 * i}\n" for i in range(5)))
    assert explain_measures(table)[0].associations is None
    associations = explain_measures(table, relief)[0].associations
    assert associations is not None
    assert all(math.isfinite(one.pearson.value) for one in associations.associations)


def test_what_can_not_be_used_is_refused_with_what_to_do(table: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"it has no visit before, but post, pre; .* --visits"):
        explain_measures(table, visits=("before", "post"))
    with pytest.raises(InputError, match="it has no column relief"):
        explain_measures(table, table)
    sides = pd.read_csv(table, sep="\t").assign(hemisphere=lambda rows: rows["side"])
    sides.to_csv(tmp_path / "sides.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match="measure with --participants"):
        explain_measures(tmp_path / "sides.tsv")


def test_the_command_prints_them_and_takes_no_relief_for_a_study(table: Path) -> None:
    done = CliRunner().invoke(app, ["explain", str(table)])
    assert done.exit_code == 0
    assert "What changed: post over pre" in done.output
    assert "The published pattern" in done.output
    refused = CliRunner().invoke(app, ["explain", str(table.parent), "--visits", "pre,post"])
    assert "are for a table" in str(refused.exception)
