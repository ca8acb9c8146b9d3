"""From sweeps to responses: amplitude, latency, silent period, background."""
