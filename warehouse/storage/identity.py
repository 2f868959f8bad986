"""Whether two workspaces of a home folder are one: the same workspace of the API under two names."""

from __future__ import annotations

import polars as pl

from warehouse.errors import HomeError
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import CONVERSATION_LIST
from warehouse.storage import lake
from warehouse.storage.home import RESERVED_WORKSPACE, Home


def check_identities(home: Home) -> None:
    """Check that no conversation is in two workspaces: ids of the API are unique, so every number would count it twice.

    Raises:
        HomeError: one is; the message has the names of both workspaces.
    """
    everywhere, tables = home.all_workspaces, (CONVERSATION_LIST, CONVERSATIONS)
    files = [file for table in tables for file in everywhere.files(everywhere.table(table), lake.DAY_FOLDERS)]
    if len({file.name.partition(".")[0] for file in files} - {RESERVED_WORKSPACE}) == 1:
        return
    rows = [lake.read(everywhere, table, ["conversation_id", "workspace"]) for table in tables]
    names = pl.concat(rows).unique().group_by("conversation_id").agg(pl.col("workspace").sort())
    shared = names.filter(pl.col("workspace").list.len() > 1).sort("conversation_id")
    if shared.is_empty():
        return
    first, second = shared["workspace"][0][:2]
    raise HomeError(
        f"The workspaces {first} and {second} have the same conversations ({shared.height:,}, such as "
        f"{shared['conversation_id'][0]}): they are one workspace of the API under two names.",
        "Keep one name: remove the other from the settings, and move its files out of the home folder, all below "
        f"landing/ and lake/ that are called `{first}.*` or `{second}.*`. Then run `convohouse build`.",
    )
