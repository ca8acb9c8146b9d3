"""Where everything lies in a study folder: BIDS where it has a place, an honest extension where it has not.

::

    my-study/
      dataset_description.json   sudeck.toml
      participants.tsv (+ .json)
      phenotype/pain.tsv (+ .json) ...                  scores by day, treatment, criteria
      sourcedata/sub-001/ses-pre/nm/*.dcm               bone scans, de-identified
      sourcedata/sub-001/ses-pre/tms/*                  recordings as the amplifier wrote them
      decisions/sub-001.jsonl                           what a person decided, a line each; only added to
      decisions/readers/NM/sub-001.jsonl                the same of a blinded reading, for comparison only
      imports/*.tsv                                     what each import did, row by row
      derivatives/sudeck/                               everything computed; safe to delete and remake
    my-study.key.json                                   pseudonyms; beside the folder, never in it
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.study.folder.schema import TABLES

SETTINGS_FILE: Final = "sudeck.toml"
TABLE_SUFFIXES: Final = (".tsv", ".csv", ".xlsx")
_HEADINGS_BYTES: Final = 4096
_PATIENT: Final = re.compile(r"sub-[A-Za-z0-9]+")
_READER: Final = re.compile(r"[A-Za-z0-9]{1,20}")
SESSION: Final = re.compile(r"ses-[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """The paths of a study; nothing is read or made here.

    Attributes
    ----------
    root : Path
        The study folder.
    reader : str
        Whose blinded reading takes the place of the decisions and of what is computed with them; empty for
        those that count.
    """

    root: Path
    reader: str = ""

    @property
    def settings_file(self) -> Path:
        """Settings of the study."""
        return self.root / SETTINGS_FILE

    @property
    def description_file(self) -> Path:
        """The BIDS description of the data set."""
        return self.root / "dataset_description.json"

    @property
    def sourcedata(self) -> Path:
        """Scans and recordings."""
        return self.root / "sourcedata"

    @property
    def decisions(self) -> Path:
        """Decisions persons took."""
        folder = self.root / "decisions"
        return folder / "readers" / self.reader if self.reader else folder

    @property
    def imports(self) -> Path:
        """Reports of the imports."""
        return self.root / "imports"

    @property
    def derivatives(self) -> Path:
        """Everything that is computed."""
        folder = self.root / "derivatives" / "sudeck"
        return folder / "readers" / self.reader if self.reader else folder

    @property
    def default_key_file(self) -> Path:
        """The key of the pseudonyms unless sudeck.toml names another: beside the folder, not in it."""
        root = self.root.resolve()
        return root.with_name(f"{root.name}.key.json")

    def table_file(self, name: str) -> Path:
        """Return the path of a table, by its name in `sudeck.study.folder.schema.TABLES`."""
        return self.root / TABLES[name].path

    def found_table(self, name: str) -> Path | None:
        """Return the file that holds a table: the TSV, or else a CSV or XLSX of that name; None without any.

        A TSV of headings alone, as a new study has, gives way to another that lies beside it.

        Raises
        ------
        InputError
            If the table lies there in more than one format.
        """
        plain = self.table_file(name)
        found = sorted(_named(plain.parent, plain.stem), key=lambda path: path.suffix.lower() != ".tsv")
        if len(found) == 2 and found[0] == plain and _only_headings(plain):
            return found[1]
        if len(found) > 1:
            raise InputError(
                f"table {name}",
                f"it is there {len(found)} times, in several formats",
                "keep one of the files",
            )
        return found[0] if found else None

    def scan_folder(self, patient: str, session: str) -> Path:
        """Return the folder of a bone scan."""
        return self.sourcedata / patient / session / "nm"

    def tms_folder(self, patient: str, session: str) -> Path:
        """Return the folder of recordings as the amplifier wrote them."""
        return self.sourcedata / patient / session / "tms"

    def emg_folder(self, patient: str, session: str) -> Path:
        """Return the folder of recordings in BIDS form."""
        return self.root / patient / session / "emg"

    def patient_derivatives(self, patient: str) -> Path:
        """Return the folder of what is computed of one patient."""
        return self.derivatives / patient

    def patients(self) -> tuple[str, ...]:
        """Return every patient with a folder of files, sorted."""
        # A participant without recordings in BIDS form has an empty folder in the root.
        filled = {name for name in _folders(self.root, _PATIENT) if any((self.root / name).iterdir())}
        found = filled.union(_folders(self.sourcedata, _PATIENT))
        return tuple(sorted(found))

    def sessions(self, patient: str) -> tuple[str, ...]:
        """Return every session of a patient with a folder of files, sorted."""
        found = {name for root in (self.root, self.sourcedata) for name in _folders(root / patient, SESSION)}
        return tuple(sorted(found))

    def readers(self) -> tuple[str, ...]:
        """Return everyone who read the study blinded, sorted."""
        return tuple(sorted(_folders(self.root / "decisions" / "readers", _READER)))

    def scan_files(self, patient: str, session: str) -> tuple[Path, ...]:
        """Return the files of a bone scan, sorted; empty where there is none."""
        return _files(self.scan_folder(patient, session))

    def recording_files(self, patient: str, session: str) -> tuple[Path, ...]:
        """Return the files of a recording session, BIDS form first, sorted; empty where there is none."""
        return _files(self.emg_folder(patient, session)) + _files(self.tms_folder(patient, session))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, without the path of the machine."""
        return {
            "study": self.root.name,
            "patients": {patient: list(self.sessions(patient)) for patient in self.patients()},
        }

    def __str__(self) -> str:
        patients = self.patients()
        return (
            f"{self.root.name}: {len(patients)} {'patient' if len(patients) == 1 else 'patients'} with files"
        )


