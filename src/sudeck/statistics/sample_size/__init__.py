"""How many patients a model needs, and how precisely a number of patients fixes what it says."""
