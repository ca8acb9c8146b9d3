"""One step of the circuit: the plain one in NumPy, the fast one in Numba."""
