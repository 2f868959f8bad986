"""A home on two nights that is published, and a PostgreSQL to publish to."""

from __future__ import annotations

import pytest

from tests.helpers import postgres
from tests.helpers.few_models import FEW
from tests.helpers.published import small_copies


@pytest.fixture
def few_keys():
    return FEW


@pytest.fixture(scope="session")
def copies(tmp_path_factory):
    return small_copies(tmp_path_factory.mktemp("copies"))


@pytest.fixture
def home(copies):
    copies.put("first", keeps_record=False)
    return copies.home


@pytest.fixture
def context(copies, home):
    return copies.context()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with postgres.server(tmp_path_factory.mktemp("postgres") / "server") as url:
        yield url


@pytest.fixture
def database(server, request):
    """A new database; its URL."""
    name = f"of_{abs(hash(request.node.name))}"
    with postgres.connect(server) as connection:
        connection.execute(f"create database {name}")
    return server.rpartition("/")[0] + f"/{name}"
