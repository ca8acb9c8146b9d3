"""A synthetic bone scan written as the files of a gamma camera."""
