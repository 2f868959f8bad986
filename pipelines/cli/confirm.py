"""The question before a command changes something outside this machine, or something that cannot be undone."""

from __future__ import annotations

import sys

import click


def is_confirmed(question: str, *, yes: bool, is_dry_run: bool = False) -> bool:
    """Whether to continue: yes with ``--yes``, the user's answer on a terminal, else no; a dry run does not ask."""
    if is_dry_run:
        return False
    return yes or (sys.stdin.isatty() and click.confirm(question, err=True))
