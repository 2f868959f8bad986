"""From the API to the landing: list conversations, decide which to fetch, fetch them, land the responses.

Each module works on one workspace and gets its client, home folder, clock and limits passed in. HTTP is done by
``pipelines.api``, masking by ``pipelines.privacy``, and typed rows are made by ``pipelines.transform``. The order of
the steps, locks and progress for the user belong in ``pipelines.usecases``.
"""
