"""Tables as people wrote them become ours: each change is said, the original kept, nothing lost."""

from __future__ import annotations

from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.study.checks.table_fix import apply_fix, propose_fixes
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.settings import read_settings
from sudeck.study.folder.tables import read_tables


def test_a_good_study_needs_no_fix(filled: StudyFolder) -> None:
    assert propose_fixes(filled, read_settings(filled)) == ()


def test_a_french_table_becomes_ours(filled: StudyFolder) -> None:
    plain = filled.table_file("participants")
    plain.unlink()
    french = plain.with_suffix(".csv")
    content = "patient;sexe;membre;côté;onset_date;duration_months\nP01;H;pied;droit;15.03.2025;6,5\n"
    french.write_bytes(content.encode("cp1252"))
    pain = filled.table_file("pain")
    pain.write_text(pain.read_text().replace("day 5", "J5").replace("baseline", "Baseline"))
    rows = read_tables(filled)["participants"].rows
    result = CliRunner().invoke(app, ["check", str(filled.root), "--quick", "--fix"])
    assert "line 2, limb: pied becomes foot" in result.output
    assert "visit J5 becomes day 5" in result.output
    assert french.exists()  # nobody agreed
    CliRunner().invoke(app, ["check", str(filled.root), "--quick", "--fix", "--yes"])
    assert not french.exists()
    tables = read_tables(filled)
    assert tables["participants"].rows == rows
    assert not tables.problems
    assert {row["visit"] for row in tables["pain"].rows} == {"baseline", "day 5", "week 4", "week 12"}
    kept = filled.imports / "originals" / "001_participants.csv"
    assert kept.read_bytes() == content.encode("cp1252")
    assert propose_fixes(filled, read_settings(filled)) == ()


def test_a_table_that_would_lose_something_is_left_alone(filled: StudyFolder) -> None:
    path = filled.table_file("participants")
    path.write_text(path.read_text().replace("hand\t", "main\t").replace("foot", "fote"))
    assert propose_fixes(filled, read_settings(filled)) == ()


def test_columns_that_nobody_knows_are_kept_behind_the_others(filled: StudyFolder) -> None:
    path = filled.table_file("participants")
    path.write_text(path.read_text().replace("weight_kg", "mass").replace("hand\t", "main\t"))
    masses = [line.split("\t")[-1] for line in path.read_text().splitlines()]
    apply_fix(filled, propose_fixes(filled, read_settings(filled))[0])
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    assert [line[lines[0].index("mass")] for line in lines] == masses
    assert "main" not in path.read_text()


def test_a_wide_table_becomes_long(filled: StudyFolder) -> None:
    pain = filled.table_file("pain")
    pain.write_text("participant_id\tbaseline\tJ5\nsub-001\t7\t4\nsub-002\t6\t\n")
    fix = propose_fixes(filled, read_settings(filled))[0]
    apply_fix(filled, fix)
    rows = [(row["participant_id"], row["visit"], row["nrs"]) for row in read_tables(filled)["pain"].rows]
    assert rows[:2] == [("sub-001", "baseline", 7), ("sub-001", "day 5", 4)]
    assert rows[3] == ("sub-002", "day 5", None)
