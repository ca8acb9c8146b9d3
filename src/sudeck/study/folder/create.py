"""`sudeck init`: an empty study, its settings and its tables ready to be filled in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.core.storage import to_json, write_text
from sudeck.study.folder.bids import IGNORE_FILE, ignored
from sudeck.study.folder.dictionary import redcap_dictionary, redcap_map
from sudeck.study.folder.layout import SETTINGS_FILE, StudyFolder, with_name
from sudeck.study.folder.schema import TABLES

_SETTINGS: Final = """\
# Settings of the study. Decide them before the data are looked at; they are printed with every result.

[visits]                          # names of the visits in phenotype/pain.tsv
baseline = "baseline"
end = "day 5"                     # end of treatment
follow_up = ["week 4", "week 12"]

[responder]
at_least = 30.0                   # relief that makes a responder
unit = "percent"                  # of baseline pain; or "points" of the scale
visit = "day 5"

[pain]
# reliability = 0.9               # test-retest, for reliable change; else from repeated baseline scores

[scan]
session = "ses-pre"
region = "whole"                  # wrist, metacarpals, fingers; ankle, midfoot, forefoot;
                                  # without-fingers, mcp, pip, dip; mtp
background = "none"               # or "region"
# view = "anterior"               # of every scan, for files in which nothing tells the side
# flow_seconds = 60               # of the flow, from its start; else all of it, 2 min of one longer than 3
# camera_fwhm_mm = 8.0            # resolution at the limb, from the acceptance test of the camera
# camera_scatter = 0.12           # share of the counts that were scattered
# [scan.retest_sd]                # of the natural logarithm, between scans of one patient, where you know it
# VPr = 0.08
# "BPr/TPr" = 0.06                # and so on, for any of the six ratios

[tms]
sessions = ["ses-pre", "ses-post"]
muscles = []                      # e.g. ["FDI"]; empty for all that are recorded

[[tms.pairs]]                     # first match first; conditioning in percent of resting motor threshold
measure = "SICI"
isi_ms = [1.0, 6.0]
conditioning_rmt = [0.0, 100.0]

[[tms.pairs]]
measure = "ICF"
isi_ms = [8.0, 30.0]
conditioning_rmt = [0.0, 100.0]

[[tms.pairs]]
measure = "SICF"
isi_ms = [0.8, 5.0]
conditioning_rmt = [100.0, inf]

[[tms.pairs]]
measure = "LICI"
isi_ms = [50.0, 250.0]
conditioning_rmt = [100.0, inf]

[[tms.pairs]]
measure = "IHI"
isi_ms = [6.0, 60.0]
other_hemisphere = true

[prediction]
covariates = ["log duration_months", "limb"]
level = 0.95

[mechanism]
covariates = []                   # of the changes, e.g. ["midazolam_left_mg", "ketamine_auc"]
# [[mechanism.healthy]]           # healthy people measured in your own laboratory; none are built in
# measure = "SICI"
# geometric_mean = 0.45
# log_sd = 0.40
# n = 20

[ketamine]
model = "kamp"                    # whose typical person stands for a course; herd, clements, domino ...
level_ng_per_ml = 100.0           # concentration that hours are counted above
# [[ketamine.limits]]             # your own limits; none are built in
# measure = "systolic_mmhg"       # a column of vitals.tsv; or ALT ... in multiples of its upper limit
# above = 160                     # or below, as of spo2_percent

[privacy]
key_file = {key_file}    # pseudonyms; keep it apart from the study
free_text = false                 # true lets comments and reasons of decisions into shared tables
"""


README_FILE: Final = "README.md"
_README: Final = """\
# {name}

A study for Sudeck. Type the commands below in the folder that this one lies in. Each can be typed again
at any time: what has not changed is not done twice, and nothing you filled in is overwritten.
`sudeck check {folder}` says at any moment what is missing.

## The first day

1. **Decide.** Read `sudeck.toml`: who is a responder, what the visits are called, which covariates the
   model gets. Decide this before you look at an outcome.
2. **Who is who.** Names and record numbers stay outside this folder, in a list of your own (TSV, CSV or
   Excel) with `record_number`, `sex`, `limb`, `affected_side`, `onset_date` and whatever else
   `participants.tsv` has, true dates as they are:

       sudeck import {folder} --ids ids.tsv --dry-run
       sudeck import {folder} --ids ids.tsv

   Each record number becomes a pseudonym (sub-001 ...) and each date is shifted by a secret number of
   days. The key is `{key_file}`, beside this folder: keep it, and give it to nobody. On your screen
   only, `sudeck who {folder} RECORD_NUMBER` says who is who.
3. **Scans and recordings**, if you have the files; whoever is new gets a pseudonym, headers lose every
   name:

       sudeck import {folder} --dicom PATH/TO/SCANS --ids ids.tsv --session ses-pre
       sudeck import {folder} --tms PATH/TO/RECORDINGS --patient RECORD_NUMBER --session ses-pre

   Without files: type VPr, TPr and BPr into `phenotype/scan_ratios.tsv`, one row a patient and reader.
