"""Every table of the lake, in the order of ``docs/tables.md``.

All else derives from these declarations: how documents are flattened, the schema of the Parquet files, the comments in
DuckDB, the Dagster checks and ``docs/tables.md``. A new column is one line in the module of its table; a new list or
map is one ``table``, which is added here. ``warehouse.schema.types`` explains the notation. Sources: the vendor's
OpenAPI reference of November 2025 and the additions of the current API (docs/api.md).
"""

from __future__ import annotations

from warehouse.schema.account_data import ACCOUNT_TABLES
from warehouse.schema.activity import ACTIVITY_TABLES
from warehouse.schema.analysis import DATA_COLLECTION_RESULTS, EVALUATION_RESULTS, SCOPED_ANALYSES
from warehouse.schema.conversation_client_data import DYNAMIC_VARIABLES
from warehouse.schema.conversations import (
    CONVERSATION_CHECKS,
    CONVERSATIONS,
    TAGS,
    VISITED_AGENTS,
    VOICE_REWARDS,
    WARNINGS,
)
from warehouse.schema.operations import (
    AGENTS,
    CONVERSATION_LIST,
    DELETIONS,
    QUARANTINE,
    SYNC_RUNS,
    UNKNOWN_FIELDS,
    UNKNOWN_FIELDS_DAILY,
)
from warehouse.schema.reference_data import REFERENCE_TABLES
from warehouse.schema.tool_calls import DYNAMIC_VARIABLE_UPDATES, TOOL_CALLS, TOOL_RESULTS, WORKFLOW_STEPS
from warehouse.schema.transcript import (
    MULTIVOICE_PARTS,
    RAG_CHUNKS,
    TRIGGERED_GUARDRAILS,
    TURN_FILES,
    TURN_METRICS,
    TURNS,
)
from warehouse.schema.types import Table
from warehouse.schema.usage import LLM_USAGE, PLATFORM_USAGE, VOICE_USAGE

DOCUMENT_TABLES: tuple[Table, ...] = (
    CONVERSATIONS,
    TURNS,
    MULTIVOICE_PARTS,
    TURN_FILES,
    TRIGGERED_GUARDRAILS,
    TOOL_CALLS,
    TOOL_RESULTS,
    WORKFLOW_STEPS,
    DYNAMIC_VARIABLE_UPDATES,
    TURN_METRICS,
    RAG_CHUNKS,
    LLM_USAGE,
    SCOPED_ANALYSES,
    EVALUATION_RESULTS,
    DATA_COLLECTION_RESULTS,
    DYNAMIC_VARIABLES,
    PLATFORM_USAGE,
    VOICE_USAGE,
    VOICE_REWARDS,
    VISITED_AGENTS,
    TAGS,
    WARNINGS,
)
"""Tables with rows from one document of a conversation; all are daily."""

TABLES: tuple[Table, ...] = (
    *DOCUMENT_TABLES,
    CONVERSATION_CHECKS,
    CONVERSATION_LIST,
    AGENTS,
    DELETIONS,
    QUARANTINE,
    UNKNOWN_FIELDS,
    UNKNOWN_FIELDS_DAILY,
    SYNC_RUNS,
    *REFERENCE_TABLES,
    *ACCOUNT_TABLES,
    *ACTIVITY_TABLES,
)
"""Every table of the lake."""

BY_NAME: dict[str, Table] = {table.name: table for table in TABLES}
