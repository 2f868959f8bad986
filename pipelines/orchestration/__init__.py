"""Dagster definitions: assets, checks, jobs, schedules and sensors; the only package that imports Dagster.

An asset holds the lock, runs one step of a use case and reports counts. What does not belong here: business logic,
which is in ``pipelines.usecases``, so that the command line does the same work without Dagster.

In this package ``context`` is Dagster's, ``app_context`` is ours (``pipelines.usecases.context.Context``, over all
workspaces) and ``workspace`` is a ``Context`` of one workspace.
"""
