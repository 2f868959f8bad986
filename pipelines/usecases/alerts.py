"""Alerts: what people have to know of, told once, to a webhook (Slack's form) and by mail.

What is wrong is read from the home folder each time; what was sent is in ``alerts.json`` there, by channel, as hashes:
an id of a conversation must not outlive its erasure. What has not been wrong for a week is forgotten. A text has names,
counts and what to do, never a value of a conversation.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from pydantic import SecretStr

from pipelines.api.notifications import post_to_webhook, send_mail
from pipelines.errors import NotificationError
from pipelines.privacy.messages import hide_message
from pipelines.settings import Settings
from pipelines.transform.schema_drift import new_unknown
from pipelines.usecases.context import Context
from warehouse.errors import ConvohouseError
from warehouse.models.data_quality import check_fresh
from warehouse.schema.operations import QUARANTINE
from warehouse.schema.types import unit_of
from warehouse.serve.query import query
from warehouse.serve.value_format import escape_slack, format_number, format_value
from warehouse.storage import lake
from warehouse.storage.home import Home

MAX_LINES = 10
"""Lines of one alert; the others are counted."""
FORGET_AFTER = timedelta(days=7)
STATE_FILE = "alerts.json"
MASK = "[hidden]"
_SECRET_NAME = re.compile("pass|secret|token|key")
"""Names of credentials whose values are secret: a user or a region is none, and may be an ordinary word."""

_UNUSUAL = """
    select
        workspace, start_date::varchar as start_date, agent_id, coalesce(agent_name, agent_id) as agent_name, measure,
        value, expected, deviation
    from metrics.anomalies
    join intermediate.int_whole_days using (workspace)
    where start_date <= last_whole_date
    qualify is_flagged and start_date = max(start_date) over (partition by workspace)
    order by abs(deviation) / nullif(spread, 0) desc, workspace, agent_id, measure
"""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something wrong: ``lines`` by a key that says whether it was told; ``advice`` says what to do."""

    title: str
    advice: str
    lines: Mapping[str, str]
    link: str


@dataclass(slots=True)
class AlertState:
    """When alerts were switched on, and what was sent: by channel and hash of its key, when it was last wrong."""

    since: datetime
    sent: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, home: Home, now: datetime) -> AlertState:
        """The stored state; a new one if there is none."""
        try:
            data = json.loads((home.root / STATE_FILE).read_text(encoding="utf-8"))
            return cls(datetime.fromisoformat(data["since"]), data["sent"])
        except (OSError, ValueError, KeyError, TypeError):
            return cls(now)

    def write(self, home: Home) -> None:
        """Store the state."""
        file = home.root / STATE_FILE
        temporary = file.with_name(f".{STATE_FILE}.{os.getpid()}")
        temporary.write_text(json.dumps({"since": self.since.isoformat(), "sent": self.sent}), encoding="utf-8")
        temporary.replace(file)


Channel = Callable[[Alert, str], None]
"""Sends an alert with its text."""


def channels(settings: Settings) -> dict[str, Channel]:
    """How to send, by name; empty if nothing is set."""
    senders: dict[str, Channel] = {}
    if settings.alert_webhook:
        url = settings.alert_webhook.get_secret_value()
        senders["webhook"] = lambda _, text: post_to_webhook(url, escape_slack(text))
    if settings.alert_smtp and settings.alert_mail_to:
        server, recipients = settings.alert_smtp.get_secret_value(), settings.alert_mail_to
        sender = settings.alert_mail_from or recipients[0]
        senders["mail"] = lambda alert, text: send_mail(server, sender, recipients, f"convohouse: {alert.title}", text)
    return senders


def send_new(context: Context, alerts: Iterable[Alert], state: AlertState) -> int:
    """Send what a channel has not sent yet, and return the number of messages.

    Raises:
        HomeError: what was sent could not be stored; nothing was sent.
        NotificationError: a channel did not take a message; what others took is stored, and the rest is tried again by
            the next call.
    """
    home = context.home.open()  # before the first sync there is none, and every call would send all again
    current, n_sent, errors = list(alerts), 0, list[str]()
    hashes = {key: hashlib.sha256(key.encode()).hexdigest()[:16] for alert in current for key in alert.lines}
    now = context.clock()
    for name, send in channels(context.settings).items():
        sent = {key: at for key, at in state.sent.get(name, {}).items() if at > (now - FORGET_AFTER).isoformat()}
        sent |= dict.fromkeys(sent.keys() & set(hashes.values()), now.isoformat())
        state.sent[name] = sent
        for alert in current:
            keys = [key for key in alert.lines if hashes[key] not in sent]
            if not keys:
                continue
            try:
                send(alert, alert_text(alert, keys, context.settings))
            except NotificationError as error:
                errors.append(str(error))
                break
            n_sent += 1
            sent.update((hashes[key], now.isoformat()) for key in keys)
            state.write(home)  # at once: a process that is killed here must not send it again
    state.write(home)
    if errors:
        raise NotificationError(" ".join(errors))
    return n_sent


