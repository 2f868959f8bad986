"""Answers questions from the built warehouse, read-only: SQL, metrics, one conversation, search, explanations.

Functions return rows and dataclasses; text for a terminal is ``pipelines.cli``. Nothing here writes, and nothing here
asks the API.
"""
