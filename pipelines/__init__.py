"""Moves conversations from the vendor's API into the lake, and serves the commands and jobs that do it.

What belongs here: settings, API client, privacy, flattening, use cases, command line, Dagster, the emulated API. What
does not: storage, table schemas, the SQL models and their build (``warehouse``, which imports nothing from here).
"""
