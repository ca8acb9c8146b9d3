"""Tables as centres keep them: their words, their headings, how they lay a table out."""
