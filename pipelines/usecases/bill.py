"""The vendor's bill: what the workspace used, by UTC day and product; fetched once in a UTC day, landed, flattened.

A workspace is billed by cost or in credits, and each has an endpoint. No public source says how the other one answers,
so both are requested: a refusal by one is no problem as long as the other answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pipelines.api.account_endpoints import BILLS, Basis, get_bill
from pipelines.api.client import ApiClient
from pipelines.errors import ApiError, ApiUnavailableError, MalformedResponseError
from pipelines.privacy.mask_documents import mask
from pipelines.transform.bills import parse_bill, refresh_billed_usage
from pipelines.transform.canonical_json import dump
from pipelines.usecases.context import Context, Progress, no_progress, run_with_client
from pipelines.usecases.workspace_lookup import require_same_workspace
from warehouse.schema.account_data import BILLED_USAGE
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import bill_rows, is_due, land_bills

LOOKBACK_DAYS = 7
"""Days before the last bill that are requested again: usage may be booked late."""
DAYS_PER_REQUEST = 31


@dataclass(frozen=True, slots=True)
class BillResult:
    """A bill that is landed: how many days it has, and the units that it is in."""

    n_days: int
    units: tuple[str, ...]


class BillCopy:
    """The bill of the days since the last one, at first since the first conversation: to request and then to land."""

    def __init__(self, context: Context, progress: Progress = no_progress) -> None:
        self._context = context
        self._home = context.home
        self._progress = progress
        self._asked_at = context.clock()
        lake.ensure_schema_files(self._home)
        self._windows = list(_windows(self._home, self._asked_at.date()))
        self._n_days = sum((until - since).days for since, until in self._windows)
        self._rows: list[dict[str, object]] = []

    def fetch_and_land(self) -> BillResult:
        """Request the bill with a client of its own, and land it.

        Raises:
            ApiError: see ``fetch``; nothing is landed.
            ForeignWorkspaceError: the API is that of another workspace; nothing is requested.
        """
        require_same_workspace(self._context)
        run_with_client(self._context, self.fetch)
        return self.land()

    async def fetch(self, client: ApiClient) -> None:
        """Request the bill of each window on each basis.

        Raises:
            ApiError: neither endpoint answered for some days, or one failed.
        """
        n_done = 0
        for since, until in self._windows:
            errors: list[ApiError] = []
            for basis in BILLS:
                try:
                    bill = await get_bill(client, basis, since, until)
                except (ApiUnavailableError, MalformedResponseError):
                    raise  # it may be the endpoint that has the bill
                except ApiError as error:
                    errors.append(error)
                else:
                    self._rows.append(_row(bill, basis, since, until, self._asked_at))
            if len(errors) == len(BILLS):
                raise errors[0]
            n_done += (until - since).days
            self._progress("bill", n_done, self._n_days)

    def land(self) -> BillResult:
        """Land the responses, and refresh ``billed_usage``."""
        land_bills(self._home, self._rows)
        refresh_billed_usage(self._home)
        units = lake.read(self._home, BILLED_USAGE, ["unit", "asked_at"]).filter(asked_at=self._asked_at)["unit"]
        return BillResult(self._n_days, tuple(sorted(units.unique())))


def _row(bill: dict[str, Any], basis: Basis, since: date, until: date, asked_at: datetime) -> dict[str, object]:
    """The row to land.

    Raises:
        MalformedResponseError: the bill cannot be flattened.
    """
    try:
        list(parse_bill(bill, basis))
    except (ValueError, TypeError, OverflowError) as error:
        raise MalformedResponseError(f"POST {BILLS[basis]} answered what is not a bill: {error}.") from None
    return {
        "basis": basis,
        "since_date": since,
        "until_date": until,
        "asked_at": asked_at,
        "payload": dump(mask(bill)),
    }


def _windows(home: Home, today: date) -> Iterator[tuple[date, date]]:
    """The days to request, as first day and day after the last, in parts; every day is in a window of some request."""
    bills = bill_rows(home)
    first_day = min(lake.days(home, CONVERSATIONS), default=today)
    end = today + timedelta(days=1)
    spans = [(first_day, end)]
    if not bills.is_empty():
        windows: list[tuple[date, date]] = bills.select("since_date", "until_date").rows()
        until = min(today, max(until for _, until in windows))
        recent = max(first_day, until - timedelta(days=LOOKBACK_DAYS))
        spans = [(first_day, min(since for since, _ in windows)), (recent, end)]
    for begin, stop in spans:
        for n_before in range(0, (stop - begin).days, DAYS_PER_REQUEST):
            part = begin + timedelta(days=n_before)
            yield part, min(part + timedelta(days=DAYS_PER_REQUEST), stop)


def is_bill_due(context: Context) -> bool:
    """Whether the bill was not requested today."""
    latest_at = max(bill_rows(context.home)["asked_at"].to_list()[-1:], default=None)
    return is_due(latest_at, context.clock())
