"""To ask before something is done that leaves this machine or cannot be undone."""

from __future__ import annotations

import sys

import click


def is_wanted(question: str, *, yes: bool, is_dry_run: bool = False) -> bool:
    """Whether to do it: yes where ``--yes`` is given, what a person says on a terminal, and no elsewhere."""
    if yes or is_dry_run:
        return yes and not is_dry_run
    return sys.stdin.isatty() and click.confirm(question, err=True)
