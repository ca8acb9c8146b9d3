"""Decide what a study offers: which frames serve which phase, and why everything else does not."""

from __future__ import annotations

from collections.abc import Collection as Sized
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.provenance import SourceFile
from sudeck.core.vocabulary import Limb, ScanPhase, Side
from sudeck.scan.phases.assignment import PhaseCandidate, candidates_of
from sudeck.scan.phases.choice import choose, other_delayed
from sudeck.scan.phases.contradictory import contradictory, contradicts
from sudeck.scan.phases.orientation import orient
from sudeck.scan.phases.side_pairs import pair_sides
from sudeck.scan.phases.stated import StatedPhases, match_stated_phases
from sudeck.scan.phases.timeline import phases_by_order, without_export_times, zero_time
from sudeck.scan.phases.view_pairs import pair_views
from sudeck.scan.phases.wholebody import crop_limb
from sudeck.scan.reading.collection import Collection, Skipped, refuse_mixtures
from sudeck.scan.reading.frames import Acquisition
from sudeck.scan.reading.remedies import SAY_LIMB
from sudeck.scan.reading.sides import View


@dataclass(frozen=True)
class ScanPlan:
    """What would be measured, what not, and why.

    Attributes
    ----------
    chosen : Mapping[ScanPhase, Candidate]
        Frames to measure, by phase of the study.
    limb : {"hand", "foot"} or None
        Limb imaged.
    other_delayed : tuple of PhaseCandidate
        Delayed images of other times, each a measure of its own.
    skipped : tuple of Skipped
        Every file, or part of one, that is not used, and why.
    errors : tuple of InputError
        The refusals among them, those that come closest to use first.
    flags : tuple of Flag
        Findings about the files in use; those of further delayed images are with them.
    """

    chosen: Mapping[ScanPhase, PhaseCandidate]
    limb: Limb | None
    skipped: tuple[Skipped, ...]
    errors: tuple[InputError, ...]
    flags: tuple[Flag, ...]
    other_delayed: tuple[PhaseCandidate, ...] = ()

    @property
    def sources(self) -> tuple[SourceFile, ...]:
        """Files in use, each once."""
        used = (
            source
            for item in (*self.chosen.values(), *self.other_delayed)
            for source in item.acquisition.sources
        )
        files = {source.sha256: source for source in used}
        return tuple(files.values())

    def why_absent(self, phase: ScanPhase) -> str:
        """Return one sentence on why a phase can not be measured."""
        if not self.errors:
            return f"No image of the {phase} phase was found."
        named = "; ".join(f"{error.subject}: {error.problem}" for error in self.errors[:2])
        return f"No usable image of the {phase} phase was found (not used: {named})."

    def refusal(self) -> InputError:
        """Return the one sentence that refuses the whole input."""
        if len(self.errors) == 1 and len(self.skipped) == 1:
            return self.errors[0]
        reasons = [f"{', '.join(subjects)}: {problem}" for problem, subjects in self._subjects().items()]
        shown = " | ".join(reasons[:3]) + (f" | and {len(reasons) - 3} more" if len(reasons) > 3 else "")
        remedies = {error.remedy for error in self.errors}
        remedy = remedies.pop() if len(remedies) == 1 else "see: sudeck inspect"
        return InputError(f"{len(self.skipped)} files", f"none can be measured ({shown})", remedy)

    def _subjects(self) -> dict[str, list[str]]:
        """Return the files refused by their problem."""
        files: dict[str, list[str]] = {}
        for error in self.errors:
            files.setdefault(error.problem, []).append(error.subject)
        return files


