"""``convohouse show``: one call, to be read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Options, emit, moment, pass_options, shared, teach

if TYPE_CHECKING:
    from warehouse.serve.conversation import ConversationView, NotFound

INDENT = 18
PLAIN_WIDTH = 100
LEAST_WIDTH = 60
LONGEST = 600
"""Characters of a tool's arguments or result that are shown; --json has all."""


@click.command(
    epilog=teach(
        {
            "convohouse show conv_01": "who said what when, tools, cost, verdicts",
            "convohouse show conv_01 --json": "every column of it, for programs",
            'convohouse find "refund"': "to find an id",
        },
        {0: "shown", 2: "the id is unknown, deleted or erased, or there is no warehouse yet"},
    )
)
@click.argument("conversation_id", metavar="ID")
@shared
@pass_options
def show(options: Options, conversation_id: str) -> None:
    """Show one call: who said what when, tools, cost, verdicts.

    Reads the warehouse alone. Times are counted from the start of the call. Of a tool there are its arguments, its
    result and how long it took; of the cost what each model took of it.
    """
    from warehouse.serve.conversation import NotFound, read_conversation

    found = read_conversation(options.data(), conversation_id)
    if isinstance(found, NotFound):
        _refuse(found)
    elif options.is_json:
        emit(asdict(found))
    else:
        click.echo("\n\n".join(_sections(found)))


def _refuse(absent: NotFound) -> None:
    """Say what is known of it.

    Raises:
        UsageError: always.
    """
    from pipelines.errors import UsageError
    from warehouse.suggestions import did_you_mean

    shown = repr(absent.conversation_id)
    if absent.reason == "erased":
        raise UsageError(f"{shown} was erased here on {moment(absent.noticed_at)}.", "Nothing of it is left.")
    if absent.reason:
        what = "deleted at the API" if absent.reason == "deleted" else "blanked by the API's retention"
        raise UsageError(f"{shown} was {what}, noticed on {moment(absent.noticed_at)}.", "Nothing of it was landed.")
    raise UsageError(
        f"There is no conversation {shown}.", f"{did_you_mean(absent.similar_ids)}`convohouse sync` copies what is new."
    )


def _sections(call: ConversationView) -> Iterator[str]:
    from pipelines.cli.text_table import table_text

    yield "\n".join(_head(call))
    yield "\n".join(_turns(call)) or "  nothing was said"
    if call.llm_usage:
        rows = [_usage(row) for row in call.llm_usage]
        names = ("model", "read", "from cache", "written", "USD")
        yield f"Cost by model:\n{table_text(names, rows, right=names[1:])}"
    if call.evaluations:
        rows = [(row["criteria_id"], row["result"], row["rationale"]) for row in call.evaluations]
        yield f"Verdicts:\n{table_text(('criterion', 'result', 'why'), rows)}"
    if call.data_collection:
        rows = [(row["data_collection_id"], row["value"], row["rationale"]) for row in call.data_collection]
        yield f"Data collected:\n{table_text(('field', 'value', 'why'), rows)}"


def _head(call: ConversationView) -> Iterator[str]:
    from pipelines.cli.progress import duration
    from pipelines.cli.text_table import plain

    row = call.conversation
    agent = f"{call.agent_name} ({row['agent_id']})" if call.agent_name else row["agent_id"]
    yield plain(f"{row['conversation_id']}  {agent}")
    length = duration(row["call_duration_secs"]) if row["call_duration_secs"] is not None else None
    kind = " ".join(part for part in (row["direction"], row["channel"]) if part)
    facts = (moment(row["started_at"]), length, kind, row["main_language"], row["status"], row["call_successful"])
    yield "  " + plain(", ".join(str(fact) for fact in facts if fact))
    yield "  " + plain(", ".join(_cost(row)))
    if row["summary_title"]:
        yield f"  {plain(row['summary_title'])}"
    if row["termination_reason"]:
        yield f"  ended: {plain(row['termination_reason'])}"
    if row["error_reason"]:
        yield f"  error: {plain(row['error_reason'])}"
    if row["is_deleted"]:
        yield f"  no longer at the API, noticed on {moment(row['deleted_at'])}"


def _cost(row: dict[str, Any]) -> Iterator[str]:
    credits_ = row["cost_credits"]
    yield "cost unknown" if credits_ is None else f"cost {credits_:,} credits"
    if row["cost_usd"] is not None:
        yield f"{row['cost_usd']:.4f} USD ({row['cost_basis'].replace('_', ' ')})"
    if row["rating"] is not None:
        yield f"rated {row['rating']}"
    thumbs = {"up": row["likes"], "down": row["dislikes"]}
    yield from (f"thumbs {name}: {number}" for name, number in thumbs.items() if number)


def _turns(call: ConversationView) -> Iterator[str]:
    for turn in call.turns:
        at = _clock(turn["time_in_call_secs"])
        if turn["message"] is not None:
            said = turn["original_message"] or turn["message"]
            yield from _entry(at, turn["role"] or "", f"{said}{' [interrupted]' if turn['is_interrupted'] else ''}")
        for tool in call.tool_calls:
            if tool["turn_index"] == turn["turn_index"]:
                yield from _entry(at, "tool", f"{tool['tool_name']} {_short(tool['params_as_json'])}".rstrip())
                yield from _entry("", "", _answer(tool))


def _answer(tool: dict[str, Any]) -> str:
    if not tool["is_answered"]:
        return "→ no result"
    took = f" after {tool['latency_secs']:.2f} s" if tool["latency_secs"] is not None else ""
    how = "failed" if tool["is_error"] else "answered"
    said = _short(tool["raw_error_message"] or tool["result_value"])
    return f"→ {how}{took}{': ' if said else ''}{said}"


def _entry(at: str, who: str, said: str) -> Iterator[str]:
    from pipelines.cli.text_table import plain, terminal_width

    width = max(terminal_width() or PLAIN_WIDTH, LEAST_WIDTH)
    first = f"  {at:>7}  {plain(who):<6} "
    yield from textwrap.wrap(
        plain(said) or " ",
        width,
        initial_indent=first.ljust(INDENT),
        subsequent_indent=" " * INDENT,
        break_on_hyphens=False,
        drop_whitespace=True,
    ) or [first]


def _short(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def _clock(secs: float | None) -> str:
    if secs is None:
        return ""
    minutes, seconds = divmod(int(secs), 60)
    return f"{minutes}:{seconds:02}"


def _usage(row: dict[str, Any]) -> tuple[str, ...]:
    def count(*names: str) -> str:
        known = [row[name] for name in names if row[name] is not None]
        return f"{sum(known):,}" if known else ""

    price = "" if row["llm_cost_usd"] is None else f"{row['llm_cost_usd']:.6f}"
    return (
        row["model"],
        count("input_tokens", "input_cache_write_tokens"),
        count("input_cache_read_tokens"),
        count("output_tokens"),
        price,
    )
