"""No fixture of a module or session, and no helper that it may enter, yields while the process is patched.

Until the fixture ends, every other test of the worker would run with the patch: it passes or fails by who is beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PATCHES = {"MonkeyPatch", "monkeypatch", "with_comments", "hide_comments", "chdir", "putenv", "setattr"}
"""Names by which a process is patched."""
SHARED = {"module", "session", "package", "class"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def yields(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(node))


def is_shared(function: Function) -> bool:
    """Whether it is a fixture of more than one test, or a context manager."""
    texts = [ast.unparse(decorator) for decorator in function.decorator_list]
    return any("contextmanager" in text or any(f"scope='{scope}'" in text for scope in SHARED) for text in texts)


def patches(node: ast.AST) -> Iterator[str]:
    """Names of patches in the code of a generator, except those that end before it yields."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.With | ast.AsyncWith) and not yields(part):
            continue
        name = part.id if isinstance(part, ast.Name) else part.attr if isinstance(part, ast.Attribute) else ""
        if name in PATCHES:
            yield name
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store) and "environ" in ast.unparse(part.value):
            yield "environ"
        yield from patches(part)


def findings(source: str) -> list[str]:
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))
    return [
        f"{function.name}: {name}"
        for function in functions
        if is_shared(function) and yields(function)
        for part in function.body
        for name in patches(ast.Module([part], []))
    ]


def test_no_shared_fixture_yields_within_a_patch() -> None:
    files = sorted(TESTS.rglob("*.py"))
    assert len(files) > 250
    assert {str(file): wrong for file in files if (wrong := findings(file.read_text(encoding="utf-8")))} == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("with pytest.MonkeyPatch.context() as patch:\n        yield", ["home: MonkeyPatch"]),
        ("with with_comments(), running(app) as url:\n        yield url", ["home: with_comments"]),
        ("os.environ['A'] = '1'\n    yield", ["home: environ"]),
        ("start(dict(os.environ))\n    yield", []),
        ("os.chdir(folder)\n    yield\n    os.chdir(before)", ["home: chdir", "home: chdir"]),
        ("with pytest.MonkeyPatch.context() as patch:\n        build()\n    yield", []),
        ("with running(app) as url:\n        with with_comments():\n            build()\n        yield url", []),
        ("with with_comments():\n        return build()", []),
    ],
)
def test_a_patch_is_found_only_around_the_yield(body: str, expected: list[str]) -> None:
    decorators = [
        "@pytest.fixture(scope='module')",
        '@pytest.fixture(autouse=True, scope="session")',
        "@contextmanager",
    ]
    for decorator in decorators:
        assert findings(f"{decorator}\ndef home():\n    {body}\n") == expected
    assert findings(f"@pytest.fixture\ndef home():\n    {body}\n") == []
