"""The tables of a study, each field described once: headers, sidecars, dictionary and checks come from it."""

from __future__ import annotations

from typing import Final

from sudeck.core.vocabulary import LIMBS, PHASE_RATIOS, SIDES
from sudeck.study.folder.fields import Field, Table

_PARTICIPANT = Field("participant_id", "identifier", "The patient, by pseudonym.", required=True)
_VISIT = Field("visit", "text", "The visit, named as in sudeck.toml, e.g. baseline or day 5.", required=True)
_DAY = Field(
    "day",
    "integer",
    "Day of the study: 0 before the first infusion, 1 the day of it.",
    "days",
    low=-3650,
    high=7300,
)
_REQUIRED_DAY = Field(
    _DAY.name, _DAY.type, _DAY.description, _DAY.unit, low=_DAY.low, high=_DAY.high, required=True
)

PARTICIPANTS: Final = Table(
    "participants",
    "participants.tsv",
    "The patients, one a row.",
    (
        _PARTICIPANT,
        Field("age", "number", "Age at the first visit.", "years", low=0, high=120),
        Field("sex", "choice", "Sex.", choices={"F": "female", "M": "male", "O": "other"}),
        Field(
            "handedness",
            "choice",
            "Hand the patient prefers.",
            choices={"R": "right", "L": "left", "A": "both"},
        ),
        Field(
            "crps_type",
            "choice",
            "Type of CRPS.",
            choices={
                "1": "without a known nerve lesion",
                "2": "with a nerve lesion",
                "NOS": "not otherwise specified",
            },
        ),
        Field(
            "limb", "choice", "Limb affected.", choices={limb: f"the {limb}" for limb in LIMBS}, required=True
        ),
        Field(
            "affected_side",
            "choice",
            "Side of the body affected.",
            choices={side: f"the {side} side" for side in SIDES},
            required=True,
        ),
        Field(
            "onset_date",
            "date",
            "Day CRPS began, shifted as all dates of this patient (sudeck import --ids does it); or give "
            "duration_months.",
        ),
        Field(
            "duration_months", "number", "Months from onset to the first visit.", "months", low=0, high=900
        ),
        Field("weight_kg", "number", "Body weight.", "kg", low=2, high=400),
        Field("centre", "text", "Code of the centre, where a study has several; no name of a hospital."),
    ),
    ("participant_id",),
)
SESSIONS: Final = Table(
    "sessions",
    "phenotype/sessions.tsv",
    "Sessions with a scan or a recording, one a row.",
    (
        _PARTICIPANT,
        Field("session_id", "identifier", "The session, e.g. ses-pre.", required=True),
        _DAY,
        Field("date", "date", "Day of the session, shifted as all dates of this patient."),
        Field("time", "time", "Clock time the recording began: what is on board then is counted up to it."),
    ),
    ("participant_id", "session_id"),
)
BUDAPEST: Final = Table(
    "budapest",
    "phenotype/budapest.tsv",
    "The Budapest criteria, by category, and the verdict.",
    (
        _PARTICIPANT,
        _DAY,
        Field(
            "disproportionate_pain", "yes-no", "Continuing pain out of proportion to the event that began it."
        ),
        Field("symptom_sensory", "yes-no", "Reported: touch hurts, or hurts too much."),
        Field("symptom_vasomotor", "yes-no", "Reported: temperature or skin colour differs or changes."),
        Field("symptom_sudomotor", "yes-no", "Reported: swelling, or sweating differs or changes."),
        Field("symptom_motor", "yes-no", "Reported: movement, strength, hair, nail or skin has changed."),
        Field(
            "sign_sensory",
            "yes-no",
            "Seen on examination: pinprick, touch, pressure or movement hurts unduly.",
        ),
        Field(
            "sign_vasomotor", "yes-no", "Seen on examination: temperature (more than 1 °C) or colour differs."
        ),
        Field("sign_sudomotor", "yes-no", "Seen on examination: swelling, or sweating differs."),
        Field(
            "sign_motor", "yes-no", "Seen on examination: movement, strength, hair, nail or skin has changed."
        ),
        Field("no_better_diagnosis", "yes-no", "Nothing else explains the picture better."),
        Field("clinical_criteria", "yes-no", "Clinical criteria met, as the physician judged."),
        Field("research_criteria", "yes-no", "Research criteria met, as the physician judged."),
    ),
    ("participant_id", "day"),
)
PAIN: Final = Table(
    "pain",
    "phenotype/pain.tsv",
    "Pain scores by day on the numerical rating scale.",
    (
        _PARTICIPANT,
        _VISIT,
        _REQUIRED_DAY,
        Field(
            "nrs",
            "number",
            "Pain on the numerical rating scale; leave empty what was not asked.",
            low=0,
            high=10,
        ),
        Field("time", "time", "Clock time the score was asked; what is on board then is counted up to it."),
    ),
    ("participant_id", "visit", "day"),
)
_DRUGS: Final = {
    "ketamine": "racemic ketamine",
    "esketamine": "S-ketamine",
    "arketamine": "R-ketamine",
    "placebo": "placebo",
    "midazolam": "midazolam",
    "lorazepam": "lorazepam",
    "clonidine": "clonidine",
    "magnesium": "magnesium sulphate",
    "lidocaine": "lidocaine",
    "other": "another drug; name it in comment",
}
TREATMENT: Final = Table(
    "treatment",
    "phenotype/treatment.tsv",
    "Treatment actually given: one row an infusion, a step of its rate, a bolus or a tablet; co-medication "
    "included.",
    (
        _PARTICIPANT,
        _REQUIRED_DAY,
        Field("drug", "choice", "Drug given.", choices=_DRUGS, required=True),
        Field(
            "dose_form",
            "choice",
            "What the dose is stated as.",
            choices={"base": "base", "hydrochloride": "hydrochloride", "other": "another salt"},
        ),
        Field("dose_mg", "number", "Dose given in this row.", "mg", low=0, high=20000),
        Field("duration_h", "number", "Hours over which it was given; 0 for a bolus.", "h", low=0, high=24),
        Field(
            "route",
            "choice",
            "Route.",
            choices={
                "intravenous": "into a vein",
                "intramuscular": "into a muscle",
                "subcutaneous": "under the skin",
                "oral": "by mouth",
                "nasal": "through the nose",
                "other": "another route",
            },
        ),
        Field("comment", "text", "Anything else; nothing that identifies the patient."),
        Field("start_time", "time", "Clock time this row began; a row may run past midnight."),
        Field(
            "infusion",
            "integer",
            "Number of the infusion that day; steps of one infusion share it and differ in start_time.",
            low=1,
            high=99,
        ),
        Field("planned_mg", "number", "Dose that was planned for this row.", "mg", low=0, high=20000),
        Field("stopped_early", "yes-no", "Whether it was stopped before the planned end."),
    ),
    ("participant_id", "day", "drug", "route", "start_time", "infusion"),
    numbers=("start_time", "infusion"),
)
ADVERSE_EFFECTS: Final = Table(
    "adverse_effects",
    "phenotype/adverse_effects.tsv",
    "Adverse effects, one a row.",
    (
        _PARTICIPANT,
        _REQUIRED_DAY,
        Field("effect", "text", "The effect, in a word or two, e.g. nausea.", required=True),
        Field(
            "severity",
            "choice",
            "How bad it was.",
            choices={"mild": "noticed only", "moderate": "disturbing", "severe": "unbearable or dangerous"},
        ),
        Field("serious", "yes-no", "Serious in the sense of the regulations."),
        Field(
            "action",
            "choice",
            "What was done.",
            choices={
                "none": "nothing",
                "treated": "treated",
                "reduced": "dose reduced",
                "stopped": "ketamine stopped",
            },
        ),
    ),
    ("participant_id", "day", "effect"),
)
_TESTS: Final = {
    "ALT": "alanine aminotransferase",
    "AST": "aspartate aminotransferase",
    "GGT": "gamma-glutamyl transferase",
    "ALP": "alkaline phosphatase",
    "bilirubin": "total bilirubin",
    "creatinine": "creatinine",
    "urine-cytology": "cells in urine; 1 abnormal, 0 not",
    "ketamine": "ketamine in plasma, both forms together",
    "esketamine": "S-ketamine in plasma",
    "norketamine": "norketamine in plasma",
    "other": "another test; name it in comment",
}
LABS: Final = Table(
    "labs",
    "phenotype/labs.tsv",
    "Laboratory values, one a row.",
    (
        _PARTICIPANT,
        _REQUIRED_DAY,
        Field("time", "time", "Clock time of the sample."),
        Field("test", "choice", "The test.", choices=_TESTS, required=True),
        Field("value", "number", "Its result.", low=0, high=1e6),
        Field("unit", "text", "Unit of result and limit, as the laboratory prints it."),
        Field("upper_limit", "number", "Upper limit of normal of that laboratory.", low=0, high=1e6),
        Field("comment", "text", "Anything else; nothing that identifies the patient."),
    ),
    ("participant_id", "day", "time", "test", "comment"),
    optional=True,
)
VITALS: Final = Table(
    "vitals",
    "phenotype/vitals.tsv",
    "Blood pressure, pulse and the like, one moment a row.",
    (
        _PARTICIPANT,
        _REQUIRED_DAY,
        Field("time", "time", "Clock time."),
        Field("systolic_mmhg", "number", "Systolic blood pressure.", "mmHg", low=30, high=350),
        Field("diastolic_mmhg", "number", "Diastolic blood pressure.", "mmHg", low=10, high=250),
        Field("heart_rate", "number", "Pulse.", "1/min", low=15, high=300),
        Field("spo2_percent", "number", "Oxygen saturation.", "%", low=30, high=100),
        Field("dissociation", "number", "Dissociation on a visual scale, 0 none.", low=0, high=100),
    ),
    ("participant_id", "day", "time"),
    optional=True,
)
# Lowest and highest total that each instrument allows. Totals only, no item of any questionnaire.
INSTRUMENTS: Final[dict[str, tuple[str, float, float]]] = {
    "DN4": ("neuropathic pain, ten yes-or-no items", 0, 10),
    "NPSI": ("neuropathic pain symptoms, sum", 0, 100),
    "CSS": ("CRPS severity, 16 items", 0, 16),
    "BPI-interference": ("interference of pain, mean", 0, 10),
    "HADS-A": ("anxiety", 0, 21),
    "HADS-D": ("depression", 0, 21),
    "BDI": ("depression, second edition", 0, 63),
    "PCS": ("catastrophising", 0, 52),
    "PGIC": ("patient's impression of change, 1 to 7", 1, 7),
    "other": ("another instrument; name it in comment", -1e6, 1e6),
}
OUTCOMES: Final = Table(
    "outcomes",
    "phenotype/outcomes.tsv",
    "Other outcomes, as the total of each instrument.",
    (
        _PARTICIPANT,
        _VISIT,
        _REQUIRED_DAY,
        Field(
            "instrument",
            "choice",
            "The instrument.",
            choices={
                name: meaning if name == "other" else f"{meaning}; {low:g} to {high:g}"
                for name, (meaning, low, high) in INSTRUMENTS.items()
            },
            required=True,
        ),
        Field("total", "number", "Total score."),
        Field("comment", "text", "Anything else; nothing that identifies the patient."),
    ),
    ("participant_id", "visit", "day", "instrument", "comment"),
)
# A ratio of uptakes beyond these is a slip of the pen: a per cent, a lost decimal point.
_LEAST_RATIO, _LARGEST_RATIO = 0.02, 50.0
SCAN_RATIOS: Final = Table(
    "scan_ratios",
    "phenotype/scan_ratios.tsv",
    "Ratios of the baseline scan measured elsewhere, by hand or by other software: one row a patient and "
    "reader. A scan that Sudeck measured itself comes first.",
    (
        _PARTICIPANT,
        *(
            Field(
                name,
                "number",
                f"Uptake of the affected over that of the healthy side, {phase} phase.",
                low=_LEAST_RATIO,
                high=_LARGEST_RATIO,
            )
            for phase, name in PHASE_RATIOS.items()
        ),
        *(
            Field(
                f"{name}_log_se",
                "number",
                f"Standard error of the natural logarithm of {name}, where known.",
                low=0,
                high=2,
            )
            for name in PHASE_RATIOS.values()
        ),
        Field("method", "text", "How it was measured, e.g. regions drawn by hand."),
        Field("reader", "text", "Who measured it, as a code; a second reader has a row of their own."),
    ),
    ("participant_id", "reader"),
    optional=True,
)
TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        PARTICIPANTS,
        SESSIONS,
        BUDAPEST,
        PAIN,
        TREATMENT,
        ADVERSE_EFFECTS,
        OUTCOMES,
        SCAN_RATIOS,
        LABS,
        VITALS,
    )
}
