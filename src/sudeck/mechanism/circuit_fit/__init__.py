"""One patient's measures on the circuit: which synapses differ, how surely, and what can not be known."""
