"""Verdicts and collected values: of the conversation, of the scopes of its analysis, and of the list twins."""

from __future__ import annotations

import json

POLITE = {"criteria_id": "polite", "result": "success", "rationale": "The first agent was polite."}
RUDE = {"criteria_id": "polite", "result": "failure", "rationale": "The second agent was not."}
NO_REFUND = {"criteria_id": "refund", "result": "failure", "rationale": "There was no refund."}
INVOICE = {"data_collection_id": "invoice", "value": "INV-7", "rationale": "It was said."}


def test_each_scope_has_verdicts_and_values_of_its_agent_and_branch(rows):
    first = {"scope": "agent", "source_agent_id": "agent_a", "successful": "success"}
    second = {
        "scope": "agent",
        "source_agent_id": "agent_b",
        "source_branch_id": "branch_b",
        "successful": "failure",
        "success_score": 0.25,
    }
    analysis = {
        "evaluation_criteria_results": {"polite": POLITE},
        "evaluation_criteria_results_list": [POLITE, RUDE],
        "scoped": [
            first | {"evaluation_criteria_results": {"polite": POLITE}},
            None,
            second
            | {
                "evaluation_criteria_results": {"polite": RUDE, "refund": NO_REFUND},
                "data_collection_results": {"invoice": INVOICE},
            },
        ],
    }
    of_first = {"scope_index": 0, "scope": "agent", "source_agent_id": "agent_a"}
    of_second = {"scope_index": 2, "scope": "agent", "source_agent_id": "agent_b", "source_branch_id": "branch_b"}
    assert rows("scoped_analyses", analysis=analysis) == [{"scope_index": 0} | first, {"scope_index": 2} | second]
    assert rows("evaluation_results", analysis=analysis) == [
        {"scope_index": -1} | POLITE,
        of_first | POLITE,
        of_second | RUDE,
        of_second | NO_REFUND,
    ]
    assert rows("data_collection_results", analysis=analysis) == [
        of_second
        | {"data_collection_id": "invoice", "value": '"INV-7"', "value_text": "INV-7", "rationale": "It was said."}
    ]
    assert "extra" not in rows("conversations", analysis=analysis)[0]


def test_what_only_a_list_twin_has_is_a_row(rows):
    analysis = {
        "evaluation_criteria_results_list": [POLITE, None, NO_REFUND],
        "data_collection_results_list": [INVOICE],
        "scoped": [{"scope": "agent", "source_agent_id": "agent_a"}],  # which has neither
    }
    for maps in ({}, {"evaluation_criteria_results": {}}, {"evaluation_criteria_results": {"polite": POLITE}}):
        assert rows("evaluation_results", analysis=analysis | maps) == [
            {"scope_index": -1} | POLITE,
            {"scope_index": -1} | NO_REFUND,
        ]
    assert [row["value"] for row in rows("data_collection_results", analysis=analysis)] == ['"INV-7"']
    assert "extra" not in rows("conversations", analysis=analysis)[0]


def test_a_second_verdict_under_an_id_is_kept_in_extra(rows):
    analysis = {
        "evaluation_criteria_results": {"polite": POLITE},
        "evaluation_criteria_results_list": [POLITE, RUDE | {"new": 1}, {"result": "unknown"}],
        "data_collection_results_list": [INVOICE, INVOICE | {"json_schema": {"type": "string"}}],
    }
    assert rows("evaluation_results", analysis=analysis) == [{"scope_index": -1} | POLITE]
    assert json.loads(rows("conversations", analysis=analysis)[0]["extra"]) == {
        "analysis.evaluation_criteria_results_list[1]": RUDE | {"new": 1},
        "analysis.evaluation_criteria_results_list[2]": {"result": "unknown"},
        "analysis.data_collection_results_list[1]": INVOICE | {"json_schema": {"type": "string"}},
    }


def test_a_map_without_inner_ids_is_repeated_by_its_list(rows):
    without_id = {name: value for name, value in POLITE.items() if name != "criteria_id"}
    analysis = {"evaluation_criteria_results": {"polite": without_id}, "evaluation_criteria_results_list": [POLITE]}
    assert rows("evaluation_results", analysis=analysis) == [{"scope_index": -1} | POLITE]
    assert "extra" not in rows("conversations", analysis=analysis)[0]


def test_an_id_inside_an_entry_is_kept_where_it_is_not_the_key(rows):
    analysis = {
        "evaluation_criteria_results": {"crit_1": POLITE},
        "data_collection_results": {"field_1": INVOICE, "invoice": INVOICE},
    }
    assert rows("evaluation_results", analysis=analysis) == [
        POLITE | {"scope_index": -1, "criteria_id": "crit_1", "inner_criteria_id": "polite"}
    ]
    actual = rows("data_collection_results", analysis=analysis)
    assert [(row["data_collection_id"], row.get("inner_data_collection_id")) for row in actual] == [
        ("field_1", "invoice"),
        ("invoice", None),
    ]


def test_files_of_an_entry_once_each(rows):
    photo = {"file_id": "f1", "original_filename": "meter.jpg", "mime_type": "image/jpeg", "file_url": "https://x/f1"}
    bill = {"file_id": "f2", "original_filename": "bill.pdf"}
    plan = {"file_id": "f3"}
    transcript = [
        {"role": "user", "file_inputs": [photo, bill], "file_input": photo},
        {"role": "user", "file_input": bill},
        {"role": "user", "file_inputs": [None, photo, plan], "file_input": bill},
        {"role": "user", "file_inputs": []},
    ]
    assert rows("turn_files", transcript=transcript) == [
        {"turn_index": 0, "file_index": 0} | photo,
        {"turn_index": 0, "file_index": 1} | bill,
        {"turn_index": 2, "file_index": 1} | photo,
        {"turn_index": 2, "file_index": 2} | plan,
        {"turn_index": 1, "file_index": 0} | bill,
        {"turn_index": 2, "file_index": 3} | bill,
    ]


def test_guardrails_and_rewards_are_rows(rows):
    custom = {"guardrail_type": "custom", "guardrail_name": "no_advice", "execution_mode": "blocking"}
    details = {"type": "classifier", "score": 0.9, "threshold": 0.8}
    transcript = [
        {"role": "user"},
        {"role": "agent", "triggered_guardrails": [custom, {"guardrail_type": "hate", "guardrail_details": details}]},
    ]
    assert rows("triggered_guardrails", transcript=transcript) == [
        {"turn_index": 1, "guardrail_index": 0} | custom,
        {"turn_index": 1, "guardrail_index": 1, "guardrail_type": "hate"}
        | {f"guardrail_details_{name}": value for name, value in details.items()},
    ]
    metadata = {"start_time_unix_secs": 1_757_088_912, "voice_rewards": [{"voice_id": "v", "reward_usd_cents": 0.5}]}
    assert rows("voice_rewards", metadata=metadata) == [{"reward_index": 0, "voice_id": "v", "reward_usd_cents": 0.5}]


def test_an_object_that_was_redacted_as_one_value_is_no_drift(rows):
    metadata = {
        "start_time_unix_secs": 1_757_088_912,
        "sms": "<redacted>",
        "whatsapp": {"opening_message": "<redacted>"},
    }
    actual = rows("conversations", metadata=metadata, analysis={"scoped": "<redacted>"})
    assert "extra" not in actual[0]