4. **Tables.** Fill in `phenotype/pain.tsv` (patient, visit, day, 0 to 10) and, as far as known,
   `treatment.tsv`, `sessions.tsv` and the others. A CSV or Excel file of the same name may take the
   place of each; a column a visit, dd/mm/yyyy, decimal commas and words in French, German, Spanish or
   Dutch are understood. The `.json` file beside each table says what every column means.
5. **Check.** Correct what stands under *To correct*; *To look at* stops nothing.

       sudeck check {folder}
       sudeck check {folder} --fix

6. **Measure**, and look at what was measured:

       sudeck run {folder}
       sudeck review {folder}

   `review` opens in the browser: each scan with its regions, each trial with its markers. What you
   decide there is kept in `decisions/` and used by the next `run`.
7. **Answers.**

       sudeck predict {folder}
       sudeck explain {folder}

   `derivatives/sudeck/report.html` says who responds, and leads to the other pages. Everything in
   `derivatives` can be deleted and made again.

## From REDCap

`redcap/redcap_dictionary.csv` makes these tables as forms of a REDCap project: *Designer*, *Data
Dictionary*, *Upload*. Then *Project Setup*, *Enable optional modules*, *Repeating instruments*: tick
every form but `participants`, since a patient has one row there and many in all others (one a visit, an
infusion, a laboratory value). Record names are pseudonyms (sub-001), or your own numbers, which the
import replaces.

Bring records here with an export (*CSV / raw data*), or over the API with a token that only your
environment holds:

    sudeck import {folder} --redcap export.csv --dictionary redcap_dictionary.csv --dry-run
    REDCAP_TOKEN=... sudeck import {folder} --redcap-api https://redcap.example.org/api/ --dry-run

The dry run says what every row would do; the same without `--dry-run` does it. A project of your own
is asked about with `--ask`: which of its columns is which of ours, each proposed where the export says it.
The answers stand in `redcap/answered_map.toml`; correct them there and give it with `--map`.
"""


@dataclass(frozen=True, slots=True)
class CreatedStudy:
    """A study that was made.

    Attributes
    ----------
    study : StudyFolder
    written : tuple of str
        Files, relative to the study.
    """

    study: StudyFolder
    written: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {"study": self.study.root.name, "written": list(self.written)}

    def __str__(self) -> str:
        files = "\n".join(f"  {name}" for name in self.written)
        return (
            f"{self.study.root.name} is ready:\n{files}\n"
            f"{README_FILE} leads through the first day; sudeck check {self.study.root.name} says what is "
            "missing."
        )


def create_study(root: Path, *, name: str = "") -> CreatedStudy:
    """Make an empty study.

    Parameters
    ----------
    root : Path
        The folder; it may exist, if nothing that would be written is in it.
    name : str
        Name of the study; that of the folder unless given.

    Raises
    ------
    InputError
        If the folder holds a file that would be written: nothing is ever overwritten.
    """
    root = with_name(root)
    study = StudyFolder(root)
    contents = _contents(study, name or root.name)
    if root.exists() and not root.is_dir():
        raise InputError(root.name, "it is a file", "choose another folder")
    # The settings make a folder a study, so they come last: what a killed run left is no study, and is
    # completed by the next.
    there = sorted(path for path, text in contents.items() if _differs(root / path, text))
    if there or study.settings_file.exists():
        raise InputError(
            root.name,
            f"it holds {there[0] if there else SETTINGS_FILE} already",
            "choose another folder; nothing was changed",
        )
    if root.exists():
        _write(root, contents)
    else:
        root.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".sudeck-", dir=root.parent, ignore_cleanup_errors=True) as made:
            whole = Path(made) / "study"
            whole.mkdir()
            _write(whole, contents)
            whole.rename(root)
    return CreatedStudy(study, tuple(contents))


def _write(root: Path, contents: dict[str, str]) -> None:
    for part in root.rglob(".sudeck-*.part"):  # of a run that was killed
        part.unlink(missing_ok=True)
    study = StudyFolder(root)
    for folder in (study.sourcedata, study.derivatives):
        folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(contents, key=lambda path: path == SETTINGS_FILE):
        write_text(root / path, contents[path])


def _differs(path: Path, text: str) -> bool:
    try:
        return path.exists() and path.read_text(encoding="utf-8") != text
    except (OSError, UnicodeDecodeError):
        return True


def _contents(study: StudyFolder, name: str) -> dict[str, str]:
    key = json.dumps(f"../{study.default_key_file.name}")
    folder = study.root.name
    folder = f'"{folder}"' if " " in folder else folder
    contents = {
        "dataset_description.json": to_json(
            {"Name": name, "BIDSVersion": "1.11.0", "DatasetType": "raw", "SourceDatasets": []}
        ),
        README_FILE: _README.format(name=name, folder=folder, key_file=study.default_key_file.name),
        IGNORE_FILE: ignored(entered=False),
        "sudeck.toml": _SETTINGS.format(key_file=key),
        "redcap/redcap_dictionary.csv": redcap_dictionary(),
        "redcap/redcap_map.toml": redcap_map(),
    }
    for table in TABLES.values():
        contents[table.path] = "\t".join(table.columns) + "\n"
        contents[str(Path(table.path).with_suffix(".json"))] = to_json(table.sidecar())
    return contents
