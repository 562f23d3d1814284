"""What Grafana's Prometheus data source asks, asked as it asks it.

Each test names the file that makes the request: ``pkg/promlib`` or ``packages/grafana-prometheus``
of grafana/grafana-prometheus-datasource, where grafana/grafana had it before, as of release 13.2.3.
``tests/differential/grafana`` runs Grafana's own code against qvmon and Prometheus, by hand.
"""

from __future__ import annotations

import json

import httpx
import numpy as np
import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.model.exemplars import Exemplar
from qvmon.model.labels import Labels
from qvmon.model.series import MetricMetadata
from tests.unit.api.conftest import House, house

__all__ = ["house"]

LATENCY = {"__name__": "latency_seconds_bucket", "job": "router", "le": "0.5"}
DOTTED = {"__name__": "http.requests", "job": "router", "http.status": "200"}


@pytest.fixture
async def grafana(house: House) -> httpx.AsyncClient:
    """Grafana's backend: it asks with a token, and takes gzip as Go's client does."""
    now = house.now_ms
    times = (now - 15_000 * np.arange(240)[::-1]).tolist()
    for labels in (LATENCY, {**LATENCY, "le": "+Inf"}, DOTTED):
        await house.write({json.dumps(labels): [(at, float(i)) for i, at in enumerate(times)]})
    house.describe(MetricMetadata("latency_seconds", "histogram", "Time to a fill.", "seconds"))
    exemplar = Exemplar(Labels(traceID="abc"), 0.25, now - 60_000)
    house.exemplars.keep([(Labels(LATENCY).encode(), exemplar)])
    client = await house.program("viewer", create_app(house.ports(), ApiConfig()))
    client.headers["Accept-Encoding"] = "gzip"
    client.headers["User-Agent"] = "Grafana/12.0.0"
    return client


def window(house: House) -> dict[str, str]:
    return {"start": str(house.now_ms / 1000 - 3600), "end": str(house.now_ms / 1000)}


