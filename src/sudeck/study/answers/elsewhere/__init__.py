"""Models and centres beyond one study: a model tried on others, moved to them, and centres taken together.

In the order of the data: `another_study` (`validate_study`, `update_study`), `centres` (`share_study`,
`pool_centres`), `rounds` (`first_question`, `answer_question`, `next_round`).
"""
