"""Who gets in touch, and the values of the template variables of a conversation (``callers.toml``)."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import NamedTuple

from pipelines.emulator.data.data_files import Record, read

FILE = "callers.toml"
VARIABLES = frozenset(
    ("name", "first", "email", "phone", "day", "time", "later", "order", "amount", "number", "room", "city", "car")
) | {"doctor"}
"""The template variables that every conversation has."""


class Callers(Record, frozen=True):
    """The lists that persons and their wishes are drawn from; ``days`` are weekdays by language."""

    first_names: list[str]
    last_names: list[str]
    cities: list[str]
    cars: list[str]
    doctors: list[str]
    days: dict[str, list[str]]


class Persona(NamedTuple):
    """A person, who is the same in all conversations of a caller."""

    name: str
    first: str
    email: str
    city: str
    car: str
    doctor: str


CALLERS = read(FILE, Callers)


@lru_cache(4096)
def persona(caller: int) -> Persona:
    """The person behind a caller's number."""
    draw = Random(caller * 7919 + 17).random  # noqa: S311 - a made-up person

    def pick(values: list[str]) -> str:
        return values[int(draw() * len(values))]

    first, last = pick(CALLERS.first_names), pick(CALLERS.last_names)
    email = f"{first}.{last}@example.com".lower().replace("'", "")
    return Persona(f"{first} {last}", first, email, pick(CALLERS.cities), pick(CALLERS.cars), pick(CALLERS.doctors))


def template_variables(rng: Random, caller: int, phone: str, language: str) -> dict[str, str]:
    """Draw the values of all template variables of a conversation."""
    draw = rng.random
    hour = 8 + int(draw() * 9)
    days = CALLERS.days[language]
    return {
        **persona(caller)._asdict(),
        "phone": phone,
        "day": days[int(draw() * len(days))],
        "time": f"{hour}:{('00', '15', '30', '45')[int(draw() * 4)]}",
        "later": f"{hour + 2}:{('10', '30', '50')[int(draw() * 3)]}",
        "order": f"{chr(65 + int(draw() * 26))}{int(draw() * 900000) + 100000}",
        "amount": f"{60 + draw() * 400:.2f}",
        "number": str(2 + int(draw() * 27)),
        "room": str(101 + int(draw() * 480)),
    }
