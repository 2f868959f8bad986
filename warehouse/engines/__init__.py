"""The models of ``sql/`` on engines: DuckDB, Sail and Spark, from a lake anywhere into Parquet tables anywhere.

An engine does three things (``engine.Engine``): read the lake, materialize a model, run a check. ``build_tables`` does
them in order, and is all that is the same for each. The warehouse of a home folder, with its incremental builds, is
``warehouse.build``.
"""
