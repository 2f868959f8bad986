"""The daily metrics of the parts of calls once more, from the documents: cost, models, tools, criteria, timings.

As in ``tests.independent.daily_metrics``, nothing is shared with flattening and SQL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from tests.independent.daily_metrics import (
    CREDITS_PER_USD,
    Document,
    Row,
    charging,
    cost_usd,
    day,
    is_finished,
    quantile,
    ratio,
    timings,
    total,
)
from tests.independent.outcomes import verdicts_of

HAIR = Fraction(1, 10**9)
"""Dollars below which the parts of a cost are taken to be the whole."""


def _key(document: Document, **more: object) -> Row:
    return {"workspace": "main", "start_date": day(document), "agent_id": document.get("agent_id"), **more}


def _by_key(pairs: Iterator[tuple[Row, Row]]) -> Iterator[tuple[Row, list[Row]]]:
    """What was found, by its key."""
    groups: dict[tuple[object, ...], tuple[Row, list[Row]]] = {}
    for key, value in pairs:
        groups.setdefault(tuple(key.values()), (key, []))[1].append(value)
    yield from groups.values()


def cost_daily(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.cost_daily``."""
    pairs = (
        (_key(document, component=component), part)
        for document in documents
        if is_finished(document)
        for component, part in _parts(document)
    )
    return [
        {
            **key,
            "n_calls": len(parts),
            "cost_credits": total(part["credits"] for part in parts),
            "cost_usd": total(part["usd"] for part in parts),
            "burst_surcharge_credits": total(part["burst"] for part in parts),
            "dev_discount_credits": total(part["discount"] for part in parts),
            "free_minutes": total(part.get("free_minutes") for part in parts),
            "free_llm_usd": total(part.get("free_usd") for part in parts),
        }
        for key, parts in _by_key(pairs)
    ]


def _parts(document: Document) -> Iterator[tuple[str, Row]]:
    """Components of a call's cost, in credits and US dollars; they add up to it."""
    cost, usd, paid = document["metadata"].get("cost"), cost_usd(document), charging(document)
    if cost is None and usd is None:
        return
    call, llm = paid.get("call_charge") or 0, paid.get("llm_charge") or 0
    items: Document = (paid.get("platform_usage") or {}).get("category_usage") or {}
    charges = {name: Fraction(item.get("credits") or 0) for name, item in items.items()}
    if document["metadata"].get("cost_fiat") is not None:
        prices = {name: Fraction(item.get("price") or 0) for name, item in items.items()}
        call_usd, llm_usd = Fraction(paid.get("platform_price") or 0), Fraction(paid.get("llm_price") or 0)
    else:
        rate = CREDITS_PER_USD.get((paid.get("tier") or "").lower(), 1)
        prices = {name: charge / rate for name, charge in charges.items()}
        call_usd, llm_usd = Fraction(call, rate), Fraction(llm, rate)
    rest, rest_usd = max(call - sum(charges.values()), 0), max(call_usd - sum(prices.values()), Fraction(0))
    left = (cost or 0) - rest - llm - sum(charges.values())
    left_usd = (usd or 0) - rest_usd - llm_usd - sum(prices.values())
    if abs(left_usd) < HAIR:
        rest_usd, left_usd = rest_usd + left_usd, Fraction(0)
    doubled = bool(paid.get("is_burst")) and "burst" not in items
    halved = bool(paid.get("dev_discount"))

    def part(of: Any, price: Fraction, *, is_call: bool, **more: object) -> Row:
        burst, discount = (of / 2 if doubled and is_call else 0), (of if halved and is_call else 0)
        amounts = {"credits": None if cost is None else of, "usd": None if usd is None else price}
        return {**amounts, "burst": burst, "discount": discount, **more}

    yield "call", part(rest, rest_usd, is_call=True, free_minutes=paid.get("free_minutes_consumed"))
    yield "llm", part(llm, llm_usd, is_call=False, free_usd=paid.get("free_llm_dollars_consumed"))
    for name, charge in charges.items():
        shown = part(charge, prices[name], is_call=True)
        yield f"platform_{name}", shown | ({"burst": charge} if name == "burst" else {})
    if (cost is not None and left) or (usd is not None and left_usd):
        yield "unexplained", part(left, left_usd, is_call=False)