def plan_scan(
    collection: Collection,
    *,
    limb: Limb | None = None,
    view: View | None = None,
    image_left: Side | None = None,
    injected_at: datetime | None = None,
    phase_of: Mapping[str, ScanPhase] | None = None,
    usual_view: View | None = None,
    flow_s: float | None = None,
) -> ScanPlan:
    """Plan a study; the options are those of `sudeck.scan.phases.phase_series.read_scan`.

    Raises
    ------
    InputError
        If the files belong to several patients, studies or injections, or show both hands and feet; or if a
        phase is stated for a file there is not.
    """
    mixture_flags = refuse_mixtures(collection.acquisitions)
    skipped = list(collection.skipped)
    stated_limb = limb
    limb, acquisitions, of_other_limb = _limb_of(collection.acquisitions, limb)
    skipped += [Skipped(error.subject, error.problem) for error in of_other_limb]
    pairs = pair_sides(acquisitions)
    acquisitions = pair_views(pairs.acquisitions)
    skipped += [Skipped(error.subject, f"{error.problem}; {error.remedy}") for error in pairs.alone]
    stated = match_stated_phases(phase_of or {}, collection)
    acquisitions, export_flags = without_export_times(acquisitions)
    zero, origin, zero_flags = zero_time(acquisitions, injected_at)
    by_order = phases_by_order(acquisitions)
    candidates: list[PhaseCandidate] = []
    errors: list[InputError] = []
    for acquisition in acquisitions:
        try:
            _refuse_other_part(acquisition, stated_limb)
            cropped = crop_limb(acquisition, limb)
            candidates += candidates_of(
                cropped,
                orient(
                    cropped,
                    view=view,
                    image_left=None if cropped.sides else image_left,
                    usual_view=usual_view,
                ),
                zero=zero,
                origin=origin,
                stated=_stated_for(acquisition, stated),
                by_order=by_order.get(acquisition.source.sha256),
                flow_s=flow_s,
            )
        except InputError as error:
            errors.append(error)
            skipped.append(Skipped(error.subject, f"{error.problem}; {error.remedy}"))
    chosen, others = choose(candidates)
    contradiction = contradictory(chosen)
    chosen = {name: item for name, item in chosen.items() if name not in contradiction.errors}
    errors = [*contradiction.errors.values(), *errors]
    delayed, others = other_delayed(chosen, others)
    skipped += [Skipped(item.acquisition.label, reason) for item, reason in others]
    wrong = {id(item): why for item in delayed if (why := contradicts(item, chosen)) is not None}
    skipped += [Skipped(error.subject, error.problem) for error in wrong.values()]
    skipped += [Skipped(error.subject, error.problem) for error in contradiction.errors.values()]
    flags = [*collection.flags, *mixture_flags, *export_flags, *zero_flags]
    flags += [*contradiction.flags, *_differing_views(chosen.values())]
    flags += _differing_postures(chosen.values())
    for item in {id(item.acquisition): item for item in chosen.values()}.values():
        flags += file_flags(item)
    for item in chosen.values():
        flags += item.flags
    return ScanPlan(
        chosen,
        limb,
        tuple(dict.fromkeys(skipped)),
        (*errors, *pairs.alone, *collection.errors, *of_other_limb),
        tuple(flags),
        tuple(item for item in delayed if id(item) not in wrong),
    )


def _stated_for(acquisition: Acquisition, stated: StatedPhases) -> Mapping[int | None, ScanPhase]:
    """Return what a person states for any of the files of an acquisition."""
    return next((stated[one.sha256] for one in acquisition.sources if one.sha256 in stated), {})


def _refuse_other_part(acquisition: Acquisition, stated: Limb | None) -> None:
    """Refuse an image that names another part of the body, where neither file nor person names the limb."""
    unsaid = acquisition.limb is None and stated is None
    if acquisition.other_part and unsaid and acquisition.kind != "whole body":
        raise InputError(
            acquisition.label,
            f"it names another part of the body ({acquisition.other_part}), not hands or feet",
            f"if it shows them all the same, {SAY_LIMB}",
        )


def file_flags(item: PhaseCandidate) -> tuple[Flag, ...]:
    """Return what was found about the file of an image, whichever of its frames are used."""
    return (*item.acquisition.flags, *item.orientation.flags, *_part_flags(item.acquisition))


def _part_flags(acquisition: Acquisition) -> tuple[Flag, ...]:
    if not acquisition.other_part or acquisition.kind == "whole body":
        return ()
    return (
        Flag(
            "other-part-named",
            f"The header of {acquisition.label} names another part of the body too "
            f"({acquisition.other_part}).",
            "serious",
            acquisition.label,
        ),
    )


def _differing_views(chosen: Sized[PhaseCandidate]) -> tuple[Flag, ...]:
    sides = {item.phase: f"{item.phase} {item.orientation.view}" for item in chosen}
    if len({item.orientation.image_left for item in chosen}) < 2:
        return ()
    return (
        Flag(
            "views-differ",
            f"The phases show the limbs from different sides ({', '.join(sides.values())}).",
            "caution",
        ),
    )


def _differing_postures(chosen: Sized[PhaseCandidate]) -> tuple[Flag, ...]:
    """Flag phases said to be taken of a patient lying on the back in one and on the front in another.

    A word like "anterior" is then as good as whoever typed it; a code names the side of the body itself.
    """
    stated = {item.phase: "".join(item.acquisition.postures) for item in chosen if item.acquisition.postures}
    if len(set(stated.values())) < 2:
        return ()
    by_word = any(flag.code == "side-by-word" for item in chosen for flag in item.orientation.flags)
    what = ", ".join(f"{phase} {posture}" for phase, posture in stated.items())
    return (
        Flag(
            "positions-differ",
            f"The patient is said to have lain differently ({what}): check that the sides are right in each "
            "phase, or state them with --image-left.",
            "serious" if by_word else "caution",
        ),
    )


def _limb_of(
    acquisitions: Sequence[Acquisition], limb: Limb | None
) -> tuple[Limb | None, list[Acquisition], list[InputError]]:
    """Settle the limb, and leave out images of the other one."""
    named = {acquisition.limb for acquisition in acquisitions} - {None}
    if limb is None:
        if len(named) > 1:
            raise InputError(
                f"{len(acquisitions)} files",
                "some show hands and some feet",
                SAY_LIMB,
            )
        return next(iter(named), None), list(acquisitions), []
    kept = [item for item in acquisitions if item.limb in (None, limb)]
    others = [
        InputError(item.label, f"it shows the {item.limb}, not the {limb}", f"choose --limb {item.limb}")
        for item in acquisitions
        if item not in kept
    ]
    return limb, kept, others
