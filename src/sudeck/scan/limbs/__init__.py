"""Both limbs found in each image and laid over each other."""
