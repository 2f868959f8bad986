"""Commands whose packages are an extra: what to install is said before anything is done."""

from __future__ import annotations

from importlib.util import find_spec

PAGE_MODULES = ("jinja2", "altair", "vl_convert")


def require_page_extra() -> None:
    """Refuse a command whose packages are not installed.

    Raises:
        UsageError: a module of the extra ``page`` is missing.
    """
    from pipelines.errors import UsageError

    missing = [module for module in PAGE_MODULES if find_spec(module) is None]
    if missing:
        raise UsageError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed.",
            "Install the extra: pip install 'convohouse[page]'.",
        )
