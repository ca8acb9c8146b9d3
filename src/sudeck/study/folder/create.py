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
from sudeck.study.folder.layout import SETTINGS_FILE, StudyFolder
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
region = "whole"                  # wrist, metacarpals, fingers; ankle, midfoot, forefoot
background = "none"               # or "region"
# view = "anterior"               # of every scan, for files in which nothing tells the side
# flow_seconds = 60               # of the flow, from its start; else all of it, 2 min of one longer than 3
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
# above = 160

[privacy]
key_file = {key_file}    # pseudonyms; keep it apart from the study
free_text = false                 # true lets comments and reasons of decisions into shared tables
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
            f"{self.study.root.name} is ready:\n{files}\nFill in participants.tsv and phenotype/pain.tsv, "
            f"put scans in with sudeck import, then run: sudeck check {self.study.root.name}"
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
    study = StudyFolder(root)
    contents = _contents(study, name or root.resolve().name)
    if root.exists() and not root.is_dir():
        raise InputError(root.name, "it is a file", "choose another folder")
    # The settings make a folder a study, so they come last: what a killed run left is no study, and is
    # completed by the next.
    there = sorted(path for path, text in contents.items() if _differs(root / path, text))
    if there or study.settings_file.exists():
        raise InputError(
            root.name or str(root),
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
    contents = {
        "dataset_description.json": to_json(
            {"Name": name, "BIDSVersion": "1.11.0", "DatasetType": "raw", "SourceDatasets": []}
        ),
        "README.md": f"# {name}\n\nA study for Sudeck. `sudeck check` lists what is missing.\n",
        IGNORE_FILE: ignored(entered=False),
        "sudeck.toml": _SETTINGS.format(key_file=key),
        "redcap/redcap_dictionary.csv": redcap_dictionary(),
        "redcap/redcap_map.toml": redcap_map(),
    }
    for table in TABLES.values():
        contents[table.path] = "\t".join(table.columns) + "\n"
        contents[str(Path(table.path).with_suffix(".json"))] = to_json(table.sidecar())
    return contents