async def get(client: httpx.AsyncClient, path: str, **asked: str):
    answer = await client.get(f"/api/v1/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["data"]


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_saving_the_data_source_asks_one_plus_one(grafana, method: str) -> None:
    """pkg/promlib/healthcheck.go: an instant query at 4 s, before there was anything."""
    asked = {"query": "1+1", "time": "4"}
    where = {"data": asked} if method == "POST" else {"params": asked}
    answer = await grafana.request(method, "/api/v1/query", **where)
    assert answer.json() == {
        "status": "success",
        "data": {"resultType": "scalar", "result": [4, "2"]},
    }


async def test_it_looks_like_a_prometheus_of_today(grafana) -> None:
    """pkg/promlib/heuristics.go: without ``features`` it is no Mimir, so rules are only read.

    packages/grafana-prometheus/src/configuration: the version opens newer requests.
    """
    told = await get(grafana, "status/buildinfo")
    assert "features" not in told
    assert tuple(map(int, told["version"].split("."))) >= (3, 0, 0)


async def test_a_panel_posts_a_range_query(grafana, house: House) -> None:
    """pkg/promlib/client/client.go: a form; step and timeout in seconds without a unit."""
    asked = {"query": "rate(latency_seconds_bucket[1m])", "step": "15", "timeout": "60"}
    answer = await grafana.post("/api/v1/query_range", data={**asked, **window(house)})
    content = answer.json()["data"]
    assert content["resultType"] == "matrix"
    assert {series["metric"]["le"] for series in content["result"]} == {"0.5", "+Inf"}
    assert answer.headers["content-encoding"] == "gzip"


async def test_the_type_of_a_result_stands_before_it(grafana, house: House) -> None:
    """pkg/promlib/converter/prom.go: answers are decoded as a stream, in one pass.

    A result whose type is not known yet would be lost.
    """
    for path, more in (("query", {"stats": "all"}), ("query_range", {"step": "15"})):
        asked = {"query": "latency_seconds_bucket", **more, **window(house)}
        text = (await grafana.get(f"/api/v1/{path}", params=asked)).text
        assert text.startswith('{"status":"success","data":{"resultType":"')
        assert text.index('"resultType"') < text.index('"result":')


async def test_a_wrong_query_is_an_error_that_can_be_shown(grafana) -> None:
    """pkg/promlib/querydata/response.go: ``error`` and ``errorType`` of the body are shown."""
    answer = await grafana.post("/api/v1/query", data={"query": "sum("})
    told = answer.json()
    assert (answer.status_code, told["status"], told["errorType"]) == (400, "error", "bad_data")
    assert "parse error" in told["error"]


async def test_resources_are_posted_and_fall_back_to_get(grafana, house: House) -> None:
    """pkg/promlib/client/client.go QueryResource: POST, then GET after a 405 or a 400."""
    form = {"match[]": '{job="router"}', "limit": "40000", **window(house)}
    for path in ("labels", "series"):
        posted = await grafana.post(f"/api/v1/{path}", data=form)
        assert posted.status_code == 200
        assert posted.json() == (await grafana.get(f"/api/v1/{path}", params=form)).json()
    refused = await grafana.post("/api/v1/label/job/values", data=form)
    assert refused.status_code == 405
    assert await get(grafana, "label/job/values", **form) == ["router"]


async def test_lists_end_at_the_limit_and_say_so(grafana, house: House) -> None:
    """packages/grafana-prometheus/src/resource_clients.ts: every list has a limit."""
    asked = {"limit": "1", "match[]": '{__name__!=""}', **window(house)}
    for path in ("labels", "label/__name__/values", "series"):
        answer = (await grafana.get(f"/api/v1/{path}", params=asked)).json()
        assert len(answer["data"]) == 1
        assert answer["warnings"] == ["results truncated due to limit"]


async def test_names_with_dots_are_asked_for_in_escaped_form(grafana, house: House) -> None:
    """packages/grafana-prometheus/src/utf8_support.ts escapeForUtf8Support."""
    values = await get(grafana, "label/U__http_2e_status/values", **window(house))
    assert values == ["200"]
    found = await get(grafana, "query", query='{"http.requests","http.status"="200"}')
    assert found["result"][0]["metric"] == DOTTED


async def test_the_metrics_browser_gets_types_and_help(grafana) -> None:
    """packages/grafana-prometheus/src/language_provider.ts queryMetricsMetadata."""
    told = await get(grafana, "metadata", limit="40000")
    expected = {"type": "histogram", "help": "Time to a fill.", "unit": "seconds"}
    assert told["latency_seconds"] == [expected]


async def test_exemplars_are_dots_on_a_panel(grafana, house: House) -> None:
    """pkg/promlib/querydata/request.go exemplarQuery and converter/prom.go readExemplarData."""
    query = "histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[1m])))"
    answer = await grafana.post("/api/v1/query_exemplars", data={"query": query, **window(house)})
    (series,) = answer.json()["data"]
    assert series["seriesLabels"] == LATENCY
    (dot,) = series["exemplars"]
    assert (dot["labels"], dot["value"]) == ({"traceID": "abc"}, "0.25")
    assert dot["timestamp"] == house.now_ms / 1000 - 60


async def test_variables_are_filled_from_series_and_results(grafana, house: House) -> None:
    """packages/grafana-prometheus/src/metric_find_query.ts: label_values, query_result, metrics."""
    narrowed = {"match[]": "latency_seconds_bucket", **window(house)}
    assert await get(grafana, "label/le/values", **narrowed) == ["+Inf", "0.5"]
    result = await get(grafana, "query", query='count(latency_seconds_bucket{job="router"})')
    assert result["resultType"] == "vector"
    assert result["result"][0]["value"][1] == "2"


async def test_alert_rules_are_listed_in_pages(grafana) -> None:
    """public/app/features/alerting/unified/api/prometheusApi.ts: groups in pages of a limit."""
    assert await get(grafana, "rules", group_limit="40", limit_alerts="16") == {"groups": []}


async def test_a_query_is_formatted_and_taken_apart(grafana) -> None:
    """packages/grafana-prometheus/src/querybuilder: the button that formats a query."""
    assert await get(grafana, "format_query", query="sum(up)by(job)") == "sum by (job) (up)"
    assert (await get(grafana, "parse_query", query="up"))["type"] == "vectorSelector"


async def test_opening_the_data_source_asks_for_rules_and_exemplars(grafana, house: House) -> None:
    """packages/grafana-prometheus/src/datasource.ts: times of exemplars come in milliseconds."""
    assert await get(grafana, "rules") == {"groups": []}
    times = {"start": str(house.now_ms - 1_800_000), "end": str(house.now_ms)}
    answer = await grafana.post("/api/v1/query_exemplars", data={"query": "test", **times})
    assert answer.json() == {"status": "success", "data": []}


async def test_an_old_server_is_asked_for_series_only(grafana, house: House) -> None:
    """packages/grafana-prometheus/src/resource_clients.ts SeriesApiClient, by settings."""
    form = {"match[]": '{"http.status"!=""}', "limit": "40000", **window(house)}
    answer = await grafana.post("/api/v1/series", data=form)
    assert answer.json()["data"] == [DOTTED]


async def test_a_variable_of_a_metric_name_asks_for_labels_by_a_pattern(
    grafana, house: House
) -> None:
    """packages/grafana-prometheus/src/metric_find_query.ts: label_names(match), metrics(match)."""
    asked = {"match[]": '{__name__=~".*latency.*"}', "limit": "40000", **window(house)}
    assert await get(grafana, "labels", **asked) == ["__name__", "job", "le"]
    asked["match[]"] = '{__name__=~"latency.+"}'
    assert await get(grafana, "label/__name__/values", **asked) == ["latency_seconds_bucket"]


async def test_words_are_completed_by_the_search_endpoints(grafana, house: House) -> None:
    """packages/grafana-prometheus/src/search_api_client.ts, where the settings say so."""
    asked = {
        "search[]": "latncy",
        "sort_by": "score",
        "fuzz_threshold": "80",
        "fuzz_alg": "jarowinkler",
        "case_sensitive": "false",
        "limit": "10000",
        "batch_size": "1000",
        "include_metadata": "true",
        **window(house),
    }
    answer = await grafana.get("/api/v1/search/metric_names", params=asked)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    (batch, trailer) = map(json.loads, answer.text.splitlines())
    described = {"type": "histogram", "help": "Time to a fill.", "unit": "seconds"}
    assert batch == {"results": [{"name": "latency_seconds_bucket", **described}]}
    assert trailer == {"status": "success", "has_more": False}
