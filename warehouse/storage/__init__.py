"""The files of a home folder: where they are, who may write them, how they are written and read.

Here belongs every write below the home folder except ``warehouse.duckdb``. Not here: what decides which rows to write
(``pipelines``), and SQL (``warehouse.models``, ``warehouse.build``, ``warehouse.serve``).
"""
