"""``prometheus.yml`` is read as Prometheus reads it, and what is wrong is told with its place."""

import pytest

from qvmon.model.labels import Labels
from qvmon.model.ports import TlsOptions
from qvmon.relabel import Action, RelabelRule
from qvmon.wire.prometheus_config import PrometheusConfig, decode_prometheus_config
from qvmon.wire.prometheus_fields import Secret, parse_size
from qvmon.wire.prometheus_scrape import DEFAULT_PROTOCOLS, ScrapeConfig, ScrapeProtocol
from qvmon.wire.yaml_document import DocumentError

EXAMPLE = """\
# my global config
global:
  scrape_interval: 15s # every 15 seconds
  evaluation_interval: 30s
  external_labels:
    monitor: codelab
    version: 1.10
    zone: ${ZONE}-$$x

alerting:
  alertmanagers:
    - static_configs:
        - targets: []

rule_files:
  - first.rules
  - "my/*.rules"
  - /etc/all.rules

scrape_configs:
  - job_name: "prometheus"
    static_configs:
      - targets: ["localhost:9090"]
        labels:
          app: prometheus
  - job_name: everything
    honor_labels: true
    honor_timestamps: false
    scrape_interval: 1m30s
    scrape_timeout: 5s
    metrics_path: /probe
    scheme: https
    params:
      module: [http_2xx]
    sample_limit: 1000
    body_size_limit: 10MB
    basic_auth:
      username: admin
      password: hunter2
    tls_config:
      ca_file: ca.pem
      insecure_skip_verify: true
    file_sd_configs:
      - files: [targets/*.json, /abs/x.yml]
        refresh_interval: 10m
    relabel_configs:
      - source_labels: [__address__]
        regex: (.*):80
        target_label: instance
    metric_relabel_configs:
      - source_labels: [__name__]
        regex: expensive.*
        action: Drop
    kubernetes_sd_configs:
      - role: pod
    proxy_url: http://proxy
"""


def decode(text: str, file: str = "/etc/prometheus.yml", **environment: str) -> PrometheusConfig:
    return decode_prometheus_config(text, file, environment)


def job(text: str) -> ScrapeConfig:
    """Return the one job that ``text`` (its keys after job_name) describes."""
    lines = "".join(f"  {line}\n" for line in text.strip().splitlines())
    return decode(f"scrape_configs:\n- job_name: j\n{lines}").scrape_configs[0]


