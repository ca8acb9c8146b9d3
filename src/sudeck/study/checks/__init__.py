"""`sudeck check`: everything missing, impossible or contradictory in a study, and what can be mended."""