def llm_cost(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.llm_cost``."""
    pairs = (
        (_key(document, model=model), {"document": document} | usage)
        for document in documents
        if is_finished(document)
        for model, usage in _usage(document)
    )
    return [{**key, **_models_day(uses)} for key, uses in _by_key(pairs)]


def _usage(document: Document) -> Iterator[tuple[str, Row]]:
    """Token kinds by model, of what was generated and of what of it was delivered."""
    blocks: Document = charging(document).get("llm_usage") or {}
    initiated, sent = (
        (blocks.get(name) or {}).get("model_usage") or {}
        for name in ("initiated_generation", "irreversible_generation")
    )
    initiated = initiated or sent
    for model in {**initiated, **sent}:
        yield model, {"made": initiated.get(model), "sent": sent.get(model)}


def _models_day(uses: list[Row]) -> Row:
    initiated = [use for use in uses if use["made"]]
    n = len(initiated)
    secs = sum(use["document"]["metadata"].get("call_duration_secs") or 0 for use in initiated)
    tokens: dict[str, int] = defaultdict(int)
    prices: dict[str, list[float | None]] = defaultdict(list)
    for use in initiated:
        for kind, amount in use["made"].items():
            tokens[kind] += amount.get("tokens") or 0
            prices[kind].append(amount.get("price"))
    cost = total(price for price_list in prices.values() for price in price_list)
    sent = [amount for use in uses for amount in (use["sent"] or {}).values()]
    sent_usd = total(amount.get("price") for amount in sent)
    n_priced = sum(any(amount.get("price") is not None for amount in use["made"].values()) for use in initiated)
    kinds = ("input", "input_cache_read", "input_cache_write")
    return {
        "n_calls": n,
        "call_minutes": secs / 60,
        **{f"{kind}_tokens": tokens[kind] for kind in kinds},
        "output_tokens": tokens["output_total"],
        "other_tokens": sum(amount for kind, amount in tokens.items() if kind not in (*kinds, "output_total")),
        "cache_hit_rate": ratio(tokens["input_cache_read"], tokens["input"] + tokens["input_cache_read"]),
        **{f"{kind}_usd": total(prices[kind]) for kind in kinds},
        "output_usd": total(prices["output_total"]),
        "other_usd": total(
            p for kind, price_list in prices.items() if kind not in (*kinds, "output_total") for p in price_list
        ),
        "llm_cost_usd": cost,
        "llm_cost_usd_coverage": ratio(n_priced, n),
        "llm_cost_usd_per_call": ratio(cost, n),
        "llm_cost_usd_per_minute": ratio(cost, secs / 60),
        "delivered_tokens": sum(amount.get("tokens") or 0 for amount in sent),
        "delivered_usd": sent_usd,
        "undelivered_usd": None if cost is None or sent_usd is None else cost - sent_usd,
    }


def tool_reliability(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.tool_reliability``, without what is taken from the listing of the tools."""
    pairs = (
        ({"workspace": "main", "start_date": day(document), "tool_name": call.get("tool_name")}, use)
        for document in documents
        if is_finished(document)
        for call, use in _uses(document)
    )
    return [{**key, **_tools_day(uses)} for key, uses in _by_key(pairs)]


def _uses(document: Document) -> Iterator[tuple[Document, Row]]:
    """Tool calls with their results: the first call of an id has the first result of it, the outer before the inner.

    A result that no call is left for is a use of its own.
    """
    taken: list[int] = []
    calls: list[tuple[int, Document]] = []
    answers: list[tuple[int, Document]] = []
    for entry in document.get("transcript") or []:
        _gather(entry.get("tool_calls"), entry.get("tool_results"), 0, calls, answers)
    waiting: dict[str, list[Document]] = defaultdict(list)
    for _, answer in sorted(answers, key=lambda pair: pair[0]):
        if answer.get("request_id") is not None:
            waiting[answer["request_id"]].append(answer)
    for _, call in sorted(calls, key=lambda pair: pair[0]):
        queue = waiting.get(call.get("request_id") or "", [])
        answer = queue.pop(0) if queue else None
        taken.append(id(answer))
        named = call if call.get("tool_name") is not None or answer is None else answer
        yield named, {"call": document["conversation_id"], "answer": answer}
    for _, answer in answers:
        if id(answer) not in taken:
            yield answer, {"call": document["conversation_id"], "answer": answer}


def _gather(
    calls: list[Document] | None,
    answers: list[Document] | None,
    depth: int,
    all_calls: list[tuple[int, Document]],
    all_answers: list[tuple[int, Document]],
) -> None:
    all_calls += [(depth, call) for call in calls or []]
    for answer in answers or []:
        all_answers.append((depth, answer))
        for step in (answer.get("result") or {}).get("steps") or []:
            _gather(step.get("requests"), step.get("results"), depth + 1, all_calls, all_answers)


def _tools_day(uses: list[Row]) -> Row:
    answers = [use["answer"] for use in uses if use["answer"]]
    secs = [answer["tool_latency_secs"] for answer in answers if answer.get("tool_latency_secs") is not None]
    n_errors = sum(bool(answer.get("is_error")) for answer in answers)
    return {
        "n_calls": len({use["call"] for use in uses}),
        "n_tool_calls": len(uses),
        "n_answered": len(answers),
        "n_errors": n_errors,
        "error_rate": ratio(n_errors, len(answers)),
        "n_blocked": sum(bool(answer.get("is_blocked")) for answer in answers),
        "n_unanswered": len(uses) - len(answers),
        "n_latencies": len(secs),
        "latency_p50_secs": quantile(secs, 0.5),
        "latency_p95_secs": quantile(secs, 0.95),
    }


def evaluation_rates(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.evaluation_rates``."""
    pairs = (
        (_key(document, criteria_id=name), verdict)
        for document in documents
        if is_finished(document)
        for name, verdict in verdicts_of(document, "evaluation_criteria_results").items()
    )
    return [{**key, **_criterions_day(verdicts)} for key, verdicts in _by_key(pairs)]


def _criterions_day(verdicts: list[Row]) -> Row:
    n, said = len(verdicts), [verdict.get("result") for verdict in verdicts]
    met, missed = said.count("success"), said.count("failure")
    scored = [v for v in verdicts if v.get("score") is not None and v.get("max_score") is not None]
    return {
        "n_calls": n,
        "n_success": met,
        "n_failure": missed,
        "n_unknown": n - met - missed,
        "success_rate": ratio(met, met + missed),
        "success_coverage": ratio(met + missed, n),
        "n_scored": len(scored),
        "score_share": ratio(total(v["score"] for v in scored), sum(v["max_score"] for v in scored)),
    }


def latency_stages(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.latency_stages``."""
    pairs = (
        (_key(document, metric=metric), {"call": document["conversation_id"], "secs": secs})
        for document in documents
        if is_finished(document)
        for metric, secs in timings(document)
    )
    return [
        {
            **key,
            "n_calls": len({timing["call"] for timing in timed}),
            "n_latencies": len(timed),
            **{f"latency_p{p}_secs": quantile((t["secs"] for t in timed), p / 100) for p in (50, 90, 95, 99)},
        }
        for key, timed in _by_key(pairs)
    ]
