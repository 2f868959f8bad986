"""The data at rest: schema, Parquet files, DuckDB build and the questions that are put to the result.

Here belongs what works on a home folder alone. Not here: requests to the API, masking, the flattening of documents,
settings and the command line; all of that is in ``pipelines``, which this package never imports.
"""
