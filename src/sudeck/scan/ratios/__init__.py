"""From homologous regions to uptake, ratios and their errors."""
