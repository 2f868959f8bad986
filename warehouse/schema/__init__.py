"""Declarations: every table and column of the landing and the lake, once, with type, JSON path and description.

Here belong facts about the data and nothing that runs on it. Not here: reading or writing of files
(``warehouse.storage``), flattening of documents (``pipelines.transform``) and the SQL models (``sql/``).
"""
