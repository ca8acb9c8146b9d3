"""Who responds to ketamine: the published rule, the published analysis, and an honest model beside them.

Tables in, answers out; this room knows no files. Read the modules in the order of the data: `ratios` and
`predictors` turn a table into numbers; `published_rule`, `correlation`, `reported` and `cutoff` repeat what
was published; `response_model` fits what can be defended; `validation`, `calibration`, `decision` say how
far it carries; `updating` and `planning` look ahead; `saved_model` keeps it.
"""