def alert_text(alert: Alert, keys: Sequence[str], settings: Settings) -> str:
    """The text of a message, without any secret."""
    lines = [f"- {format_value(alert.lines[key])}" for key in keys[:MAX_LINES]]  # the API's names, each on one line
    if len(keys) > MAX_LINES:
        lines.append(f"- and {len(keys) - MAX_LINES} more")
    text = "\n".join(part for part in (f"convohouse: {alert.title}", *lines, alert.advice, alert.link) if part)
    for secret in _secrets(settings):
        text = text.replace(secret, MASK)
    return text


def _secrets(settings: Settings) -> list[str]:
    """Every secret of the settings, the longest first: one may hold another."""
    secrets: set[str] = set()
    for workspace in (settings, *settings.workspace_settings()):
        credentials = (workspace.publish_credentials, *(target.credentials for target in workspace.publish.values()))
        secrets |= {value.get_secret_value() for _, value in workspace if isinstance(value, SecretStr)}
        secrets |= {
            value.get_secret_value()
            for values in credentials
            for name, value in values.items()
            if _SECRET_NAME.search(name)
        }
    # while one secret of the webhooks replaces another, both are in one setting
    secrets |= {part for secret in secrets for part in secret.split(",")}
    return sorted(secrets - {""}, key=len, reverse=True)


def failed_run(run_id: str, job: str, errors: Sequence[str], settings: Settings) -> Alert:
    """The alert for a run of Dagster that failed."""
    page = settings.dagster_url
    return Alert(
        f"the run {job} failed",
        "What was fetched is kept, and the next run continues. docs/operations.md says what to do for each reason.",
        {f"run/{run_id}": "; ".join(hide_message(error) for error in errors) or "No reason was logged."},
        f"{page}/runs/{run_id}" if page else f"Run {run_id}",
    )


def find_alerts(context: Context) -> Iterator[Alert]:
    """What is wrong with the data of the home folder: stale, unusual, unknown to the schema, or in quarantine."""
    home = context.home.all_workspaces
    for find in (_stale, _unusual, _unknown_fields, _quarantine):
        with suppress(ConvohouseError):  # such as: nothing was built yet
            alert = find(context, home)
            if alert.lines:
                yield alert


def _stale(context: Context, _home: Home) -> Alert:
    hours = context.settings.fresh_hours
    homes = [workspace.home for workspace in context.workspaces()]
    result = check_fresh(homes, now=context.clock(), within=timedelta(hours=hours))
    lines = {}
    for row in result.sample_rows:
        listed_at = row["last_full_listing_at"]
        lines[f"stale/{row['workspace']}/{listed_at}"] = (
            f"{row['workspace']}: last listed in full at {listed_at}"
            if listed_at
            else f"{row['workspace']}: never listed in full"
        )
    return Alert(
        f"the data is older than {hours} hours",
        "See why the last runs failed: `convohouse status`. Then run `convohouse sync`, or the job nightly.",
        lines,
        _asset_link(context, "metrics/sync_health"),
    )


def unusual_measures(home: Home) -> pl.DataFrame:
    """Flagged measures of the newest day of each workspace that is over, the most unusual first."""
    return query(home, _UNUSUAL)


def _unusual(context: Context, home: Home) -> Alert:
    lines = {
        f"unusual/{row['workspace']}/{row['start_date']}/{row['agent_id']}/{row['measure']}": (
            f"{row['workspace']}, {row['agent_name']}, {row['start_date']}: {row['measure']} is "
            f"{_amount(row, 'value')}, expected about {_amount(row, 'expected')}"
        )
        for row in unusual_measures(home).iter_rows(named=True)
    }
    return Alert(
        "a measure is unusual",
        "The data may be right. `metrics.anomalies` has the days before; `convohouse find` shows conversations.",
        lines,
        _asset_link(context, "metrics/anomalies"),
    )


def _amount(row: Mapping[str, Any], column: str) -> str:
    return format_number(row[column], unit_of(row["measure"]))


def _unknown_fields(context: Context, home: Home) -> Alert:
    new_fields, _ = new_unknown(home)
    lines = {
        f"unknown/{row['workspace']}/{row['path']}/{row['kind']}": f"{row['path']} ({row['kind']}), "
        f"such as in {row['example_id']}"
        for row in new_fields.iter_rows(named=True)
    }
    return Alert(
        "the API sends fields that the schema does not know",
        "Nothing is lost: `convohouse drift` shows them. An update of convohouse may have columns for them.",
        lines,
        _asset_link(context, "lake/unknown_fields"),
    )


def _quarantine(context: Context, home: Home) -> Alert:
    lines = {
        f"quarantine/{row['workspace']}/{row['conversation_id']}/{row['reason']}": (
            f"{row['conversation_id']}: {row['reason']}, {hide_message(row['error'])}"
        )
        for row in lake.read(home, QUARANTINE).sort("fetched_at").iter_rows(named=True)
    }
    return Alert(
        "items are in quarantine",
        "Each run tries them again; `convohouse retry` does so now.",
        lines,
        _asset_link(context, "lake/quarantine"),
    )


def _asset_link(context: Context, path: str) -> str:
    return f"{context.settings.dagster_url}/assets/{path}" if context.settings.dagster_url else ""
