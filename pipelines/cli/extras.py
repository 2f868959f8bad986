"""Commands whose packages are the extra ``page``: what to install is said before anything is done."""

from __future__ import annotations

from importlib.util import find_spec


def require_page_packages() -> None:
    """Refuse a command of the page where its packages are not installed.

    Raises:
        MissingPackageError: one is missing.
    """
    from warehouse.errors import MissingPackageError

    missing = [module for module in ("jinja2", "altair", "vl_convert") if find_spec(module) is None]
    if missing:
        raise MissingPackageError(*missing, extra="page")
