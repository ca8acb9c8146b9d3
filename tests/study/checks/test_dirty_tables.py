"""Tables as centres keep them, in five languages: each is read as it is, or mended by one key."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import open_study
from sudeck.study.folder.tables import read_tables

PEOPLE = (
    {"participant_id": "sub-P01", "age": 44, "sex": "F", "limb": "hand", "affected_side": "right"},
    {"participant_id": "sub-P02", "age": 61, "sex": "M", "limb": "foot", "affected_side": "left"},
)
MORE = (
    {"handedness": "R", "crps_type": "1", "onset_date": date(2024, 3, 2), "weight_kg": 62.5},
    {"handedness": "L", "crps_type": "2", "onset_date": date(2023, 11, 20), "weight_kg": 80},
)
SCORES = (("sub-P01", "baseline", 0, 7), ("sub-P01", "day 5", 5, 3.5), ("sub-P02", "baseline", 0, 8))
RATIOS = (("sub-P01", 1.2, 1.25, 1.52), ("sub-P02", 1.31, 1.18, 1.21))

PARTICIPANTS: dict[str, tuple[str, str, Any]] = {
    "French, Windows-1252, semicolons": (
        ".csv",
        "cp1252",
        "Identifiant;Âge;Sexe;Latéralité;Type SDRC;Membre atteint;Côté atteint;Date de début;Poids (kg)\n"
        "P01;44;femme;droitière;I;main;droit;02/03/2024;62,5\n"
        "P02;61;homme;gaucher;II;pied;gauche;20/11/2023;80,0\n",
    ),
    "German, UTF-8 with a mark, dots in dates": (
        ".csv",
        "utf-8-sig",
        "Patienten-ID;Alter (Jahre);Geschlecht;Händigkeit;CRPS-Typ;Extremität;Betroffene Seite;Beginn;"
        "Gewicht [kg]\n"
        "P-01;44;w;rechts;Typ I;Hand;rechts;02.03.2024;62,5\n"
        "P-02;61;m;links;Typ II;Fuß;li.;20.11.2023;80\n",
    ),
    "Spanish, Excel": (
        ".xlsx",
        "",
        [
            [
                "Paciente",
                "Edad",
                "Sexo",
                "Lateralidad",
                "Tipo",
                "Extremidad",
                "Lado afecto",
                "Fecha de inicio",
                "Peso (kg)",
            ],
            ["P01", 44, "mujer", "diestra", "I", "mano", "derecha", datetime(2024, 3, 2), 62.5],
            ["P02", 61, "hombre", "zurdo", "II", "pie", "izquierda", datetime(2023, 11, 20), 80],
            [None] * 9,
        ],
    ),
    "Dutch, tabs": (
        ".tsv",
        "utf-8",
        "Patiënt\tLeeftijd\tGeslacht\tHandvoorkeur\tType CRPS\tLedemaat\tAangedane zijde\tBegin\tGewicht\n"
        "P01\t44\tvrouw\trechts\tCRPS I\thand\trechts\t2-3-2024\t62,5\n"
        "P02\t61\tman\tlinks\tCRPS II\tvoet\tlinks\t20-11-2023\t80\n",
    ),
    "English, a title above and people who type": (
        ".csv",
        "utf-8",
        "Ketamine in CRPS,,,,,,,,,\n"
        "Patient No.,Age (y),Gender,Handedness,CRPS type,Limb,Side,Date of onset,Weight (kg),Notes\n"
        "P01, 44 ,Female,Right,CRPS-I,Upper limb,Rt,2024-03-02,62.5,\n"
        'P02,61,MALE,left-handed,crps 2,lower limb,LEFT,2023-11-20,80 kg,"phone, twice"\n',
    ),
    "UTF-16 as Excel saves Unicode text": (
        ".tsv",
        "utf-16",
        "participant_id\tage\tsex\thandedness\tcrps_type\tlimb\taffected_side\tonset_date\tweight_kg\n"
        "P01\t44\tF\tR\tI\tmain\tD\t02/03/2024\t62,5\nP02\t61\tH\tG\tII\tpied\tG\t20/11/2023\t80\n",
    ),
}
PAIN: dict[str, tuple[str, str, Any]] = {
    "a column a visit, French": (
        ".csv",
        "cp1252",
        "Patient;J0;J5\nP01;7;3,5\nP02;8;\n",
    ),
    "a column a visit, what was asked in each heading": (
        ".csv",
        "utf-8",
        "Code patient;EVA J0;EVA J5\nP01;7,0;3,5\nP02;8;NA\n",
    ),
    "German, wide, Excel": (
        ".xlsx",
        "",
        [["Patient", "NRS Tag 0", "NRS Tag 5"], ["P01", 7, 3.5], ["P02", 8, None]],
    ),
    "Spanish, wide, underscores": (
        ".tsv",
        "utf-8",
        "paciente\tdolor_basal\tdolor_dia_5\nP01\t7\t3,5\nP02\t8\t\n",
    ),
    "English, wide, brackets": (
        ".csv",
        "utf-8",
        "ID,Pain score (baseline),Pain score (day 5)\nP01,7,3.5\nP02,8,\n",
    ),
    "long, score": (
        ".csv",
        "utf-8",
        "Patient ID,Visit,Day,Score\nP01,Baseline,0,7\nP01,Day 5,5,3.5\nP02,Baseline,0,8\n",
    ),
    "long, VAS in millimetres": (
        ".csv",
        "utf-8",
        "patient,visit,day,VAS (mm)\nP01,baseline,0,70\nP01,day 5,5,35\nP02,baseline,0,80\n",
    ),
    "long, EVA without a day": (
        ".csv",
        "cp1252",
        "Patient;Visite;EVA\nP01;Inclusion;7\nP01;J5;3,5\nP02;inclusion;8\n",
    ),
    "long, Schmerz without a visit": (
        ".xlsx",
        "",
        [["Patient", "Tag", "Schmerz"], ["P01", 0, 7], ["P01", 5, 3.5], ["P02", 0, 8]],
    ),
    "long, dolor with its range, scores as n/10": (
        ".csv",
        "utf-8",
        "Paciente;Visita;Día;Dolor (0-10)\nP01;Basal;0;7/10\nP01;Día 5;5;3,5/10\nP02;basal;0;8/10\n",
    ),
}
SCAN_RATIOS: dict[str, tuple[str, str, Any]] = {
    "French, semicolons": (
        ".csv",
        "cp1252",
        "Patient;VPr;TPr;BPr;Méthode;Lecteur\n"
        "P01;1,20;1,25;1,52;à la main;A\nP02;1,31;1,18;1,21;à la main;A\n",
    ),
    "German, Excel": (
        ".xlsx",
        "",
        [
            ["Pat.-Nr.", "VPR", "TPR", "BPR", "Untersucher"],
            ["P01", "1,20", "1,25", "1,52", "A"],
            ["P02", 1.31, 1.18, 1.21, "A"],
        ],
    ),
    "Spanish, words": (
        ".csv",
        "utf-8",
        "paciente;fase vascular;fase tisular;fase ósea;lector\nP01;1,2;1,25;1,52;A\nP02;1,31;1,18;1,21;A\n",
    ),
    "English, words": (
        ".tsv",
        "utf-8",
        "Subject\tVascular phase ratio\tTissue phase ratio\tBone phase ratio\tReader\n"
        "P01\t1.20\t1.25\t1.52\tA\nP02\t1.31\t1.18\t1.21\tA\n",
    ),
}
ALL = [
    pytest.param(table, case, id=f"{table}: {name}")
    for table, cases in (("participants", PARTICIPANTS), ("pain", PAIN), ("scan_ratios", SCAN_RATIOS))
    for name, case in cases.items()
]


def put(root: Path, table: str, suffix: str, encoding: str, content: Any) -> Path:
    """Save a table where a person would, beside the empty template."""
    path = open_study(root).table_file(table).with_suffix(suffix)
    if isinstance(content, str):
        path.write_bytes(content.encode(encoding))
    else:
        book = openpyxl.Workbook()
        for row in content:
            book.active.append(row)
        book.save(path)
    return path


@pytest.mark.parametrize(("table", "case"), ALL)
def test_a_table_of_a_centre_is_read_or_mended_by_one_key(
    table: str, case: tuple[str, str, Any], tmp_path: Path
) -> None:
    root = tmp_path / "study"
    create_study(root)
    people = "participant_id\tlimb\taffected_side\nsub-P01\thand\tright\nsub-P02\tfoot\tleft\n"
    if table != "participants":
        (root / "participants.tsv").write_text(people)
    path = put(root, table, *case)
    result = CliRunner().invoke(app, ["check", str(root), "--quick", "--fix", "--yes"])
    own = [line for line in result.output.splitlines() if line.startswith((f"  {table}.", f"  {path.name}"))]
    serious, _, _ = result.output.partition("To look at")
    assert not [line for line in own if line in serious], serious
    rows = read_tables(open_study(root))[table].rows
    if table == "participants":
        for row, expected, further in zip(rows, PEOPLE, MORE, strict=True):
            assert {name: row[name] for name in {**expected, **further}} == {**expected, **further}
    elif table == "pain":
        held = [(r["participant_id"], r["visit"], r["day"], r["nrs"]) for r in rows if r["nrs"] is not None]
        assert tuple(held) == SCORES
    else:
        assert tuple((r["participant_id"], r["VPr"], r["TPr"], r["BPr"]) for r in rows) == RATIOS
        assert {r["reader"] for r in rows} == {"A"}
    assert open_study(root).table_file(table).is_file()
    assert len(list(path.parent.glob(f"{table}.*"))) == 2  # the table and its description
