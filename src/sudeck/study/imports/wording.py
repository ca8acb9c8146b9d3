"""Descriptions reduced to known words: what says limb, view, side or phase stays, all else goes.

An allow-list, as for the elements: a name, a place, a date or a number typed into a description is in no
list.
"""

from __future__ import annotations

import re
from typing import Final

from sudeck.core.privacy import Redactor

GONE: Final = "*"  # stands where words were, so that those around it do not become neighbours

_LIST: Final = """
ANT ANTERIOR ANTERO ANTÉRIEUR ANTERIEUR ANTÉRIEURE ANTERIEURE VENTRAL VORNE POST POSTERIOR POSTERO POSTÉRIEUR
POSTERIEUR POSTÉRIEURE POSTERIEURE HINTEN PALMAR PALMAIRE PALMAIRES PALM VOLAR PLANTAR PLANTAIRE PLANTAIRES
DORSAL DORSALE DORSALES DORSUM LATERAL MEDIAL OBLIQUE AP PA VIEW VIEWS SPOT PAIR
LEFT RIGHT LT RT GAUCHE DROITE DROIT LINKS RECHTS BOTH BILATERAL
HAND HANDS WRIST WRISTS FINGER FINGERS MAINS POIGNET POIGNETS MANO MANOS MUÑECA MUÑECAS MUNECA MUNECAS HÄNDE
HÄND HANDE CARPUS CARPE CARPES FOOT FEET ANKLE ANKLES TOE TOES PIED PIEDS CHEVILLE CHEVILLES PIE PIES TOBILLO
TOBILLOS FUSS FÜSSE FUSSE FÜßE FUßE TARSUS KNEE KNEES ELBOW ELBOWS SHOULDER SHOULDERS SKULL SPINE PELVIS CHEST
WHOLE BODY WHOLEBODY EXTREMITY UPPER LOWER BONE BONES SCAN IMAGE STATIC DYNAMIC PHASE PHASES THREE
FLOW PERFUSION VASCULAR VASCULAIRE ANGIO FLUX POOL BLOODPOOL TISSUE TISSULAIRE EARLY PRÉCOCE PRÉCOCES PRECOCE
PRECOCES BLOOD DELAY DELAYED LATE TARDIF TARDIFS TARDIVE TARDIVES OSSEUX OSSEUSE SPÄT SPAT TARDIA TARDÍA
INJ INJECTION INJECTED OP TRAUMA TRAUMATIC DOSE TREAT TREATMENT MIN SEC HOUR HOURS
ORIGINAL PRIMARY DERIVED SECONDARY TOMO GATED RECON EMISSION TRANSMISSION MIXED
TC 99M TC99 TC99M 99MTC TECHNETIUM TECHNÉTIUM TECNECIO HDP MDP HMDP DPD
"""
_WORDS: Final = frozenset(_LIST.split())
_AXES: Final = frozenset({"A-P", "P-A"})
# Hours after injection, or a word. Scores count as spaces, as they do for those who read descriptions.
_PIECE: Final = re.compile(r"(?P<hours>(?<!\w)[2-5] ?H(?:RS?|OURS?)?(?!\w))|[^\W_]+", re.IGNORECASE)
_JOINTS: Final = re.compile(r"[^\w\s+*-]+|_")


def reduce_wording(text: str, redactor: Redactor | None = None) -> str:
    """Return the known words of a description, upper case, with ``*`` for everything else.

    Parameters
    ----------
    text : str
        A description from a header.
    redactor : Redactor, optional
        Words that are known to identify the patient go even if they are known words.

    Examples
    --------
    >>> reduce_wording("Dupont_Jeanne FEET ant 3h 12.04.1961")
    '* FEET ANT 3H *'
    """
    names = (redactor or Redactor()).tokens

    def kept(match: re.Match[str]) -> str:
        piece = match.group().upper()
        known = piece in _WORDS or match["hours"] is not None
        return piece if known and piece.lower() not in names else GONE

    if text.strip().upper() in _AXES:
        return text.strip().upper()

    reduced = _PIECE.sub(kept, _JOINTS.sub(" ", " ".join(text.split())))
    reduced = re.sub(r"\*(?:[\s*+-]*\*)+", GONE, reduced)
    return " ".join(reduced.split())
