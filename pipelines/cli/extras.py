"""Commands whose packages are an extra: what to install is said before anything is done."""

from __future__ import annotations

from importlib.util import find_spec


def require_extra(extra: str, *modules: str) -> None:
    """Refuse a command whose packages are not installed.

    Raises:
        UsageError: a module of the extra is missing.
    """
    from pipelines.errors import UsageError

    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise UsageError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed.",
            f"Install the extra: pip install 'convohouse[{extra}]'.",
        )
