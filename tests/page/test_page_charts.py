"""How charts are drawn: colours that stay, years where there are several, and as many agents as one can see."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipelines.page.app import create_app
from pipelines.page.palette import CATEGORIES, DARK, DATA, LIGHT, resolve
from pipelines.page.render import script
from pipelines.page.views import money, outcomes, speed
from pipelines.page.views.money import COLOURS
from tests.helpers.page_home import site
from warehouse.serve.pages.speed import stages
from warehouse.storage.home import Home

pytestmark = pytest.mark.timeout(400)  # the first test of a worker syncs the home


@pytest.fixture(scope="module")
def client(page_home: Home) -> TestClient:
    return TestClient(create_app(site(page_home)), base_url="http://127.0.0.1")


def spec(client: TestClient, address: str, name: str) -> dict[str, Any]:
    """The specification of a chart of a page."""
    (text,) = re.findall(rf'id="chart-{name}">(.*?)</script>', client.get(address).text, re.DOTALL)
    return json.loads(text)


def test_no_two_parts_of_a_chart_have_the_same_colour() -> None:
    for colours in (outcomes.COLOURS, money.COLOURS | {money.REST: money.REST_COLOUR}, speed.STAGE_COLOURS):
        assert len(set(colours.values())) == len(colours)
    assert money.COLOURS.keys() == money.COMPONENT_NAMES.keys()


def test_a_name_that_looks_like_a_colour_of_ours_is_none() -> None:
    names = ["token:x", "token:accent"]
    scale = {"domain": names, "range": ["token:c1", "token:c2"]}
    drawn = {"datasets": {"rows": [{"label": name} for name in names]}, "encoding": {"sort": names, "scale": scale}}
    resolved = {"domain": names, "range": [LIGHT["c1"], LIGHT["c2"]]}
    assert resolve(drawn | {"color": "token:accent"}) == {
        "datasets": drawn["datasets"],
        "encoding": {"sort": names, "scale": resolved},
        "color": LIGHT["accent"],
    }
    (text,) = re.findall(r"const DATA = (\[.*?\]);", script())
    assert tuple(json.loads(text)) == DATA


def colours(client: TestClient, address: str, name: str) -> dict[str, str]:
    """The colours of a chart's parts."""
    scale = spec(client, address, name)["encoding"]["color"]["scale"]
    return dict(zip(scale["domain"], scale["range"], strict=True))


@pytest.mark.parametrize(("path", "chart"), [("/outcomes", "outcomes"), ("/money", "components")])
def test_a_part_of_a_chart_keeps_its_colour_whatever_the_filter(path: str, chart: str, client: TestClient) -> None:
    whole, chats = colours(client, f"{path}?days=all", chart), colours(client, f"{path}?days=all&channel=chat", chart)
    assert [*whole] != [*chats]
    assert len({*whole.items(), *chats.items()}) == len({*whole, *chats})


def test_a_stage_keeps_its_colour_where_another_is_missing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, read = colours(client, "/speed?days=all", "stages"), stages
    monkeypatch.setattr(
        "pipelines.page.views.speed.speed.stages",
        lambda reader: [row for row in read(reader) if row["stage"] != "recognition"],
    )
    del whole[speed.STAGES["recognition"]]
    assert colours(client, "/speed?days=all", "stages") == whole


@pytest.mark.parametrize(("path", "chart"), [("/", "n_calls"), ("/", "success_rate"), ("/outcomes", "outcomes")])
def test_days_of_two_years_have_their_year(path: str, chart: str, client: TestClient) -> None:
    for last, has_years in (("2026-12-31", False), ("2027-01-01", True)):
        shown = spec(client, f"{path}?from=2026-11-20&to={last}", chart)
        labels = {layer["encoding"]["x"]["axis"]["labelExpr"] for layer in shown.get("layer", [shown])}
        assert labels == {f"utcFormat(toDate(datum.value), '%-d %b{' %Y' if has_years else ''}')"}


@pytest.mark.parametrize(("path", "chart"), [("/speed", "stages"), ("/outcomes", "criteria")])
def test_of_many_agents_the_largest_are_drawn_and_the_table_has_all(
    path: str, chart: str, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = spec(client, f"{path}?days=all", chart)
    monkeypatch.setattr("pipelines.page.chart.MAX_LABELS", 2)
    answer = client.get(f"{path}?days=all").text
    part = spec(client, f"{path}?days=all", chart)
    sizes = dict[str, int]()
    for row in whole["datasets"]["rows"]:
        sizes[row["label"]] = (
            max(row["n"], sizes.get(row["label"], 0)) if chart == "stages" else row["n"] + sizes.get(row["label"], 0)
        )
    largest = sorted(sizes, key=lambda label: (-sizes[label], label))[:2]
    rows = [row for row in whole["datasets"]["rows"] if row["label"] in largest]
    assert (part["datasets"]["rows"], part["height"] < whole["height"]) == (rows, True)
    assert f"; drawn: the 2 largest of {len(sizes)} agents" in answer
    (table,) = re.findall(rf'id="chart-{chart}">.*?<table>(.*?)</table>', answer, re.DOTALL)
    assert len(re.findall("<tr>", table)) == 1 + len(whole["datasets"]["rows"])


def luminance(colour):
    """Relative luminance, as WCAG 2.2 defines it."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour, background):
    low, high = sorted((luminance(colour), luminance(background)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_what_is_drawn_can_be_told_from_what_is_behind_them(scheme):
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    drawn = {name.removeprefix("token:") for name in (*CATEGORIES, *COLOURS.values())} | {"accent", "bad", "neutral"}
    assert [name for name in sorted(drawn) if contrast(scheme[name], scheme["paper"]) < 3] == []
    texts = ("ink", "muted", "accent", "good", "bad", "warn")
    backgrounds = ("paper", "panel")
    assert [(text, at) for text in texts for at in backgrounds if contrast(scheme[text], scheme[at]) < 4.5] == []
