"""``convohouse show``: one conversation, to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.render import echo, emit, table
from pipelines.cli.text_table import terminal_width, wrap

if TYPE_CHECKING:
    from warehouse.serve.conversation import ConversationView, NotFound

INDENT = 18
DEFAULT_WIDTH = 100
MIN_WIDTH = 60
MAX_TOOL_TEXT = 600
"""Characters of a tool's arguments or result that are shown; --json has all."""


@click.command(
    epilog=help_epilog(
        {
            "convohouse show conv_01": "who said what when, tools, cost, verdicts",
            "convohouse show conv_01 --json": "all columns, for programs",
            'convohouse find "refund"': "to find an id",
        },
        {0: "shown", 2: "the id is unknown, deleted or erased, or there is no warehouse yet"},
    )
)
@click.argument("conversation_id", metavar="ID")
@shared_options
@pass_options
def show(options: Options, conversation_id: str) -> None:
    """Show one conversation: what was said, tools, cost, verdicts.

    Only the warehouse is read. Times are counted from the start of the conversation. A tool is shown with its
    arguments, its result and its duration, and the cost with the share of each model.
    """
    from warehouse.serve.conversation import NotFound, read_conversation

    view = read_conversation(options.home_folder(), conversation_id)
    if isinstance(view, NotFound):
        _refuse(view)
    elif options.is_json:
        emit(asdict(view))
    else:
        echo("\n\n".join(_sections(view)))


def _refuse(absent: NotFound) -> None:
    """Say why the conversation cannot be shown.

    Raises:
        UsageError: always.
    """
    from pipelines.errors import UsageError
    from warehouse.serve.value_format import moment
    from warehouse.suggestions import did_you_mean

    quoted_id = repr(absent.conversation_id)
    if absent.reason == "erased":
        raise UsageError(f"{quoted_id} was erased here on {moment(absent.noticed_at)}.", "Nothing of it was kept.")
    if absent.reason:
        what = "deleted at the API" if absent.reason == "deleted" else "emptied by the API's retention"
        raise UsageError(
            f"{quoted_id} was {what}, noticed on {moment(absent.noticed_at)}.", "Nothing of it was landed."
        )
    raise UsageError(
        f"There is no conversation {quoted_id}.",
        f"{did_you_mean(absent.similar_ids)}`convohouse sync` copies what is new.",
    )


def _sections(view: ConversationView) -> Iterator[str]:
    is_unknown = view.conversation["outcome"] == "unknown"
    yield "\n".join(_head(view))
    yield "\n".join(_turns(view)) or f"  {'there is no transcript' if is_unknown else 'nothing was said'}"
    if view.llm_usage:
        headings = {
            "model": "model",
            "n_read": "read",
            "n_from_cache": "from cache",
            "n_written": "written",
            "llm_cost_usd": "cost",
        }
        yield f"Cost by model (tokens):\n{table(map(_usage, view.llm_usage), headings).text}"
    if view.evaluations:
        headings = {"criteria_id": "criterion", "result": "result", "rationale": "why"}
        yield f"Verdicts:\n{_by_scope(view.evaluations, headings, prose=('rationale',))}"
    if view.data_collection:
        headings = {"data_collection_id": "field", "value": "value", "rationale": "why"}
        yield f"Data collected:\n{_by_scope(view.data_collection, headings, prose=('value', 'rationale'))}"


def _by_scope(rows: list[dict[str, Any]], headings: dict[str, str], *, prose: tuple[str, ...]) -> str:
    """A table of verdicts or values; if some are of a part of the conversation, it says which part."""
    if all(row["scope_index"] < 0 for row in rows):
        return table(rows, headings, prose=prose).text
    parts = ("scope", "source_agent_id", "source_branch_id")
    rows_with_part = [row | {"part": " ".join(row[name] for name in parts if row[name]) or "whole"} for row in rows]
    return table(rows_with_part, {"part": "of"} | headings, prose=prose).text


