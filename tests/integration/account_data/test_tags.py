"""Titles of tags from the emulator: what is listed, renamed and removed, and what cannot be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipelines.emulator.generator.document import TAGS
from pipelines.usecases.account_data import TagsCopy
from pipelines.usecases.items_copy import ItemsResult
from tests.helpers.account_night import NIGHT, quarantined, rows
from tests.helpers.disk_contents import contents
from warehouse.schema.account_data import LANDED_TAGS, TAG_DEFINITIONS
from warehouse.storage.landing_reference_data import item_rows

PATH = "/v1/convai/tags"
CREATED_AT = datetime(2025, 9, 1, tzinfo=UTC)


def states(context):
    """Title, time of the last change, and whether it is gone, by tag."""
    return {row["tag_id"]: (row["title"], row["changed_at"], row["is_gone"]) for row in rows(context, TAG_DEFINITIONS)}


def edited(api, **changes):
    """Let the API list tags with other titles, or without a tag where the title is None."""
    api.edits[PATH] = lambda page: (
        page
        | {
            "conversation_tags": [
                tag | {"title": title}
                for tag in page["conversation_tags"]
                if (title := changes.get(tag["title"], tag["title"])) is not None
            ]
        }
    )


def test_tags_are_copied_without_their_owner_and_a_new_title_is_a_change(emulated, api, clock):
    context = emulated()
    assert TagsCopy.is_due(context)
    assert TagsCopy(context).fetch_and_land() == ItemsResult(len(TAGS), {})
    assert not TagsCopy.is_due(context)
    assert states(context) == {tag_id: (title, NIGHT, False) for tag_id, title in TAGS.items()}
    (vip,) = rows(context, TAG_DEFINITIONS, title="VIP")
    assert (vip["description"], vip["created_at"], vip["extra"]) == (None, CREATED_AT, None)
    assert b"usr_" not in contents(context.home.root)

    clock.now += timedelta(days=1)
    edited(api, VIP="Key customer", Complaint=None)
    assert TagsCopy(context).fetch_and_land() == ItemsResult(len(TAGS) - 1, {})
    assert {title: state for title, *state in states(context).values()} == {
        "Key customer": [clock.now, False],
        "Complaint": [NIGHT, True],
        "Follow-up": [NIGHT, False],
    }
    assert item_rows(context.home, LANDED_TAGS)["payload"].is_not_null().sum() == len(TAGS) + 1  # what is new lands

    clock.now += timedelta(days=1)
    api.edits.clear()
    TagsCopy(context).fetch_and_land()
    assert [is_gone for *_, is_gone in states(context).values()] == [False] * len(TAGS)


def test_a_tag_that_cannot_be_read_is_quarantined_and_stays_as_it_was(emulated, api, clock, monkeypatch):
    context = emulated()
    TagsCopy(context).fetch_and_land()
    before = states(context)
    clock.now += timedelta(days=1)
    edited(api, VIP="Key customer")
    (bad,) = [tag_id for tag_id, title in TAGS.items() if title == "VIP"]

    def fail(tag_id, _document):
        if tag_id == bad:
            raise ValueError("too deep")

    monkeypatch.setattr(TagsCopy, "kind", replace(TagsCopy.kind, check=fail))
    assert list(TagsCopy(context).fetch_and_land().errors) == [bad]
    assert quarantined(context) == {bad: "tag_unreadable"}
    assert states(context) == before
    assert TagsCopy.is_due(context)

    api.edits.clear()
    clock.now += timedelta(hours=1)
    assert TagsCopy(context).fetch_and_land().errors == {}
    assert quarantined(context) == {}
