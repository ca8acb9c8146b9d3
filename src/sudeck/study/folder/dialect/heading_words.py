"""Headings in five languages: without accents, words joined by a low line, the column each may mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# By column. A bare word for "number" is in no list: it may be that of the record.
_WORDS: Final[Mapping[str, str]] = {
    "participant_id": "patient patients id patient_id id_patient participant subject subject_id "
    "pseudonym pseudonyme pseudoniem seudonimo code code_patient patient_code identifiant identificador "
    "patienten_id patientencode patient_no patient_nr pat_nr pat_id pat paciente id_paciente codigo "
    "proefpersoon "
    "n_patient no_patient nr_patient patient_number patientennummer numero_patient",
    "age": "alter edad leeftijd",
    "sex": "sexe geschlecht sexo geslacht gender",
    "handedness": "lateralite handigkeit lateralidad handvoorkeur dominant_hand main_dominante",
    "crps_type": "type typ tipo type_sdrc sdrc_type sdrc crps type_crps crps_typ tipo_sdrc tipo_de_sdrc",
    "limb": "membre membre_atteint affected_limb extremity affected_extremity extremitat gliedmasse "
    "extremidad extremidad_afectada miembro miembro_afecto miembro_afectado ledemaat "
    "betroffene_extremitat aangedane_ledemaat",
    "affected_side": "side cote cote_atteint cote_affecte seite betroffene_seite lado lado_afecto "
    "lado_afectado zijde aangedane_zijde",
    "onset_date": "date_debut date_de_debut debut debut_des_symptomes debut_symptomes premiers_symptomes "
    "beginn beginndatum symptombeginn krankheitsbeginn inicio fecha_inicio fecha_de_inicio "
    "inicio_de_los_sintomas inicio_sintomas fecha_inicio_sintomas begin_klachten "
    "onset date_of_onset begin begindatum",
    "duration_months": "duree_mois dauer_monate duracion_meses duur_maanden duration_in_months",
    "weight_kg": "poids poids_kg gewicht gewicht_kg peso peso_kg",
    "centre": "center centro zentrum centrum",
    "visit": "visite visita bezoek besuch timepoint time_point zeitpunkt messzeitpunkt tijdstip "
    "moment momento temps",
    "day": "jour tag dia dag study_day",
    "nrs": "score pain pain_score vas vas_pain eva eva_douleur eva_dolor nrs_pain douleur score_douleur "
    "schmerz schmerzen schmerzwert schmerzstarke dolor pijn pijnscore en",
    "VPr": "vascular vascular_ratio vascular_phase vascular_phase_ratio phase_vasculaire "
    "rapport_vasculaire fase_vascular perfusionsphase",
    "TPr": "tissue tissue_ratio tissue_phase tissue_phase_ratio phase_tissulaire rapport_tissulaire "
    "fase_tisular weichteilphase",
    "BPr": "bone bone_ratio bone_phase bone_phase_ratio phase_osseuse rapport_osseux fase_osea "
    "knochenphase botfase",
    "method": "methode metodo",
    "reader": "lecteur lector leser untersucher befunder auswerter ausgewertet_von rater observer read_by "
    "lezer beoordelaar lu_par evaluateur evaluador leido_por",
    # Of the other tables.
    "session_id": "session seance sitzung sesion sessie",
    "date": "datum fecha date_visite visit_date",
    "time": "heure hora uhrzeit zeit tijd clock",
    "start_time": "heure heure_de_debut heure_debut hora hora_de_inicio hora_inicio uhrzeit startzeit "
    "beginn begin start begintijd starttijd time",
    "drug": "medicament medikament wirkstoff medicamento farmaco substance substanz sustancia "
    "medicatie geneesmiddel middel traitement tratamiento medication produit",
    "dose_form": "forme form sel salz sal zout",
    "duration_h": "duree_h dauer_h duracion_h duur_h duration_hours infusionsdauer_h",
    "route": "voie voie_d_administration applikation applikationsweg verabreichung via "
    "via_de_administracion toedieningsweg toediening administration",
    "comment": "commentaire commentaires remarque remarques bemerkung bemerkungen kommentar comentario "
    "comentarios observaciones opmerking opmerkingen comments remark remarks note notes",
    "infusion": "infusion_nr infusionsnummer infusion_no infusie perfusion_no",
    "stopped_early": "arret_premature arrete vorzeitig_beendet abgebrochen suspendida vroegtijdig_gestopt",
    "effect": "effet effet_indesirable evenement_indesirable nebenwirkung unerwunschtes_ereignis "
    "efecto_adverso efecto evento_adverso bijwerking adverse_effect adverse_event side_effect event",
    "severity": "gravite severite schweregrad schwere gravedad ernst",
    "serious": "grave serieux schwerwiegend ernstig serio",
    "action": "conduite conduite_tenue mesure massnahme accion medida actie maatregel action_taken",
    "instrument": "questionnaire fragebogen cuestionario vragenlijst echelle skala escala scale",
    "total": "score_total gesamtwert summe puntuacion puntuacion_total totaal total_score score",
    "test": "analyse examen parametre laborwert parameter laborparameter prueba analito bepaling "
    "parametro analyte lab_test",
    "value": "valeur wert valor resultat resultado ergebnis waarde result messwert",
    "unit": "unite einheit unidad eenheid units",
    "upper_limit": "limite_superieure limite_sup norme_haute obergrenze oberer_grenzwert limite_superior "
    "bovengrens upper_limit_of_normal uln lsn",
    "systolic_mmhg": "systolic systole tas pas ta_systolique pression_systolique systolisch rr_systolisch "
    "rr_sys ta_sistolica tension_sistolica sistolica systolische_bloeddruk sbp",
    "diastolic_mmhg": "diastolic diastole tad pad ta_diastolique pression_diastolique diastolisch "
    "rr_diastolisch rr_dia ta_diastolica tension_diastolica diastolica diastolische_bloeddruk dbp",
    "heart_rate": "fc frequence_cardiaque pouls puls herzfrequenz hf frecuencia_cardiaca pulso "
    "hartslag hartfrequentie pulse hr",
    "spo2_percent": "spo2 spo2_percent saturation sattigung sauerstoffsattigung saturacion saturatie "
    "sao2 sat_o2 sato2",
}


def _by_heading() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for column, words in _WORDS.items():
        for word in words.split():
            found[word] = (*found.get(word, ()), column)
    return found


# The columns each heading may mean: which of them a table has decides.
HEADINGS: Final = _by_heading()