def refused(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        decode(text, "p.yml")
    return str(caught.value)


@pytest.fixture(scope="module")
def example() -> PrometheusConfig:
    return decode(EXAMPLE, ZONE="eu")


def test_globals_are_read(example: PrometheusConfig) -> None:
    assert example.defaults.scrape_interval_ms == 15_000
    assert example.defaults.evaluation_interval_ms == 30_000


def test_external_labels_stay_text_and_take_variables(example: PrometheusConfig) -> None:
    assert example.external_labels == Labels(monitor="codelab", version="1.10", zone="eu-$x")


def test_paths_are_taken_from_the_files_directory(example: PrometheusConfig) -> None:
    assert example.rule_files == ("/etc/first.rules", "/etc/my/*.rules", "/etc/all.rules")
    everything = example.scrape_configs[1]
    assert everything.file_sd_configs[0].files == ("/etc/targets/*.json", "/abs/x.yml")
    assert everything.tls_config.ca_file == "/etc/ca.pem"


def test_a_job_has_prometheus_defaults(example: PrometheusConfig) -> None:
    simple = example.scrape_configs[0]
    assert simple.job_name == "prometheus"
    assert (simple.scrape_interval_ms, simple.scrape_timeout_ms) == (15_000, 10_000)
    assert (simple.scheme, simple.metrics_path, simple.params) == ("http", "/metrics", {})
    assert (simple.honor_labels, simple.honor_timestamps) == (False, True)
    assert simple.enable_compression
    assert simple.follow_redirects
    assert simple.scrape_protocols == DEFAULT_PROTOCOLS
    assert simple.static_configs[0].targets == ("localhost:9090",)
    assert simple.static_configs[0].labels == {"app": "prometheus"}


def test_a_job_says_otherwise(example: PrometheusConfig) -> None:
    full = example.scrape_configs[1]
    assert (full.scrape_interval_ms, full.scrape_timeout_ms) == (90_000, 5_000)
    assert (full.honor_labels, full.honor_timestamps) == (True, False)
    assert (full.scheme, full.metrics_path) == ("https", "/probe")
    assert full.params == {"module": ("http_2xx",)}
    assert (full.sample_limit, full.body_size_limit_bytes) == (1000, 10 << 20)
    assert full.file_sd_configs[0].refresh_interval_ms == 600_000
    assert full.tls_config.options() == TlsOptions("/etc/ca.pem", insecure_skip_verify=True)
    assert full.target_rules == (
        RelabelRule(source_labels=("__address__",), regex="(.*):80", target_label="instance"),
    )
    assert full.metric_rules[0].action is Action.DROP


def test_secrets_are_never_shown(example: PrometheusConfig) -> None:
    auth = example.scrape_configs[1].basic_auth
    assert auth is not None
    assert auth.password.value == "hunter2"
    assert "hunter2" not in f"{example!r} {example} {auth.model_dump()} {Secret('hunter2')}"
    assert str(auth.password) == "***"


def test_what_is_not_supported_is_named_with_its_place(example: PrometheusConfig) -> None:
    assert [str(warning) for warning in example.warnings] == [
        "/etc/prometheus.yml:10:1: alerting is not supported yet and has no effect",
        "/etc/prometheus.yml:54:5: kubernetes_sd_configs is not supported yet and has no effect",
        "/etc/prometheus.yml:56:5: proxy_url is not supported yet and has no effect",
    ]


def test_an_empty_file_is_a_configuration() -> None:
    config = decode("")
    assert config.scrape_configs == ()
    assert config.defaults.scrape_interval_ms == 60_000
    assert config.defaults.evaluation_interval_ms == 60_000


def test_empty_sections_have_their_defaults() -> None:
    config = decode("global:\nrule_files:\nscrape_configs:\n- job_name: j\n  static_configs:\n")
    assert config.scrape_configs[0].scrape_interval_ms == 60_000


def test_jobs_inherit_limits_and_a_zero_is_no_word() -> None:
    text = """
global:
  sample_limit: 5
  label_limit: 6
  body_size_limit: 1KB
  scrape_protocols: [PrometheusText0.0.4]
  extra_scrape_metrics: true
scrape_configs:
- {job_name: a}
- {job_name: b, sample_limit: 0, label_limit: 7, extra_scrape_metrics: false}
"""
    a, b = decode(text).scrape_configs
    assert (a.sample_limit, a.label_limit, a.body_size_limit_bytes) == (5, 6, 1024)
    assert (b.sample_limit, b.label_limit, b.body_size_limit_bytes) == (5, 7, 1024)
    assert a.scrape_protocols == (ScrapeProtocol.TEXT_0_0_4,)
    assert (a.extra_scrape_metrics, b.extra_scrape_metrics) == (True, False)


@pytest.mark.parametrize(
    ("global_", "own", "timeout_ms"),
    [
        ("{}", "scrape_interval: 5s", 5_000),
        ("{scrape_interval: 5s}", "scheme: http", 5_000),
        ("{scrape_timeout: 3s}", "scheme: http", 3_000),
        ("{scrape_timeout: 30s}", "scrape_interval: 20s", 20_000),
        ("{scrape_timeout: 3s}", "scrape_timeout: 4s", 4_000),
    ],
)
def test_timeouts_default_to_the_smaller_of_global_and_interval(global_, own, timeout_ms) -> None:
    text = f"global: {global_}\nscrape_configs:\n- job_name: j\n  {own}\n"
    assert decode(text).scrape_configs[0].scrape_timeout_ms == timeout_ms


def test_numbers_where_text_is_wanted_stay_as_written() -> None:
    found = job(
        """
static_configs: [{targets: ['a:1'], labels: {v: 1.10, on: true, day: 2024-01-01, n: 010}}]
relabel_configs: [{target_label: a, replacement: 1.50}]
"""
    )
    assert found.static_configs[0].labels == {
        "v": "1.10",
        "on": "true",
        "day": "2024-01-01",
        "n": "010",
    }
    assert found.target_rules[0].replacement == "1.50"


def test_an_empty_regex_matches_only_nothing() -> None:
    (rule,) = job("relabel_configs: [{regex: , target_label: a, replacement: b}]").target_rules
    assert rule.regex == ""


def test_anchors_and_merges_work() -> None:
    text = """
scrape_configs:
- &first {job_name: a, scrape_interval: 7s}
- <<: *first
  job_name: b
"""
    assert [each.scrape_interval_ms for each in decode(text).scrape_configs] == [7000, 7000]


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("0", 0),
        ("1B", 1),
        ("10MB", 10 << 20),
        ("10MiB", 10 << 20),
        ("1.5KB", 1536),
        ("2GB", 2 << 30),
    ],
)
def test_sizes_are_powers_of_1024(text: str, bytes_: int) -> None:
    assert parse_size(text) == bytes_


