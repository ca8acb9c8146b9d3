"""Pseudonyms: who is which patient, by a secret kept apart, with nothing in it that names a person.

The key file holds a random secret, and for each patient a keyed hash (HMAC-SHA-256) of the record number.
With it the centre finds the pseudonym of a record number it knows; nobody reads a record number in it. All
that hides a patient, the shift of the dates and the new identifiers, follows from the same secret, so that
a second import of the same files gives the same bytes.
"""

from __future__ import annotations

import csv
import hmac
import io
import os
import re
import secrets
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.core.storage import parse_json, read_limited, to_json
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import PARTICIPANTS

_PSEUDONYM: Final = re.compile(r"sub-[A-Za-z0-9]+")
_SHORTEST_SHIFT_DAYS: Final = 365
_LONGEST_SHIFT_DAYS: Final = 3650


@dataclass(frozen=True)
class Key:
    """The key of the pseudonyms.

    Attributes
    ----------
    secret : bytes
        32 random bytes.
    patients : Mapping of str to str
        Keyed hash of a record number to pseudonym.
    """

    secret: bytes = field(repr=False)
    patients: Mapping[str, str] = field(default_factory=dict, repr=False)

    def token(self, record: str) -> str:
        """Return the keyed hash of a record number; case and separators do not count."""
        letters = "".join(filter(str.isalnum, record.upper()))
        return self._digest("patient", letters).hex()[:32]

    def pseudonym(self, record: str, *, own: Collection[str] = ()) -> str | None:
        """Return the pseudonym of a record number, or None; what is among the study's `own` ones stays.

        Nothing is taken for a pseudonym because it looks like one: ``sub-Dupont`` does, too.
        """
        return record.strip() if record.strip() in own else self.patients.get(self.token(record))

    def shift(self, pseudonym: str) -> timedelta:
        """Return by how much all dates of a patient move: one to ten years back, the same for all of them."""
        span = _LONGEST_SHIFT_DAYS - _SHORTEST_SHIFT_DAYS
        drawn = int.from_bytes(self._digest("dates", pseudonym)[:8]) % span
        return -timedelta(days=_SHORTEST_SHIFT_DAYS + drawn)

    def uid(self, uid: str) -> str:
        """Return the DICOM identifier that takes the place of another: ``2.25.`` and 128 bits (PS3.5 B.2)."""
        return f"2.25.{int.from_bytes(self._digest('uid', uid)[:16])}"

    def with_patients(
        self, records: Iterable[str], *, taken: Collection[str] = (), own: Collection[str] = ()
    ) -> Key:
        """Return a key that knows these record numbers too, each new one by the next free number.

        Parameters
        ----------
        records : iterable of str
            Record numbers.
        taken : collection of str
            Pseudonyms in use that are not in the key.
        own : collection of str
            Records that are pseudonyms of the study already.
        """
        patients = dict(self.patients)
        used = {*patients.values(), *taken}
        number = 0
        # In the order of the hashes: the order of record numbers or names would say something about them.
        unknown = {self.token(record) for record in records if self.pseudonym(record, own=own) is None}
        for token in sorted(unknown):
            while (name := f"sub-{(number := number + 1):03d}") in used:
                pass
            patients[token] = name
            used.add(name)
        return Key(self.secret, patients)

    def with_pseudonyms(self, given: Mapping[str, str]) -> Key:
        """Return a key that knows pseudonyms a person gave, by record number.

        Raises
        ------
        InputError
            If one is malformed, or contradicts the key.
        """
        patients = dict(self.patients)
        for record, name in given.items():
            if not _PSEUDONYM.fullmatch(name):
                raise InputError(
                    "a given pseudonym", "is not sub- followed by letters and digits", "write it as sub-001"
                )
            token = self.token(record)
            if patients.setdefault(token, name) != name:
                raise InputError(
                    name, f"its record number is {patients[token]} already", "use the pseudonym it has"
                )
        owners = list(patients.values())
        for name in given.values():
            if owners.count(name) > 1:
                raise InputError(
                    name, "two record numbers would share it", "give each patient one of their own"
                )
        return Key(self.secret, patients)

    def _digest(self, *words: str) -> bytes:
        return hmac.digest(self.secret, "\0".join(words).encode(), "sha256")


def moved(text: str, shift: timedelta) -> str:
    """Return a date moved by a shift, both written YYYY-MM-DD.

    Raises
    ------
    InputError
        If the text is no date, or the moved one lies outside the calendar.

    Examples
    --------
    >>> moved("2025-03-15", timedelta(days=-400))
    '2024-02-09'
    """
    try:
        return (date.fromisoformat(text) + shift).isoformat()
    except (ValueError, OverflowError):
        raise InputError("the date", "it is not a date", "write it as YYYY-MM-DD") from None


def read_key(path: Path) -> Key | None:
    """Read a key; None where there is no file.

    Raises
    ------
    InputError
        If the file is no key.
    """
    if not path.is_file():
        return None
    try:
        content = parse_json(read_limited(path, subject=path.name), subject=path.name)
        secret = bytes.fromhex(content["secret"])
        patients = {str(token): str(name) for token, name in content["patients"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, InputError):
        secret, patients = b"", {}
    if len(secret) != 32 or not all(map(_PSEUDONYM.fullmatch, patients.values())):
        raise InputError(path.name, "it is not a key of pseudonyms", "put the key of this study back")
    return Key(secret, patients)


def open_key(study: StudyFolder, path: Path, *, offered: Key | None = None) -> Key:
    """Return the key of a study; where it has none yet, the offered one or a new one, not written.

    Raises
    ------
    InputError
        If an earlier import used a key that is gone: a new one would give the same patients other names.
    """
    key = read_key(path)
    if key is None and study.imports.is_dir() and any(study.imports.glob("*.tsv")):
        raise InputError(
            path.name,
            "the key of the pseudonyms is gone, and patients were imported with it",
            "put it back, or name its place in sudeck.toml as [privacy] key_file",
        )
    return key or offered or Key(secrets.token_bytes(32))


def write_key(path: Path, key: Key) -> None:
    """Write a key, atomically and readable by its owner only."""
    content: dict[str, Any] = {
        "about": "Key of the pseudonyms of a study. Keep it apart from the study, and do not lose it.",
        "secret": key.secret.hex(),
        "patients": dict(sorted(key.patients.items(), key=lambda item: item[1])),
    }
    _write_for_owner(path, to_json(content))


def write_ids(path: Path, records: Mapping[str, str]) -> None:
    """Write a table of record numbers and pseudonyms to be edited; it names patients: for its owner only.

    The columns of participants.tsv follow, to be filled in with true dates.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    asked = PARTICIPANTS.columns[1:]
    writer.writerow(("record_number", "participant_id", *asked))
    for record, pseudonym in sorted(records.items(), key=lambda pair: pair[1]):
        writer.writerow((record, pseudonym, *[""] * len(asked)))
    _write_for_owner(path, text.getvalue())


def _write_for_owner(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".sudeck-", suffix=".part")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
