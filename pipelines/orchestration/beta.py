"""What Dagster calls beta, used without its warning at each use: our version of it is pinned, and tests use it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

SINGLE_RUN = dg.BackfillPolicy.single_run()
"""Many days in one run; of every asset, as Dagster refuses a range of days over assets that differ in it."""


@contextmanager
def no_beta_warnings() -> Iterator[None]:
    """Without warnings that something is beta; also a decorator."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        yield
