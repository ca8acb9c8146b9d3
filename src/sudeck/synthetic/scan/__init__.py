"""A synthetic three-phase bone scan with its truth."""
