"""One module per group of assets; a docstring of an asset is its description in Dagster's UI.

What belongs here: an asset, its checks, and the job of an asset that no schedule runs. What does not: jobs and
schedules over several groups (``orchestration.jobs``), and anything that a use case can do without Dagster.
"""
