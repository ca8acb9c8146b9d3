"""Two measurements side by side: post against pre, hemisphere against hemisphere, and their interaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.record import Record
from sudeck.core.vocabulary import Side
from sudeck.tms.change import (
    LogChange,
    MeasurementError,
    change_between,
    hemisphere_by_time,
    hemisphere_difference,
)
from sudeck.tms.measures.measured import Measured
from sudeck.tms.result import TmsResult

Contrast = Literal["change", "hemispheres", "hemisphere × time"]

# The interval of the 5/10 rule is its step, not its error: no change can be judged by it.
_NOT_COMPARED = " 5/10 rule"


# The test pulse by itself, at an intensity that is set by the threshold or by the response of its hemisphere.
TEST_ALONE: Final = "test alone"


def _same_group(one: Measured, other: Measured) -> bool:
    names = ("participant", "visit", "hemisphere", "muscle", "muscle_side", "channel", "file")
    return all(getattr(one, name) == getattr(other, name) for name in names)


class _Key(NamedTuple):
    """What two estimates must have in common to be compared.

    `place` is empty for the muscle opposite to the stimulated hemisphere, the usual one; else it tells the
    muscle apart, by ``"ipsilateral"`` or, where nobody names the hemisphere, by its side of the body.
    """

    participant: str
    measure: str
    muscle: str
    place: str
    isi_ms: float | None
    intensity: str
    conditioning: str

    @classmethod
    def of(cls, one: Measured, beside: Sequence[Measured]) -> _Key:
        """Return the key of an estimate, given all of its measurement."""
        place = ""
        if one.muscle_side and one.hemisphere is None:
            place = one.muscle_side
        elif one.muscle_side and one.muscle_side == one.hemisphere:
            place = "ipsilateral"
        own = [other for other in beside if _same_group(other, one)]
        intensity = one.intensity if one.isi_ms is None else ""
        if intensity.endswith("%MSO") and {other.intensity for other in own if other.isi_ms} == {intensity}:
            intensity = TEST_ALONE
        conditioning = one.conditioning
        like = [other for other in own if (other.measure, other.isi_ms) == (one.measure, one.isi_ms)]
        if conditioning.endswith("%MSO") and len({other.conditioning for other in like}) == 1:
            conditioning = ""
        if one.isi_ms is not None and len({other.intensity for other in like}) > 1:
            intensity = one.intensity
        # Where it takes channel or file to name a group, these belong to what is compared.
        where = ", ".join(filter(None, (one.channel, one.file)))
        muscle = f"{one.muscle} ({where})" if where else one.muscle
        return cls(one.participant, one.measure, muscle, place, one.isi_ms, intensity, conditioning)

    @property
    def muscle_text(self) -> str:
        return " ".join(filter(None, (self.place, self.muscle)))


@dataclass(frozen=True, slots=True)
class MeasuredChange:
    """One contrast of one measure.

    Attributes
    ----------
    contrast : {"change", "hemispheres", "hemisphere × time"}
        Post against pre of one hemisphere, one hemisphere against the other at one visit, or whether one
        changed more than the other.
    measure, muscle : str
    hemisphere : {"left", "right"} or None
        The hemisphere, or the first of the two where both take part.
    visit : str
        ``"pre"`` or ``"post"`` for a contrast of hemispheres, else empty.
    isi_ms : float or None
    intensity, conditioning : str
    change : LogChange
        Ratio or difference with its interval, smallest detectable change and verdict.
    participant : str
        Whose change it is, where tables hold several people.
    before, after : Measured or None
        The two estimates of a change; None for other contrasts.
    """

    contrast: Contrast
    measure: str
    hemisphere: Side | None
    muscle: str
    visit: str
    isi_ms: float | None
    intensity: str
    conditioning: str
    change: LogChange
    participant: str = ""
    before: Measured | None = None
    after: Measured | None = None

    def __str__(self) -> str:
        given = (self.participant, self.visit, self.hemisphere, self.muscle)
        where = " ".join(filter(None, given))
        how = "" if self.isi_ms is None else f" (ISI {self.isi_ms:g} ms)"
        return f"{where}: {self.change}{how}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        named = (
            "contrast",
            "participant",
            "measure",
            "hemisphere",
            "muscle",
            "visit",
            "isi_ms",
            "intensity",
            "conditioning",
        )
        both = {"before": self.before, "after": self.after}
        return {
            **{name: getattr(self, name) or None for name in named},
            **self.change.to_dict(),
            **{name: one.estimate.to_dict() if one else None for name, one in both.items()},
        }


@dataclass(frozen=True, slots=True)
class Comparison(Record):
    """All contrasts of two measurements, and what could not be compared.

    Attributes
    ----------
    changes : tuple of MeasuredChange
    flags : tuple of Flag
        Measures that only one of the two has, or that differ in unit.
    """

    changes: tuple[MeasuredChange, ...]
    flags: tuple[Flag, ...] = ()

    def find(self, measure: str, contrast: Contrast = "change") -> Sequence[MeasuredChange]:
        """Return the contrasts of one measure."""
        return [one for one in self.changes if (one.measure, one.contrast) == (measure, contrast)]

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.changes, *self.flags))) or "nothing could be compared"


def compare_results(
    pre: TmsResult | Sequence[Measured],
    post: TmsResult | Sequence[Measured],
    *,
    errors: Mapping[str, MeasurementError] | None = None,
) -> Comparison:
    """Compare two measurements of one person.

    Parameters
    ----------
    pre, post : TmsResult or sequence of Measured
        Of one person, one visit each.
    errors : Mapping of str to MeasurementError, optional
        Error between sessions, by measure. Where a measure has none, no change of it is called real.

    Returns
    -------
    Comparison
        Equal are measures of one name, muscle, interval, conditioning intensity and, for amplitudes, test
        intensity. An intensity in %RMT follows the threshold of its visit and hemisphere. One in %MSO does
        not, and must be the same; but for the pulses of a pair, which are set anew for each hemisphere and
        visit: these are compared as the protocol means them, if there is one conditioning intensity.

    Raises
    ------
    InputError
        If either has the same measure twice, as when two visits or two people were measured together.
    """
    return _Contrasts(_by_key(pre, "pre"), _by_key(post, "post"), errors or {}).made()


@dataclass
class _Contrasts:
    """The contrasts of two tables of estimates, and the reasons for those that fail."""

    pre: dict[_Key, dict[Side | None, Measured]]
    post: dict[_Key, dict[Side | None, Measured]]
    errors: Mapping[str, MeasurementError]
    changes: list[MeasuredChange] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)

    def made(self) -> Comparison:
        for key in dict.fromkeys((*self.pre, *self.post)):
            before, after = self.pre.get(key, {}), self.post.get(key, {})
            for side in dict.fromkeys((*before, *after)):
                if side in before and side in after:
                    both = before[side], after[side]
                    make = partial(change_between, *(one.estimate for one in both))
                    self._add("change", key, side, "", make, both)
                else:
                    self._miss(key, side, "pre" if side in before else "post")
            for visit, own in (("pre", before), ("post", after)):
                if {"left", "right"} <= set(own):
                    make = partial(hemisphere_difference, own["left"].estimate, own["right"].estimate)
                    self._add("hemispheres", key, "left", visit, make)
            if {"left", "right"} <= set(before) & set(after):
                terms = [own[side].estimate for side in ("left", "right") for own in (before, after)]
                self._add("hemisphere × time", key, "left", "", partial(hemisphere_by_time, *terms))
        self._name_unused_errors()
        return Comparison(tuple(self.changes), tuple(self.flags))

    def _name_unused_errors(self) -> None:
        measured = list(dict.fromkeys(key.measure for key in (*self.pre, *self.post)))
        unused = [name for name in self.errors if name not in measured]
        if unused:
            text = (
                f"Retests are given of {', '.join(unused)}, which neither visit has "
                f"(there are: {', '.join(measured)})."
            )
            self.flags.append(Flag("retest-unused", text, "info"))

    def _add(
        self,
        contrast: Contrast,
        key: _Key,
        side: Side | None,
        visit: str,
        make: Callable[..., LogChange],
        both: tuple[Measured | None, Measured | None] = (None, None),
    ) -> None:
        try:
            change = make(error=self.errors.get(key.measure))
        except InputError as error:
            self.flags.append(Flag("not-compared", str(error), "caution", key.measure))
            return
        self.changes.append(
            MeasuredChange(
                contrast,
                key.measure,
                side,
                key.muscle_text,
                visit,
                key.isi_ms,
                key.intensity,
                key.conditioning,
                change,
                key.participant,
                *both,
            )
        )

    def _miss(self, key: _Key, side: Side | None, visit: str) -> None:
        where = " ".join(filter(None, (key.participant, side, key.muscle_text)))
        how = "" if key.isi_ms is None else f" at {key.isi_ms:g} ms"
        at = f" at {key.intensity}" if key.intensity else ""
        text = f"{key.measure}{how}{at} of {where} was measured {visit} only."
        self.flags.append(Flag("measured-once", text, "info", key.measure))


def _by_key(measured: TmsResult | Sequence[Measured], visit: str) -> dict[_Key, dict[Side | None, Measured]]:
    estimates = measured.estimates if isinstance(measured, TmsResult) else measured
    table: dict[_Key, dict[Side | None, Measured]] = {}
    for one in estimates:
        if one.measure.endswith(_NOT_COMPARED):
            continue
        key = _Key.of(one, estimates)
        if one.hemisphere in table.setdefault(key, {}):
            raise InputError(
                visit,
                f"it holds {one.measure} of the {one.hemisphere or 'unnamed'} hemisphere twice",
                "compare one visit of one person with another",
            )
        table[key][one.hemisphere] = one
    return table
