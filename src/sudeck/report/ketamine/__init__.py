"""Pages, figures and console tables of the treatment."""
