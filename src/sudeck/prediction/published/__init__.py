"""What was published, repeated and checked: the frozen rule, and relief against the six ratios."""
