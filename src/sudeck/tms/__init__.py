"""Magnetic stimulation: recordings, trials, responses, and the measures of each hemisphere."""
