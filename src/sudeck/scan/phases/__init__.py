"""Which images are the vascular, tissue and bone phase of the study."""
