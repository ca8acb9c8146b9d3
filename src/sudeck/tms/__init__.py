"""Magnetic stimulation: recordings, trials, responses; threshold, recruitment, paired pulse, silent period."""
