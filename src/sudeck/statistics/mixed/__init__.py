"""Linear mixed models for small studies, with the degrees of freedom that their tests need."""
