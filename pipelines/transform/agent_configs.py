"""Landed agents become rows: the configurations and branches that listings showed, and the versions the API keeps.

An item is an agent (``agent_1``), a branch (``agent_1/branches/…``) or a version (``agent_1/versions/…``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from pipelines.transform.agent_texts import comparable, text_length
from pipelines.transform.canonical_json import dump, fingerprint, load
from pipelines.transform.history import changed_paths, valid_from
from pipelines.transform.record_tables import RecordTable
from warehouse.schema.account_data import AGENT_BRANCHES, AGENT_CONFIGS, AGENT_VERSIONS, LANDED_AGENTS
from warehouse.schema.types import Table
from warehouse.storage import lake
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import item_listings, item_rows

BRANCHES, VERSIONS = "/branches/", "/versions/"
"""Between the id of an agent and that of a branch or a version."""

RECORDS = {table.name: RecordTable(table) for table in (AGENT_CONFIGS, AGENT_BRANCHES, AGENT_VERSIONS)}
_NO_CONFIGURATION = frozenset({"metadata"})
"""Keys of an agent that say when it was saved."""
_NO_DIFFERENCE = _NO_CONFIGURATION | {"version_id", "branch_id", "main_branch_id", "phone_numbers", "whatsapp_accounts"}
"""Keys that say nothing about the configuration of a version."""
_EPOCH = datetime.fromtimestamp(0, UTC)
Document = Mapping[str, Any]


@dataclass(slots=True)
class _State:
    """What an item was in some listings in a row."""

    item_id: str
    document: Document
    content: Any
    valid_from_at: datetime
    last_seen_at: datetime
    changes: str | None
    is_current: bool = False


def refresh_agent_configs(home: Home) -> None:
    """Rebuild ``agent_configs``, ``agent_branches`` and ``agent_versions``, unless no listing was landed."""
    listings = item_listings(home, LANDED_AGENTS)
    if not listings:
        return
    rows = item_rows(home, LANDED_AGENTS)
    is_version = pl.col("item_id").str.contains(VERSIONS, literal=True)
    states = _states(rows.filter(~is_version), listings[-1])
    configs = [state for state in states if BRANCHES not in state.item_id]
    branches = [state for state in states if BRANCHES in state.item_id]
    lake.overwrite_table(home, AGENT_CONFIGS, flatten_configs(configs))
    lake.overwrite_table(home, AGENT_BRANCHES, flatten_branches(branches))
    versions = (
        rows.filter(is_version, pl.col("payload").is_not_null())
        .group_by("item_id", maintain_order=True)
        .agg(pl.col("payload").last(), pl.col("listed_at").first())
    )
    documents = {item_id: load(payload) for item_id, payload in versions.select("item_id", "payload").rows()}
    lake.overwrite_table(home, AGENT_VERSIONS, flatten_versions(documents, versions["listed_at"].to_list()))


def check_agent_item(item_id: str, document: Document) -> None:
    """Flatten one item.

    Raises:
        Exception: it cannot be flattened.
    """
    if VERSIONS in item_id:
        flatten_versions({item_id: document}, [_EPOCH])
        return
    state = _state(item_id, document, _EPOCH, None)
    (flatten_branches if BRANCHES in item_id else flatten_configs)([state])


def _states(rows: pl.DataFrame, last_listing: datetime) -> list[_State]:
    """Every state of every agent and branch, in the order in which they landed."""
    latest: dict[str, _State] = {}
    states = []
    for row in rows.iter_rows(named=True):
        item_id, listed_at = row["item_id"], row["listed_at"]
        state_before = latest.get(item_id)
        if row["payload"] is not None:
            state = _state(item_id, load(row["payload"]), listed_at, state_before)
            if state_before is not None and state.content == state_before.content:
                state_before.document = state.document  # it has its texts now, or no longer
            else:
                latest[item_id] = state_before = state
                states.append(state)
        if state_before is not None:
            state_before.last_seen_at = listed_at
    for state in latest.values():
        state.is_current = state.last_seen_at == last_listing
    return states


def _state(item_id: str, document: Document, listed_at: datetime, state_before: _State | None) -> _State:
    content = _compared(document, _NO_CONFIGURATION)
    changes = None if state_before is None else _paths(state_before.content, content)
    begin = valid_from(listed_at, None if state_before is None else state_before.valid_from_at)
    return _State(item_id, document, content, begin, listed_at, changes)


def _compared(document: Document, ignored: Iterable[str]) -> Any:
    return comparable({key: value for key, value in document.items() if key not in ignored})


def _paths(old: Any, new: Any) -> str:
    return dump(sorted(set(changed_paths(old, new)))).decode()


def flatten_configs(states: Sequence[_State]) -> pl.DataFrame:
    """Frame of ``agent_configs``."""
    columns = _state_columns(states) | {"agent_id": [state.item_id for state in states]}
    return _frame(AGENT_CONFIGS, [state.document for state in states], columns | _derived([s.document for s in states]))


def flatten_branches(states: Sequence[_State]) -> pl.DataFrame:
    """Frame of ``agent_branches``."""
    ids = [state.item_id.split(BRANCHES) for state in states]
    columns = {"agent_id": [agent_id for agent_id, _ in ids], "branch_id": [branch_id for _, branch_id in ids]}
    return _frame(AGENT_BRANCHES, [state.document for state in states], columns | _state_columns(states))


def flatten_versions(documents: Mapping[str, Document], first_seen_at: Sequence[datetime]) -> pl.DataFrame:
    """Frame of ``agent_versions``, from documents by item id: ``metadata`` and ``agent`` as the API answered."""
    agents = {item_id: _object(document.get("agent")) for item_id, document in documents.items()}
    contents = {item_id: _compared(agent, _NO_DIFFERENCE) for item_id, agent in agents.items()}
    parents = {item_id: parent_version(document) for item_id, document in documents.items()}
    columns: dict[str, list[Any]] = {name: [] for name in ("agent_id", "version_id", "changes", "content_sha256")}
    for item_id, content in contents.items():
        agent_id, _, version_id = item_id.partition(VERSIONS)
        parent = contents.get(f"{agent_id}{VERSIONS}{parents[item_id]}")
        columns["agent_id"].append(agent_id)
        columns["version_id"].append(version_id)
        columns["changes"].append(None if parent is None else _paths(parent, content))
        columns["content_sha256"].append(fingerprint(content))
    columns |= {"parent_version_id": list(parents.values()), "first_seen_at": list(first_seen_at)}
    return _frame(AGENT_VERSIONS, list(documents.values()), columns | _derived(list(agents.values())))


def parent_version(document: Document) -> str | None:
    """Id of the version that a landed version came from: of its branch, otherwise of another one."""
    parents = _object(_object(document.get("metadata")).get("parents"))
    ids = (parents.get(key) for key in ("in_branch_parent_id", "out_of_branch_parent_id"))
    return next((parent for parent in ids if isinstance(parent, str) and parent), None)


def _state_columns(states: Sequence[_State]) -> dict[str, list[Any]]:
    names = ("valid_from_at", "last_seen_at", "is_current", "changes")
    columns = {name: [getattr(state, name) for state in states] for name in names}
    return columns | {"content_sha256": [fingerprint(state.content) for state in states]}


def _derived(configs: Sequence[Document]) -> dict[str, list[Any]]:
    """What is measured in configurations."""
    prompts = [_at(config, "conversation_config", "agent", "prompt") for config in configs]
    texts = [_object(prompt).get("prompt") for prompt in prompts]
    settings = [_object(config.get("platform_settings")) for config in configs]
    return {
        "prompt_length": [text_length(text) for text in texts],
        "prompt": [text if isinstance(text, str) else None for text in texts],
        "first_message_length": [
            text_length(_at(config, "conversation_config", "agent", "first_message")) for config in configs
        ],
        "n_tools": [_size(_object(prompt).get("tool_ids")) for prompt in prompts],
        "n_knowledge_documents": [_size(_object(prompt).get("knowledge_base")) for prompt in prompts],
        "n_criteria": [_size(_at(setting, "evaluation", "criteria")) for setting in settings],
        "n_data_collection_fields": [_size(setting.get("data_collection")) for setting in settings],
    }


def _frame(table: Table, documents: Sequence[Document], columns: dict[str, list[Any]]) -> pl.DataFrame:
    record_table = RECORDS[table.name]
    return record_table.frame([record_table.read(dict(document)) for document in documents], columns)


def _at(document: Any, *keys: str) -> Any:
    for key in keys:
        document = _object(document).get(key)
    return document


def _size(value: Any) -> int | None:
    return len(value) if isinstance(value, list | dict) else None


def _object(value: Any) -> Document:
    return value if isinstance(value, dict) else {}
