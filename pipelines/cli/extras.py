"""Commands whose packages are an extra: what to install is said before anything is done."""

from __future__ import annotations

from importlib.util import find_spec


def require_extra(extra: str, *modules: str) -> None:
    """Refuse a command whose packages are not installed.

    Raises:
        MissingPackageError: a module of the extra is missing.
    """
    from warehouse.errors import MissingPackageError

    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise MissingPackageError(*missing, extra=extra)
