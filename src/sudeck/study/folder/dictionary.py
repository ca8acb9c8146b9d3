"""The schema as others read it: a REDCap data dictionary, the map back from REDCap, the reference page."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Final

from sudeck.study.folder.fields import Field, Table
from sudeck.study.folder.schema import PARTICIPANTS, TABLES

RECORD: Final = "participant_id"
# The eighteen columns of a REDCap data dictionary, in its order and words.
REDCAP_COLUMNS: Final = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
_LONGEST_NAME: Final = 26  # of a variable, by REDCap's own advice
_PREFIX: Final = {
    "sessions": "session",
    "budapest": "bud",
    "treatment": "treat",
    "adverse_effects": "ae",
    "outcomes": "outcome",
    "scan_ratios": "scan",
    "labs": "lab",
    "vitals": "vital",
}
_KETAMINE: Final = "[treat_drug] = 'ketamine' or [treat_drug] = 'esketamine' or [treat_drug] = 'arketamine'"
# When a form asks for a field; all others it always asks for.
_SHOWN_IF: Final = {
    "duration_months": "[onset_date] = ''",
    "treat_dose_form": _KETAMINE,
    "treat_planned_mg": _KETAMINE,
    "treat_stopped_early": _KETAMINE,
    "treat_duration_h": "[treat_route] = 'intravenous' or [treat_route] = 'subcutaneous'",
    "lab_upper_limit": "[lab_test] <> 'ketamine' and [lab_test] <> 'esketamine' and "
    "[lab_test] <> 'norketamine'",
}
_VALIDATION: Final = {"integer": "integer", "number": "number", "date": "date_ymd", "time": "time"}


def redcap_name(table: Table, field: Field) -> str:
    """Return the variable of a field in REDCap, where names are unique over all forms.

    Examples
    --------
    >>> from sudeck.study.folder.schema import PAIN
    >>> redcap_name(PAIN, PAIN.field("nrs"))
    'pain_nrs'
    """
    prefix = "" if table is PARTICIPANTS else f"{_PREFIX.get(table.name, table.name)}_"
    name = f"{prefix}{field.name}".lower()
    assert len(name) <= _LONGEST_NAME, name
    return name


def redcap_code(value: str) -> str:
    """Return the code of a choice in REDCap, which knows letters, digits and underscores.

    Examples
    --------
    >>> redcap_code("urine-cytology")
    'urine_cytology'
    """
    return re.sub(r"[^A-Za-z0-9_]", "_", value)


def redcap_dictionary() -> str:
    """Return the data dictionary, CSV, that makes the tables of a study as forms of a REDCap project.

    Every form but ``participants`` is meant to repeat; pseudonyms are the record names.
    """
    rows = [_redcap_row(table, field) for table, field in _asked()]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(REDCAP_COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


def redcap_map() -> str:
    """Return the map, TOML, with which exports of that project are read back."""
    lines = [
        "# How the columns of a REDCap export become the tables of the study.",
        "# Written for projects made with redcap_dictionary.csv; change the names on the right for others.",
        "",
        "[patients]",
        f'identifier = "{RECORD}"',
    ]
    for table in TABLES.values():
        lines += ["", f"[{table.name}]"]
        lines += [_map_line(table, field) for field in table.fields if field.name != RECORD]
    return "\n".join(lines) + "\n"


def reference_page() -> str:
    """Return the reference page of the tables, Markdown."""
    lines = [
        "# Tables of a study",
        "",
        "`sudeck init` makes these files; fill them in as TSV, or put a CSV or XLSX file of the same name",
        "beside the empty one. Leave empty, or write `n/a`, what is not known: a missing value is shown as",
        "such, never filled in.",
        "",
        "Tables are read as centres keep them: headings and words in English, French, German, Spanish or",
        "Dutch, units in brackets, a title above the headings, a column a visit, decimal commas, dd/mm/yyyy,",
        "scores of 0 to 100 under a heading such as VAS (mm), `P01` for `sub-P01`. Another unit than ours",
        "(years for months, per cent for ratios) is another column, left alone and named.",
        "`sudeck check --fix` writes them as below and keeps columns that nobody knows.",
    ]
    for table in TABLES.values():
        lines += ["", f"## {table.name}", "", f"`{table.path}`. {table.description}", ""]
        lines += [f"One row for each {', '.join(table.key)}.", ""]
        lines += ["| column | type | unit | allowed | required | meaning |", "|---|---|---|---|---|---|"]
        lines += [
            f"| `{field.name}` | {field.type} | {field.unit} | {field.allowed} | "
            f"{'yes' if field.required else ''} | {field.description} |"
            for field in table.fields
        ]
        coded = [field for field in table.fields if field.choices]
        for field in coded:
            lines += ["", f"`{field.name}`:", ""]
            lines += [f"- `{value}`: {meaning}" for value, meaning in field.choices.items()]
    return "\n".join(lines) + "\n"


def _asked() -> Iterator[tuple[Table, Field]]:
    for table in TABLES.values():
        for field in table.fields:
            if field.name != RECORD or table is PARTICIPANTS:
                yield table, field


def _map_line(table: Table, field: Field) -> str:
    name = redcap_name(table, field)
    codes = {redcap_code(value): value for value in field.choices}
    if all(code == value for code, value in codes.items()):
        return f'{field.name} = "{name}"'
    values = ", ".join(f'{code} = "{value}"' for code, value in codes.items())
    return f'{field.name} = {{ column = "{name}", values = {{ {values} }} }}'


def _redcap_row(table: Table, field: Field) -> Sequence[str]:
    kind = {"choice": "radio", "yes-no": "yesno"}.get(field.type, "text")
    choices = " | ".join(
        f"{redcap_code(value)}, {meaning.replace('|', '/')}" for value, meaning in field.choices.items()
    )
    values = dict.fromkeys(REDCAP_COLUMNS, "")
    values |= {
        "Variable / Field Name": redcap_name(table, field),
        "Form Name": table.name,
        "Field Type": kind,
        "Field Label": field.description,
        "Choices, Calculations, OR Slider Labels": choices,
        "Field Note": field.unit,
        "Text Validation Type OR Show Slider Number": _VALIDATION.get(field.type, ""),
        "Text Validation Min": "" if field.low is None else f"{field.low:g}",
        "Text Validation Max": "" if field.high is None else f"{field.high:g}",
        # A day of the calendar identifies; the import shifts it. Everything else here is by pseudonym.
        "Identifier?": "y" if field.type == "date" else "",
        "Branching Logic (Show field only if...)": _SHOWN_IF.get(redcap_name(table, field), ""),
        "Required Field?": "y" if field.required else "",
    }
    return list(values.values())
