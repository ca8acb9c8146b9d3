"""Motor threshold: the prior, the posterior, the classical rules, and advice at the stimulator."""
