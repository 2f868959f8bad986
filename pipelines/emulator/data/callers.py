"""Who calls: the values that fill the slots of a script, drawn once for each conversation."""

from __future__ import annotations

from random import Random

_FIRST = (
    "Amelia", "Noah", "Priya", "Luca", "Sofía", "Jonas", "Mei", "Omar", "Hannah", "Kwame", "Zoë", "Mateusz", "Ingrid",
    "Tariq", "Chloé", "Ravi",
)  # fmt: skip
_LAST = (
    "Hughes", "Okafor", "Lindqvist", "Moreau", "Schäfer", "Novák", "Patel", "Romano", "Tanaka", "O'Brien", "García",
    "Haddad", "Kowalski", "Fernandes", "Dubois",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_CITIES = ("Bristol", "Leeds", "Lyon", "Valencia", "Graz", "Antwerp", "Gdańsk", "Malmö")
_CARS = ("Ford Focus", "Škoda Octavia", "Toyota Yaris", "Peugeot 308", "Hyundai Ioniq", "Fiat 500")
_DOCTORS = ("Dr Weston", "Dr Adeyemi", "Dr Brandt", "Dr Castellano", "Dr Lim")


def cast(rng: Random, phone: str) -> dict[str, str]:
    """Draw a caller: every slot that ``pipelines.emulator.data.dialogues`` uses, as text."""
    draw = rng.random
    first = _FIRST[int(draw() * len(_FIRST))]
    last = _LAST[int(draw() * len(_LAST))]
    hour = 8 + int(draw() * 9)
    return {
        "name": f"{first} {last}",
        "first": first,
        "email": f"{first}.{last}@example.com".lower().replace("'", ""),
        "phone": phone,
        "day": _DAYS[int(draw() * len(_DAYS))],
        "time": f"{hour}:{('00', '15', '30', '45')[int(draw() * 4)]}",
        "later": f"{hour + 2}:{('10', '30', '50')[int(draw() * 3)]}",
        "order": f"{chr(65 + int(draw() * 26))}{int(draw() * 900000) + 100000}",
        "amount": f"{60 + draw() * 400:.2f}",
        "number": str(2 + int(draw() * 27)),
        "room": str(101 + int(draw() * 480)),
        "city": _CITIES[int(draw() * len(_CITIES))],
        "car": _CARS[int(draw() * len(_CARS))],
        "doctor": _DOCTORS[int(draw() * len(_DOCTORS))],
    }
