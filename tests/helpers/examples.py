"""How many examples hypothesis tries: all that a test says, or a tenth with ``--few-examples``, as `make test-fast`."""

from __future__ import annotations

_divisor = 1


def try_few() -> None:
    """For the start of the process: ``settings`` are read when a test's module is imported."""
    global _divisor  # noqa: PLW0603 - of the process, as the day of the tests is
    _divisor = 10


def examples(number: int) -> int:
    return max(1, number // _divisor)
