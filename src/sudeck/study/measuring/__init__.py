"""Every measure of every patient, kept and resumed."""
