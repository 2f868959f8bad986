"""What a user can ask for: sync, erasure, retention, feedback, audio, agent access, status.

A use case takes a ``Context``, holds the lock of the home folder, puts the steps of the packages below in order and
reports progress. It knows nothing of click or Dagster: the command line and the assets call it. HTTP requests, rules,
SQL and file formats belong in the packages below.
"""
