"""Builds ``warehouse.duckdb`` from the lake and ``sql/``: what to rebuild, how, and the swap after the checks.

Only this package writes the warehouse. What the models say and which checks they need is ``warehouse.models``; the
lake below it is ``warehouse.storage``.
"""
