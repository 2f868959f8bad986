"""Reads ``sql/`` as a project, as dbt does: headers, SELECTs, seeds, build order, lineage, checks, lint and docs.

Here is what the files say and which checks follow from it, and the checks can be run on any connection. Building the
models is ``warehouse.build``; reading a built warehouse is ``warehouse.serve``.
"""
