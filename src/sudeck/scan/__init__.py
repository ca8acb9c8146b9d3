"""Three-phase bone scan: files, frames, limbs, homologous regions, uptake, ratios. Imports nothing heavy."""