WRONG = {
    "foo: 1": "p.yml:1:1: foo: unknown field",
    "global:\n  scrape_intervall: 5s": "p.yml:2:3: scrape_intervall: unknown field",
    "global:\n  scrape_interval: soon": (
        'p.yml:2:3: scrape_interval: not a valid duration string: "soon"'
    ),
    "global: {scrape_interval: 5s, scrape_timeout: 6s}": (
        "p.yml:1:1: global scrape timeout greater than scrape interval"
    ),
    "global: 5": "p.yml:1:1: Input should be a valid dictionary",
    "scrape_configs: 5": "p.yml:1:1: scrape_configs: Input should be a valid list",
    "scrape_configs:\n- job_name: a\n- job_name: a": (
        'p.yml:3:3: found multiple scrape configs with job name "a"'
    ),
    "scrape_configs:\n- scheme: http": "p.yml:2:3: job_name: Field required",
    "scrape_configs:\n-": "p.yml:2:2: ",
    "scrape_configs:\n- job_name: ''": "p.yml:2:3: job_name: String should have at least 1",
    "scrape_configs:\n- job_name: a\n  scrape_interval: 5s\n  scrape_timeout: 6s": (
        "p.yml:2:3: scrape timeout greater than scrape interval"
    ),
    "scrape_configs:\n- job_name: a\n  scrape_interval: 5x": (
        'p.yml:3:3: scrape_interval: unknown unit "x" in duration "5x"'
    ),
    "scrape_configs:\n- job_name: a\n  consult_sd_configs: []": (
        "p.yml:3:3: consult_sd_configs: unknown field"
    ),
    "scrape_configs:\n- job_name: a\n  sample_limit: -1": "p.yml:3:3: sample_limit: ",
    "scrape_configs:\n- job_name: a\n  sample_limit: many": "p.yml:3:3: sample_limit: ",
    "scrape_configs:\n- job_name: a\n  body_size_limit: 100": (
        'p.yml:3:3: body_size_limit: not a valid size: "100"'
    ),
    "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - regex: abc(def\n    target_label: a": (
        "p.yml:4:5: relabel_configs.0: bad regular expression 'abc(def'"
    ),
    "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - action: explode": (
        'p.yml:4:5: relabel_configs.0: unknown relabel action "explode"'
    ),
    "scrape_configs:\n- job_name: a\n  metric_relabel_configs:\n  - {action: hashmod}": (
        "p.yml:4:5: metric_relabel_configs.0: relabel configuration for hashmod requires non-zero"
    ),
    "scrape_configs:\n- job_name: a\n  metric_relabel_configs:\n  -": "p.yml:4:4: metric_relabel",
    "scrape_configs:\n- job_name: a\n  static_configs:\n  - targets: ['http://x']": (
        'p.yml:2:3: "http://x" is not a valid hostname'
    ),
    "scrape_configs:\n- job_name: a\n  file_sd_configs:\n  - files: [x.txt]": (
        "p.yml:4:5: file_sd_configs.0: path name "
    ),
    "scrape_configs:\n- job_name: a\n  file_sd_configs:\n  - files: []": (
        "p.yml:4:5: file_sd_configs"
    ),
    "scrape_configs:\n- job_name: a\n  bearer_token: x\n  bearer_token_file: y": (
        "p.yml:2:3: at most one of bearer_token & bearer_token_file must be configured"
    ),
    "scrape_configs:\n- job_name: a\n  bearer_token: x\n  basic_auth: {username: u}": (
        "p.yml:2:3: at most one of basic_auth"
    ),
    "scrape_configs:\n- job_name: a\n  basic_auth: {password: x, password_file: y}": (
        "p.yml:3:3: basic_auth: at most one of password & password_file must be configured"
    ),
    "scrape_configs:\n- job_name: a\n  authorization: {type: Basic, credentials: x}": (
        "p.yml:3:3: authorization: authorization type cannot be set to"
    ),
    "scrape_configs:\n- job_name: a\n  tls_config: {cert_file: x}": "p.yml:3:3: tls_config: ",
    "scrape_configs:\n- job_name: a\n  scrape_protocols: [Smoke]": (
        "p.yml:3:22: scrape_protocols.0: "
    ),
    "rule_files:\n- my/*/rule": 'p.yml:2:3: invalid rule file path "my/*/rule"',
    "scrape_configs: []\nscrape_configs: []": "p.yml:2:1: found duplicate key",
    "scrape_configs: [": "p.yml:1:18: ",
}


@pytest.mark.parametrize(("text", "sentence"), WRONG.items())
def test_what_prometheus_refuses_is_refused_with_its_place(text: str, sentence: str) -> None:
    assert refused(text).startswith(sentence)


def test_everything_wrong_is_told_at_once_in_order() -> None:
    text = """
global: {scrape_interval: soon}
foo: 1
scrape_configs:
- job_name: a
  scrape_timeout: later
- job_name: b
  bar: 2
"""
    lines = refused(text).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "p.yml:2:10",
        "p.yml:3:1",
        "p.yml:6:3",
        "p.yml:8:3",
    ]


def test_a_wrong_secret_is_not_shown_in_the_error() -> None:
    text = "scrape_configs:\n- job_name: a\n  basic_auth: {password: [hunter2]}"
    assert "hunter2" not in refused(text)


def test_protobuf_alone_is_named_as_unsupported() -> None:
    config = decode("scrape_configs: [{job_name: a, scrape_protocols: [PrometheusProto]}]")
    assert "PrometheusProto is not supported yet" in str(config.warnings[0])
