"""How an asset does its work: with the home folder held, the run's account kept, and errors said in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import dagster as dg

from pipelines.extract import run_log
from pipelines.usecases.context import Site
from pipelines.usecases.run_session import close, failure, working
from warehouse.errors import ConvohouseError
from warehouse.models.checks import CheckResult


@contextmanager
def doing(site: Site, run_id: str, what: str) -> Iterator[tuple[Site, ...]]:
    """Hold the home folder for one step of a run; gives the site of each workspace.

    Raises:
        dagster.Failure: our own error, as one line that says what to do. It is not tried again: the client has tried
            what can be tried, and who holds a lock is for a person to see.
    """
    try:
        with working(site, run_id, what) as sites:
            yield sites
    except ConvohouseError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def end(sites: Sequence[Site], run_id: str, failed: Iterable[CheckResult]) -> tuple[str, ...]:
    """Close the run's accounts in its last step; gives all that is amiss."""
    unread = {}
    for each in sites:
        if n_unread := run_log.n_unread(each.home, run_id):
            unread[each.settings.workspace] = [f"Conversations that could not be read: {n_unread}."]
    return close(sites, run_id, map(failure, failed), unread)


def stop_for(problems: Sequence[str]) -> None:
    """End the run as failed when something is amiss, after all that is right was kept.

    Raises:
        dagster.Failure: names every problem.
    """
    if problems:
        raise dg.Failure("\n".join(problems), allow_retries=False)
