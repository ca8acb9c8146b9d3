"""The treatment of a study: what each patient was given, what exposure that was, what was on board, safety.

In the order of the data: `treatment_given`, `treatment_words` and `treatment_flags` (for the other answers),
`safety_record`, `study_treatment` (`describe_treatment`).
"""