def _head(view: ConversationView) -> Iterator[str]:
    from warehouse.serve.conversation import error_text
    from warehouse.serve.value_format import duration, format_value, moment

    row = view.conversation
    agent = f"{view.agent_name} ({row['agent_id']})" if view.agent_name else row["agent_id"]
    yield format_value(f"{row['conversation_id']}  {agent}")
    length = duration(row["call_duration_secs"]) if row["call_duration_secs"] is not None else None
    kind = " ".join(part for part in (row["direction"], row["channel"]) if part)
    facts = (moment(row["started_at"]), length, kind, row["main_language"], row["status"], row["call_successful"])
    yield "  " + format_value(", ".join(str(fact) for fact in facts if fact))
    yield "  " + format_value(", ".join(_cost(row)))
    if row["outcome"]:
        yield f"  outcome: {row['outcome'].replace('_', ' ')} ({format_value(row['outcome_reason'])})"
    if row["queue_wait_secs"] is not None:
        yield f"  waited {duration(row['queue_wait_secs'])} in the queue"
    if row["summary_title"]:
        yield f"  {format_value(row['summary_title'])}"
    if row["termination_reason"]:
        yield f"  ended: {format_value(row['termination_reason'])}"
    if error := error_text(row):
        yield f"  error: {format_value(error)}"
    if row["tags"]:
        yield f"  tags: {format_value(row['tags'])}"
    if row["is_deleted"]:
        yield f"  no longer at the API, noticed on {moment(row['deleted_at'])}"


def _cost(row: dict[str, Any]) -> Iterator[str]:
    from warehouse.serve.value_format import dollars

    cost_credits, surcharge = row["cost_credits"], row["voice_surcharge_credits"]
    if cost_credits is None and row["cost_usd"] is None:
        yield "cost unknown"
    else:
        yield "credits unknown" if cost_credits is None else f"cost {cost_credits:,} credits"
    if row["cost_usd"] is not None:
        yield f"{dollars(row['cost_usd'])} ({row['cost_basis'].replace('_', ' ')})"
    if surcharge:
        yield f"and a surcharge of {surcharge:g} credits for the voice, billed apart"
    if row["rating"] is not None:
        yield f"rated {row['rating']}"
    thumbs = {"up": row["likes"], "down": row["dislikes"]}
    yield from (f"thumbs {name}: {number}" for name, number in thumbs.items() if number)


def _turns(view: ConversationView) -> Iterator[str]:
    from warehouse.serve.value_format import clock

    for turn in view.turns:
        time = clock(turn["time_in_call_secs"])
        for text in _said(view, turn):
            yield from _entry(time, turn["role"] or "", text)
        for call in view.tool_calls:
            if call["turn_index"] == turn["turn_index"]:
                yield from _tool_call(time, call)
    for call in view.calls_without_turn:
        yield from _tool_call("", call)


def _tool_call(time: str, call: dict[str, Any]) -> Iterator[str]:
    yield from _entry(time, "tool", f"{call['tool_name']} {_shortened(call['params_as_json'])}".rstrip())
    yield from _entry("", "", _tool_result(call))


def _said(view: ConversationView, turn: dict[str, Any]) -> Iterator[str]:
    """What an entry says, its files, and the guardrails that it triggered."""
    from warehouse.serve.conversation import file_label, spoken_texts

    def of_turn(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if row["turn_index"] == turn["turn_index"]]

    interrupted = " [interrupted]" if turn["is_interrupted"] else ""
    yield from (f"{text}{interrupted}" for text in spoken_texts(turn, of_turn(view.multivoice_parts)))
    yield from (f"[file: {file_label(row)}]" for row in of_turn(view.files))
    for row in of_turn(view.guardrails):
        yield f"[guardrail: {row['guardrail_name'] or row['guardrail_type'] or 'no name'}]"


def _tool_result(call: dict[str, Any]) -> str:
    if not call["is_answered"]:
        return "→ no result"
    latency = f" after {call['latency_secs']:.2f} s" if call["latency_secs"] is not None else ""
    outcome = "failed" if call["is_error"] else "answered"
    result = _shortened(call["raw_error_message"] or call["result_value"])
    return f"→ {outcome}{latency}{': ' if result else ''}{result}"


def _entry(time: str, speaker: str, text: str) -> Iterator[str]:
    from warehouse.serve.value_format import format_value

    width = max(terminal_width() or DEFAULT_WIDTH, MIN_WIDTH)
    first, *others = wrap(format_value(text), width - INDENT)
    yield f"{f'  {time:>7}  {format_value(speaker):<6} '.ljust(INDENT)}{first}".rstrip()
    yield from (f"{'':<{INDENT}}{other}" for other in others)


def _shortened(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= MAX_TOOL_TEXT else f"{text[:MAX_TOOL_TEXT]}… ({len(text):,} characters)"


def _usage(row: dict[str, Any]) -> dict[str, Any]:
    def total(*names: str) -> int | None:
        counts = [row[name] for name in names if row[name] is not None]
        return sum(counts) if counts else None

    return row | {
        "n_read": total("input_tokens", "input_cache_write_tokens"),
        "n_from_cache": total("input_cache_read_tokens"),
        "n_written": total("output_tokens"),
    }
