"""Who responds to ketamine: the published rule, the published analysis, and an honest model beside them.

Tables in, answers out; this room knows no files. Read the modules in the order of the data:

- a table becomes numbers: `arrays`, `ratios`, `predictors`, `model_data`
- what was published, repeated and checked: `published_rule`, `correlation`, `cutoff`, `proportion`
  (whether printed numbers fit each other: `sudeck.statistics.reported`)
- what can be defended: `response_model`, made of `fitting` and `inference`, which use `firth`, `ridge` and
  `linear` on one engine `logistic`, `measurement_error` and `imputation`; `patients` predicts one by one
- how far it carries: `roc`, `calibration`, `resampling`, `validation`, `curves`, `decision`
- what comes next: `saved_model`, `updating`
"""
