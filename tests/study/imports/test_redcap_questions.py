"""The map of a REDCap project, found by asking: the export proposes, a person decides."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from sudeck.core.errors import InputError
from sudeck.study.folder.dictionary import redcap_dictionary
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.tables import read_tables
from sudeck.study.imports.import_redcap import import_redcap
from sudeck.study.imports.redcap_export import Dictionary, read_dictionary, read_export
from sudeck.study.imports.redcap_questions import NONE, Answer, Question, ask_for_map

WIDE = """record_id;ipp;nom;sexe;age;membre_atteint;cote;duree_semaines;eva_j0;eva_j5;commentaire
1;IPP00991;Dupontel;2;44;1;2;40;72;31;va mieux
2;IPP00992;Martinet;1;51;2;1;12;64;60;
"""
FRENCH = """"Variable / Field Name","Form Name","Field Label","Choices, Calculations, OR \
Slider Labels","Identifier?"
record_id,id,No,,
ipp,id,IPP,,y
nom,id,Nom,,y
sexe,demo,Sexe,"1, Homme | 2, Femme",
age,demo,Age,,
membre_atteint,demo,Membre atteint,"1, Main | 2, Pied",
cote,demo,"<b>Côté</b> atteint","1, Gauche | 2, Droite",
duree_semaines,demo,Durée des symptômes (semaines),,
eva_j0,suivi,EVA J0 (mm),,
eva_j5,suivi,EVA J5 (mm),,
commentaire,suivi,Commentaire,,
"""
LONG = """record_id,redcap_event_name,mrn,gender,extremity,worse_side,weeks_ill,nrs
1,baseline_arm_1,M1,2,9,2,40,7
1,day_5_arm_1,,,,,,4
1,control_arm_1,,,,,,3
2,baseline_arm_1,M2,1,8,1,8,6
"""


def asked(tmp_path: Path, export: str, dictionary: str, answer: Answer) -> str:
    (tmp_path / "export.csv").write_text(export)
    (tmp_path / "dictionary.csv").write_text(dictionary)
    said = read_dictionary(tmp_path / "dictionary.csv") if dictionary else Dictionary()
    text = ask_for_map(read_export(tmp_path / "export.csv"), said, answer)
    (tmp_path / "map.toml").write_text(text)
    return text


def proposed(question: Question) -> str:
    return question.proposed


def test_a_french_project_is_mapped_without_a_word(study: StudyFolder, tmp_path: Path) -> None:
    asked(tmp_path, WIDE, FRENCH, proposed)
    done = import_redcap(
        study,
        tmp_path / "export.csv",
        map_file=tmp_path / "map.toml",
        dictionary=tmp_path / "dictionary.csv",
    )
    first = done.key.pseudonym("IPP00991")
    tables = read_tables(study)
    person = next(row for row in tables["participants"].rows if row["participant_id"] == first)
    assert (person["sex"], person["limb"], person["affected_side"]) == ("F", "hand", "right")
    assert person["duration_months"] == pytest.approx(40 * 7 / 30.4375, rel=1e-4)
    scores = {
        row["visit"]: (row["day"], row["nrs"])
        for row in tables["pain"].rows
        if row["participant_id"] == first
    }
    assert scores == {"baseline": (0, 7.2), "day 5": (5, 3.1)}
    assert "Dupontel" not in (tmp_path / "map.toml").read_text()


def test_what_the_export_does_not_say_is_asked(tmp_path: Path) -> None:
    given = {
        "affected_side (": "worse_side",
        "duration_months (": "weeks_ill",
        "extremity: 9 ": "hand",
        "extremity: 8 ": "foot",
        "worse_side: 1 ": "left",
        "worse_side: 2 ": "right",
        "gender: 1 ": "M",
        "gender: 2 ": "F",
        "event control_arm_1": "day 90",
    }
    seen: list[Question] = []

    def answer(question: Question) -> str:
        seen.append(question)
        found = [said for part, said in given.items() if part in question.text]
        return found[0] if found else question.proposed

    plan = tomllib.loads(asked(tmp_path, LONG, "", answer))
    assert plan["patients"] == {"identifier": "mrn"}
    assert plan["events"]["day_5_arm_1"] == {"visit": "day 5", "day": 5}
    assert plan["events"]["control_arm_1"] == {"visit": "day 90", "day": 90}
    people = plan["participants"]
    assert people["limb"]["values"] == {"9": "hand", "8": "foot"}
    assert people["affected_side"]["values"] == {"2": "right", "1": "left"}
    assert people["duration_months"]["factor"] == pytest.approx(7 / 30.4375, rel=1e-4)
    assert plan["pain"] == {"nrs": "nrs"}
    # Nothing is asked that the export says itself, and nothing of a column that no table has.
    assert not any("handedness" in question.text for question in seen)
    assert all(question.proposed in (*question.options, NONE) for question in seen if question.options)


def test_a_part_of_our_own_project_is_mapped(tmp_path: Path) -> None:
    header = "participant_id,limb,affected_side,ae_day,ae_effect,treat_day,treat_drug"
    export = f"{header}\nsub-001,hand,left,2,nausea,1,ketamine\n"
    plan = tomllib.loads(asked(tmp_path, export, redcap_dictionary(), proposed))
    assert plan["adverse_effects"] == {"day": "ae_day", "effect": "ae_effect"}
    assert plan["treatment"]["drug"] == "treat_drug"
    assert plan["participants"]["limb"] == "limb"


def test_an_export_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither patients nor scores"):
        asked(tmp_path, "record_id,colour\n1,red\n", "", proposed)


def test_parts_of_words_say_nothing(tmp_path: Path) -> None:
    """Vas in vascular is no scale of pain, eva in evaluation neither; dia in diagnosis is no day."""
    header = (
        "record_id,limb,duration_since_diagnosis,vascular_day_5,evaluation_j5,pain_day_5,infusion_duration"
    )
    plan = tomllib.loads(asked(tmp_path, f"{header}\n1,hand,9,2,3,4,4\n", "", proposed))
    assert plan["participants"]["duration_months"] == "duration_since_diagnosis"
    assert [block["nrs"] for block in plan["pain"]] == ["pain_day_5"]
