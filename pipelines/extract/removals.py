"""Which conversations the API has removed, by two observations a while apart, and which of these were to be expected.

An observation is a snapshot of kind ``gone`` (404) or ``blanked`` (the text is gone). A removal is a conversation whose
latest snapshots are all observations. A later document revokes it, and so does a listing that shows the conversation
after a 404. It is confirmed by a second observation in a later run, which ``fetch_plan`` asks for.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake, landing
from warehouse.storage.home import Home
from warehouse.storage.landing_sequence import order

MIN_NIGHTS = 2
"""Days with removals after which a retention rule counts as seen to work."""
MAX_NIGHTS = 5
"""The latest days with removals from which the age at which the rule removes is estimated."""


def read_removals(home: Home, list_rows: pl.DataFrame | None = None) -> pl.DataFrame:
    """The removals that no later document or listing revokes, confirmed or not.

    Args:
        home: The workspace.
        list_rows: conversation_id, listed_at, sequence of the latest list rows; by default those that are landed.

    Returns:
        conversation_id, start_date, start_time_at, agent_id, kind (of the latest snapshot), noticed_at (of the first
        observation), observed_at (of the latest), n_observations, is_redacted (the content has been removed here).
    """
    latest = landing.latest_removed_snapshots(home)
    ids = latest["conversation_id"]
    list_orders = landing.latest_list_rows(home, ("listed_at", "sequence"), ids=ids) if list_rows is None else list_rows
    list_orders = list_orders.group_by("conversation_id").agg(listed_order=order("sequence", "listed_at").max())
    # The order of the rows is that of the landing: positions are compared, and not the times of a clock.
    rows = landing.snapshots(home, ids).with_columns(position=pl.int_range(pl.len()))
    is_observation = pl.col("kind").is_in(landing.REMOVED_KINDS)
    latest_document = pl.col("position").filter(~is_observation).max().over("conversation_id").fill_null(-1)
    is_listed_later = pl.col("listed_order") > landing.LANDING_ORDER
    is_revoked = ((pl.col("kind") == "gone") & is_listed_later).fill_null(value=False)
    observations = (
        rows.join(list_orders, "conversation_id", "left", maintain_order="left")
        .with_columns(is_unredacted=((pl.col("kind") == "document") & pl.col("is_redacted").is_null()))
        .with_columns(
            is_redacted=pl.col("is_redacted").any().over("conversation_id")
            & ~pl.col("is_unredacted").any().over("conversation_id")
        )
        .filter(pl.col("position") > latest_document, ~is_revoked)
        .group_by("conversation_id")
        .agg(
            noticed_at=pl.col("fetched_at").min(),
            observed_at=pl.col("fetched_at").max(),
            n_observations=pl.col("fetched_at").n_unique(),
            is_redacted=pl.col("is_redacted").any(),
        )
    )
    columns = ("conversation_id", "start_date", "start_time_at", "agent_id", "kind")
    return latest.select(columns).join(observations, "conversation_id", maintain_order="left")


def is_confirmed(confirm_after: timedelta) -> pl.Expr:
    """Whether a removal was observed twice, ``confirm_after`` apart or more."""
    return (pl.col("n_observations") > 1) & (pl.col("observed_at") - pl.col("noticed_at") >= confirm_after)


def ids_to_confirm(
    home: Home, *, now: datetime, confirm_after: timedelta, list_rows: pl.DataFrame | None = None
) -> set[str]:
    """Conversations to fetch once more, because their removal was observed once, ``confirm_after`` ago or earlier."""
    removals = read_removals(home, list_rows)
    is_due = ~is_confirmed(confirm_after) & (pl.col("noticed_at") <= now - confirm_after)
    return set(removals.filter(is_due)["conversation_id"])


def expected_ids(home: Home, removals: pl.DataFrame, *, now: datetime, confirm_after: timedelta) -> set[str]:
    """The removals that the API announced, or that follow a retention rule that was seen to work.

    Args:
        home: The workspace.
        removals: ``read_removals``, all of them: a rule follows from those that are not confirmed too.
        now: The run's time.
        confirm_after: Time between two observations.
    """
    names = {"deletion_settings_deletion_time_at": "deletion_due_at"}
    deletion_times = lake.read(home, CONVERSATIONS, ["conversation_id", *names]).rename(names)
    with_rules = removals.join(deletion_times, "conversation_id", "left").join(
        _retention_rules(home, removals, now=now, confirm_after=confirm_after), "agent_id", "left"
    )
    is_announced = pl.col("deletion_due_at") <= pl.col("observed_at")
    is_by_rule = _age(pl.col("noticed_at")) >= pl.col("age_days") - 1
    return set(with_rules.filter(is_announced | is_by_rule)["conversation_id"])


def _age(at: pl.Expr) -> pl.Expr:
    """Age of a conversation in days, by the dates."""
    return (at.dt.date() - pl.col("start_time_at").dt.date()).dt.total_days()


def _retention_rules(home: Home, removals: pl.DataFrame, *, now: datetime, confirm_after: timedelta) -> pl.DataFrame:
    """The ages at which agents lose their conversations: agent_id, age_days.

    An agent has such a rule if removals of its conversations were noticed on several days, and none that is much older
    than those is left. So a fault that makes many conversations look removed is not a rule: it spares none by its age.
    """
    # what the policy has erased is not a removal any more; it was noticed before it was confirmed
    latest, is_erased = landing.latest_snapshots(home), pl.col("kind") == landing.ERASED
    erased_snapshots = latest.filter(is_erased).with_columns(noticed_at=pl.col("fetched_at") - confirm_after)
    names = ("agent_id", "start_time_at", "noticed_at")
    nights = (
        pl.concat([removals.select(names), erased_snapshots.select(names)])
        .filter(pl.col("agent_id").is_not_null())
        .with_columns(age=_age(pl.col("noticed_at")), night=pl.col("noticed_at").dt.date())
        .group_by("agent_id", "night")
        .agg(age=pl.col("age").min())
        .sort("night")
        .group_by("agent_id", maintain_order=True)
        .agg(n_nights=pl.len(), age_days=pl.col("age").tail(MAX_NIGHTS).median())
    )
    ages_left = (
        latest.filter(~is_erased)
        .join(removals.select("conversation_id", "is_redacted"), "conversation_id", "left")
        .filter(pl.col("is_redacted").ne_missing(other=True))
        .with_columns(age=_age(pl.lit(now)))
        .group_by("agent_id")
        .agg(
            oldest=pl.col("age").max(),
            oldest_unnoticed=pl.col("age").filter(pl.col("is_redacted").is_null()).max().fill_null(0),
        )
    )
    notice_days = 2  # one night may have been left out
    confirm_days = confirm_after / timedelta(days=1) + 2 + notice_days
    is_rule = (
        (pl.col("n_nights") >= MIN_NIGHTS)
        & (pl.col("age_days") > 1)
        & (pl.col("oldest_unnoticed") <= pl.col("age_days") + notice_days)
        & (pl.col("oldest") <= pl.col("age_days") + confirm_days)
    )
    return nights.join(ages_left, "agent_id").filter(is_rule).select("agent_id", "age_days")
