"""Are the sentences true? Many studies drawn in worlds whose truth is known, answered, and scored.

One study is one task: a world and a seed in, a row of numbers and the ledger of its claims out. Read
table_study, goals, tally.
"""
