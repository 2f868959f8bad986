"""Landed documents become typed rows of the lake, without any network.

Belongs here: decoding documents, building the rows of every table, writing them to the lake, redacting documents, and
counting fields that the schema does not know. Does not belong here: requests to the API and landing
(``pipelines.api``, ``pipelines.extract``), masking (``pipelines.privacy``), SQL models (``warehouse.models``).

From a conversation detail to typed rows:

1. ``document_schema``: the shape of a document, derived from the columns of ``warehouse.schema``
2. ``decode``: JSON bytes to structs; ``lenient_decode`` for documents that the fast decoder rejects
3. ``path_values``: structs to columns, one JSON path at a time
4. ``table_builders``, ``tool_calls``: the columns of each table
5. ``polars_frames``: columns to frames with the schema of the table
6. ``flatten``: runs steps 2 to 5 in batches

From the landing to the lake:

7. ``refresh_lake``: finds stale conversations and brings every table up to date
8. ``merge_days``: flattens stale conversations and merges their rows day by day; ``worker_pool`` adds processes
9. ``tools``, ``llm_prices``, ``agent_configs``, ``listed_items``, ``bills``: reference data, each a few
   ``record_tables``; ``history`` compares its versions; ``agents``: derived from the lake
10. ``schema_drift``, ``schema_drift_reference_data``: the table ``unknown_fields``, counted by the module of that name

``canonical_json`` and ``settle_state`` are shared with the packages above.
"""