def refuse_session(session: str | None) -> None:
    """Refuse a stated session that is not called as sessions are; none stated is fine.

    Raises
    ------
    InputError
        If it is malformed.
    """
    if session is not None and not SESSION.fullmatch(session):
        raise InputError(
            f"session {session}", "it is not ses- followed by letters and digits", "write it as ses-pre"
        )


def with_name(root: Path) -> Path:
    """Return a folder by a path that ends in its name, which ``.`` and ``..`` do not tell."""
    return root.resolve() if root.name in ("", "..") else root


def open_study(root: Path, *, reader: str = "") -> StudyFolder:
    """Return the study that lies in a folder.

    Parameters
    ----------
    root : Path
    reader : str
        Who reads it blinded; empty for the study itself.

    Raises
    ------
    InputError
        If there is no folder, it is not a study, or a reader has no name of letters and digits.
    """
    here = "" if root.name else "sudeck init . makes one here, or name the folder of one"
    root = with_name(root)
    name = root.name or str(root)
    if not root.is_dir():
        raise InputError(name, "there is no such folder", f"make a study with: sudeck init {name}")
    if not (root / SETTINGS_FILE).is_file():
        problem = f"it holds no {SETTINGS_FILE}, so it is not a study"
        raise InputError(name, problem, here or f"make one with: sudeck init {name}")
    if reader and not _READER.fullmatch(reader):
        raise InputError("the reader", "the name is more than letters and digits", "use initials, as NM")
    return StudyFolder(root, reader)


def is_patient(name: str) -> bool:
    """Tell whether a name is one that the folder of a patient may have."""
    return _PATIENT.fullmatch(name) is not None


def _folders(parent: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    if parent.is_dir():
        yield from (path.name for path in parent.iterdir() if path.is_dir() and pattern.fullmatch(path.name))


def _named(folder: Path, stem: str) -> Iterator[Path]:
    """Yield the tables of a name, in whatever case it is written."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.stem.lower() == stem and path.suffix.lower() in TABLE_SUFFIXES and path.is_file():
                yield path


def _only_headings(path: Path) -> bool:
    return path.stat().st_size <= _HEADINGS_BYTES and path.read_bytes().strip().count(b"\n") == 0


def _files(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        return ()
    return tuple(
        sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    )
