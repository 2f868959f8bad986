"""The five agents of the emulated workspace: who they are, what they ask for and how their calls are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.emulator.data import dialogues
from pipelines.emulator.data.dialogues import Topic


@dataclass(frozen=True, slots=True)
class Field:
    """A field of data collection: ``source`` is a slot's template, or a number or boolean is drawn for its type."""

    name: str
    type: str
    description: str
    source: str = ""
    extra: tuple[tuple[str, Any], ...] = (("enum", None), ("dynamic_variable", ""), ("constant_value", ""))


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent; ``share`` of all calls, ``channel`` is where its calls come from, ``model`` the LLM it speaks with."""

    agent_id: str
    branch_id: str
    version_ids: tuple[str, str]
    name: str
    greeting: str
    topics: tuple[Topic, ...]
    channel: str
    model: str
    share: float
    voice_id: str
    language: str
    criteria: tuple[tuple[str, str], ...]
    fields: tuple[Field, ...]
    phone_number_id: str = ""
    number: str = ""
    document_id: str = ""
    timezone: str | None = None
    embedding_model: str = "multilingual_e5_large_instruct"


_RESOLVED = ("request_resolved", "the caller's request was dealt with before the end of the conversation")
_POLITE = ("polite_and_clear", "the agent stayed polite, clear and to the point")
_IDENTIFIED = ("caller_identified", "the agent identified the caller before naming personal details")
_NAME = Field("caller_name", "string", "Full name of the caller", "{name}")
_REQUEST = Field("reason_for_contact", "string", "Why the caller got in touch", "about {day} at {time}")

AGENTS: tuple[Agent, ...] = (
    Agent(
        agent_id="agent_7301k6rqw8z4e5vbx9n2tmc0hdyj",
        branch_id="agtbrch_1801k6rqx2p7mfe3w9v6sy4tzn8c",
        version_ids=("agtvrsn_0701k6rqxj5d8h2c4bq9wz3vny6t", "agtvrsn_5201kb3mh9x7s0e4fv8t2qdc6wyn"),
        name="Harbour Clinic Reception",
        greeting="Harbour Clinic, good day. How may I help you?",
        topics=dialogues.CLINIC,
        channel="twilio",
        model="gemini-2.5-flash",
        share=0.30,
        voice_id="cjVigY5qzO86Huf0OWal",
        language="en",
        criteria=(_RESOLVED, _IDENTIFIED, _POLITE),
        fields=(
            _NAME,
            Field("is_new_patient", "boolean", "Whether the caller has never been here before"),
            Field(
                "urgency",
                "string",
                "How urgent the request is",
                "routine",
                (("enum", ["routine", "urgent"]), ("is_system_provided", False), ("constant_value", True)),
            ),
            Field("days_until_visit", "integer", "Days from today until the visit", extra=(("constant_value", 7),)),
        ),
        phone_number_id="phnum_2601k6rr4bwx8n9m3ehvz7tqdc5y",
        number="+15550100110",
        document_id="kbdoc_9801k6rr8vqm4d2x",
        timezone="Europe/London",
    ),
    Agent(
        agent_id="agent_4801k7ahc3m9x5n2wzq8ev0tybdj",
        branch_id="agtbrch_6601k7ahcq8y2v5d9f4s3mxe7wzn",
        version_ids=("agtvrsn_3301k7ahd0w6t8q2nc9x5bv4mzye", "agtvrsn_8901kcs5y2p8h4m6v9d3xt7wqefn"),
        name="Hotel Alder Concierge",
        greeting="Welcome to Hotel Alder, this is your concierge speaking. What can I do for you?",
        topics=dialogues.HOTEL,
        channel="sip_trunking",
        model="claude-haiku-4-5",
        share=0.18,
        voice_id="EXAVITQu4vr4xnSDxMaL",
        language="en",
        criteria=(_RESOLVED, _POLITE),
        fields=(
            _NAME,
            Field("reservation", "string", "Reservation number", "{order}"),
            Field("guests", "integer", "Number of guests", extra=(("is_system_provided", True),)),
            Field("satisfaction", "number", "Satisfaction from 0 to 1", extra=(("constant_value", 0.5),)),
        ),
        phone_number_id="phnum_7101k7ahf5c9w3x8m2vn6tqzdb4y",
        number="+15550100220",
        document_id="kbdoc_4401k7ahg2nx8v5q",
        timezone="Europe/Vienna",
    ),
    Agent(
        agent_id="agent_2201k5ge9f4t8x7q3mwcv6zd0nby",
        branch_id="agtbrch_9401k5gea8n3w5m7x2vt9qycd6ze",
        version_ids=("agtvrsn_6801k5geb4m2q9x8w3tc7vn5zydh", "agtvrsn_1501k9w7v8q4n2d6x3me5tzycbhf"),
        name="Northgate Motors Service Desk",
        greeting="Hello, this is the service desk of Northgate Motors.",
        topics=dialogues.MOTORS,
        channel="twilio_outbound",
        model="gpt-4.1-mini",
        share=0.16,
        voice_id="onwK4e9ZLuTAKqWW03F9",
        language="en",
        criteria=(_RESOLVED, ("appointment_agreed", "a date for the visit to the workshop was agreed")),
        fields=(
            _NAME,
            Field("vehicle", "string", "Make and model", "{car}", (("dynamic_variable", "vehicle"),)),
            Field("agreed_price", "number", "Price that was named, in pounds"),
            Field("wants_loan_car", "boolean", "Whether a loan car is wanted"),
        ),
        phone_number_id="phnum_5301k5gec7y8v2n4xm9w6tzqdb3e",
        number="+15550100330",
        document_id="kbdoc_1701k5ged3qv9m8x",
        timezone="Europe/London",
        embedding_model="e5_mistral_7b_instruct",
    ),
    Agent(
        agent_id="agent_9501k8fqs6d2v7y4xn3mtc9ezw0b",
        branch_id="agtbrch_3801k8fqt1w9m5x7v4nq2yzce6dt",
        version_ids=("agtvrsn_7201k8fqv9x4n3t6m8wc2qzy5bde", "agtvrsn_4601kd2n8w7x5v9q3ty6mzcebdhf"),
        name="Parcel Support Chat",
        greeting="Hi, this is the parcel assistant. What can I do for you?",
        topics=dialogues.PARCELS,
        channel="chat",
        model="gemini-2.5-flash-lite",
        share=0.20,
        voice_id="XB0fDUnXU5powFXDhCwa",
        language="en",
        criteria=(_RESOLVED, _POLITE),
        fields=(
            _REQUEST,
            Field("tracking_number", "string", "Tracking number", "{order}"),
            Field("parcels", "integer", "Number of parcels concerned"),
            Field("is_angry", "boolean", "Whether the visitor sounds angry"),
        ),
        document_id="kbdoc_6201k8fqx8m5v3nq",
    ),
    Agent(
        agent_id="Xq0BillingLineOldId4",
        branch_id="agtbrch_8001k3dn2y7w9v5m4xt6qzce3bdh",
        version_ids=("agtvrsn_2901k3dn3m8x5v2n7wq9tyzc4ebd", "agtvrsn_9701kab4x2m6v8w5nq3tyzce7dhf"),
        name="Brightwell Energy Billing Line",
        greeting="Brightwell Energy, billing. How can I help?",
        topics=dialogues.BILLING,
        channel="twilio",
        model="gpt-4o-mini",
        share=0.16,
        voice_id="JBFqnCBsd6RMkjVDRZzb",
        language="en",
        criteria=(_RESOLVED, _IDENTIFIED),
        fields=(
            _NAME,
            _REQUEST,
            Field("disputed_amount", "number", "Amount in dispute, in pounds"),
            Field("wants_instalments", "boolean", "Whether the caller wants to pay in parts"),
        ),
        phone_number_id="phnum_8401k3dn5v9x2w7m8nq6tyzc3bde",
        number="+15550100440",
        document_id="kbdoc_3501k3dn6nm8x5vq",
        timezone="Europe/London",
    ),
)
BY_ID = {agent.agent_id: agent for agent in AGENTS}
