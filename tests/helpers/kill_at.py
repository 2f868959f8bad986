"""Run the command line and die in it, as by kill -9: ``python dying.py FUNCTION NUMBER WORD ARGUMENT…``.

It dies before the call of that number, from 1, of ``module:attribute``, of those with the word in an argument's text.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pkgutil import resolve_name

from pipelines.cli.main import main


def die_at(function: str, number: int, word: str) -> None:
    module, _, path = function.partition(":")
    *holders, name = path.split(".")
    holder = resolve_name(f"{module}:{'.'.join(holders)}") if holders else resolve_name(module)
    real = getattr(holder, name)
    numbers = count(1)

    def dying(*arguments, **named):
        if any(word in str(argument) for argument in arguments) and next(numbers) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)

    setattr(holder, name, dying)


if __name__ == "__main__":
    function, number, word, *arguments = sys.argv[1:]
    die_at(function, int(number), word)
    main(arguments)
