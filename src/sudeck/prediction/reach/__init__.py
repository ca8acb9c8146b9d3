"""Whether a model does equally well for everybody: by group, and in a centre it did not learn from."""
