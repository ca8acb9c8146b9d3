"""Hands and feet as maps of activity."""
