"""The words of labels that name no one: what laboratories call channels, markers and conditions.

Amplifiers let people type anything into a label, a patient's name among it. No list of names is complete, so
it goes the other way round: what consists of these words, of numbers and of short codes is a label of the
field, and everything else may be a person.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sudeck.tms.signals.muscles import muscle_and_side

# English, German, French, Spanish and Italian, in lower case and without accents. Words that are common first
# or family names too (mark, max, rose, lang, klein) are left out on purpose.
_RECORDING: Final = """
emg eeg eog ecg ekg veog heog gsr eda resp channel chan chn chs ch kanal canal voie canale adc dac ai ain
input output analog analogue aux auxiliary ref reference gnd ground earth raw filt filtered filter mux
sensor trigno signal sig lead electrode electrodes elektrode pole bipolar bip monopolar mono surface needle
unit mv uv nv microvolt microvolts millivolt millivolts volt volts hz khz samples sample data counts force
torque grip newton emgs rms rect rectified rectif env envelope smooth smoothed integ integrated iemg arv mav
abs acc accel accelerometer cmd command avanti quattro delsys biopac cambridge digitimer intan gyro
goniometer angle temp temperature pressure breathing respiration wave waveform memory keyboard digmark
digital textmark status stat bit bits byte din dout event events evt evts ev marker markers mrk code codes
flag response comment comments notes note segment seg seq boundary epoch epochs frame frames sweep sweeps
episode trace traces ttl trig trigger triggers trigg sync synchro pulse pulses puls impuls impulse impulsion
impulso pulso stim stims stimulus stimuli stimulation stimulator stimulateur reiz reize estimulo
estimulacion stimolo magstim magpro magventure bistim rapid neurosoft deymed nexstim brainsight localite
coil spule bobine bobina tms rtms mag magnetic magnetisch magnetique artefact artifact lost new
"""
_STIMULATION: Final = """
test testpulse cs ts tp cp sp pp isp mep meps pem rmt amt smt mt rt at mso io curve curves recruitment
threshold thresholds schwelle seuil umbral soglia intensity intensities intensitat intensite intensidad
percent prozent percentage stimulated conditioned conditioning unconditioned konditioniert conditionne
conditioner single paired pair pairs double dual twin triple einzel einfach einzelpuls einzelreiz doppel
doppelpuls doppelreiz gepaart simple apparie appariee paire unique doble pareado sencillo singolo doppio
sici sicf icf lici lcd sai lai ihi sihi lihi cbi csp csps ppc ppi pas tbs itbs ctbs qps dcs tdcs sham verum
placebo active inactive aktiv actif activa attivo passive rest resting ruhe repos reposo riposo relaxed
relax relaxation entspannt relache relajado contraction contracted contract contracting kontraktion tonic
tonisch angespannt contraccion contrazione preactivation maximal maximum mvc hold squeeze pinch control
controls kontrolle controle baseline bsl base basal basis ausgang pre post before after during vor nach
avant apres antes despues prima dopo week day visit session sess sitzung month time timepoint block blocks
bloc run runs trial trials train trains condition cond conditions bedingung series serie serien step steps
stufe level low mid medium high small large none unknown state states status zustand etat estado ms s sec
min minute minutes kind type name annotation annotations stream interval intervals basic rc abdo hr hreflex
reflex reflexes mwave fwave magnet ex sd weak strong middle center centre central both neither upper lower
top bottom conditionnee conditionnees conditionnes conditionada acondicionado amplitude amplitudes amp p2p
st nd rd deg degree degrees kg bar pa mmhg adu lux isi iti isis latency silent period periode latence latenz
follow up followup besuch visite visita sesion month months week weeks days wk mo screening intake
inclusion enrolment discharge treatment therapy infusion washout vorher nachher initial final
only alone seul allein with without ohne sans and und et or of in on off start stop begin end go nogo cue
catch blank dummy null zero first second third last other same repeat repeated tracking mapping map hotspot
grid point vertex dose drug ketamine saline z x y ipsi ipsilateral contra contralateral ipsilateraux
bilateral unilateral tonus pain schmerz douleur dolor affected unaffected healthy betroffen gesund atteint
sain sano afectado patient patients subject participant person proband hc crps task motor sensory imagery
movement nerve nerf nervio nervus median medianus ulnar ulnaris radial tibial peroneal peroneus fibular
digital mixed afferent peripheral pns dns vns ens erb m1 s1 dpuls ppulse spulse tpulse esti cl il cc kette
di du dp
"""
_BODY: Final = """
left right l r lh rh lft rgt links rechts linke rechte linker rechter linkes rechtes gauche droit droite g d
dx sx izquierda izquierdo izq derecha derecho sinistra sinistro destra destro dext dexter sinister
hemisphere hemispheres hemi hemisphare hemisphaere hemisferio emisfero side seite cote lado lato cortex m
pmd pmv sma dlpfc vertex ap pa lm ml hand hands foot feet arm arms leg legs forearm finger fingers thumb toe
wrist elbow knee ankle face main bras jambe pied pouce fuss bein zeh daumen mano pie brazo pierna muscle
muscles muskel muscolo musculo mus first dorsal dorsalis dorsales interosseous interossei interosseus
interosseo interosseux premier abductor abducteur abduktor adductor pollicis brevis longus digiti digitorum
minimi quinti indicis hallucis opponens extensor flexor carpi radialis communis superficialis profundus
pronator supinator teres brachioradialis brachii biceps triceps bizeps trizeps deltoid deltoideus delt
trapezius trap pectoralis tibialis anterior posterior ant tib tibant soleus sol gastrocnemius gastroc gast
gas vastus lateralis medialis rectus femoris quadriceps quad hamstring hamstrings semitendinosus gluteus
maximus masseter frontalis orbicularis oculi oris mentalis zygomaticus nasalis tongue diaphragm genioglossus
sternocleidomastoid scm paraspinal erector spinae abdominal obliquus intercostal belly tendon iod fdib pid
edm fcrl abp
"""
# What scans and recordings are called in file names.
_FILES: Final = """
flow pool blood delayed vascular tissue bone late early phase static dynamic copy image img im file scan
scint nm dcm dicom ima sub ses csv tsv txt edf bdf vhdr mat smr cfs xlsx npz npy set
"""
WORDS: Final = frozenset(f"{_RECORDING} {_STIMULATION} {_BODY} {_FILES}".split())
# Sides as they are shortened behind a muscle; alone they may be a name.
_SIDES: Final = frozenset(["li", "re", "ri", "le", "der", "sin", "dex"])
LONGEST_NUMBER: Final = 5  # digits; longer ones are dates and record numbers

_LONGEST_CODE: Final = 2  # letters before the number of a code such as S 255, R128, DI 3
_LEAST_PART: Final = 3  # letters of a part of a compound such as singlepulse
# Sites of the 10-20 system and its denser grids.
_SITE: Final = re.compile(r"(fp|af|f|fc|ft|c|t|cp|tp|p|po|o|n|i)z", re.IGNORECASE)


def is_of_the_field(word: str, others: frozenset[str] = frozenset(), *, beside_muscle: bool = False) -> bool:
    """Tell whether a word of letters names a thing of the field, or parts of such run together.

    Parameters
    ----------
    word : str
        Letters only.
    others : frozenset of str
        Further words that are known, in lower case.
    beside_muscle : bool
        Whether the label names a muscle too: what shortens a side there is no name.

    Examples
    --------
    >>> [is_of_the_field(word) for word in ("RFDI", "SinglePulse", "Einzelreiz", "Fz", "Dupont", "Jo")]
    [True, True, True, True, False, False]
    """
    if len(word) == 1 or muscle_and_side(word)[0] is not None or _SITE.fullmatch(word):
        return True
    if beside_muscle and word.lower() in _SIDES:
        return True
    known = WORDS | others
    parts = re.findall(r"[A-Z]?[a-z\u00e0-\u00ff]+|[A-Z]+(?![a-z])|.", word)
    if all(_folded(part) in known or muscle_and_side(part)[0] for part in parts) and max(map(len, parts)) > 1:
        return True
    return _compound(_folded(word), known)


def is_code(letters: str, digits: str) -> bool:
    """Tell whether letters and the number behind them are a code: ``S 255``, ``R128``, ``DI 3``."""
    return len(letters) <= _LONGEST_CODE and len(digits) <= LONGEST_NUMBER


def _compound(word: str, known: frozenset[str]) -> bool:
    """Tell whether a word is made of known words, each of three letters and more."""
    reached = {0}
    for end in range(1, len(word) + 1):
        if any(
            start in reached and (end - start >= _LEAST_PART or start + end == len(word))
            for start in range(end)
            if word[start:end] in known
        ):
            reached.add(end)
    return len(word) in reached


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.lower())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("ß", "ss")
