"""Settings: one file, the command line over it, secrets by reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from qvmon.app.settings import Overrides, Settings, read_settings
from qvmon.model.errors import QvmonError
from qvmon.wire.yaml_document import DocumentError

MAIL = "{host: localhost, sender: a@example.org, recipients: [b@example.org], password: 'env:HUSH'}"


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "qvmon.yml"
    file.write_text(text)
    return file


def test_every_default_is_usable() -> None:
    settings = Settings()
    assert settings.public_url == "http://127.0.0.1:9090"
    assert set(settings.modules) >= {"collection", "alerting", "incidents", "distribution", "api"}


def test_without_a_file_only_what_prometheus_names_is_watched() -> None:
    plain = read_settings(None, Overrides(prometheus_config=Path("prometheus.yml")))
    assert (plain.local.host, plain.local.qvmon) == (False, False)
    assert plain.alerting.unknown_hold_seconds == 0


def test_paths_are_taken_from_the_files_directory(tmp_path: Path) -> None:
    file = written(tmp_path, "data_dir: here\nprometheus_config: p.yml\n")
    settings = read_settings(file, Overrides())
    assert settings.data_dir == tmp_path / "here"
    assert settings.prometheus_config == tmp_path / "p.yml"


def test_the_command_line_has_the_last_word(tmp_path: Path) -> None:
    file = written(tmp_path, "data_dir: here\napi: {port: 1, no_auth: false}\n")
    overrides = Overrides(
        data_dir=Path("/there"),
        listen="[::1]:9191",
        targets=("collection",),
        no_auth=True,
        out_of_order_window="3650d",
        log_level="debug",
    )
    settings = read_settings(file, overrides)
    assert settings.data_dir == Path("/there")
    assert (settings.api.host, settings.api.port, settings.api.no_auth) == ("::1", 9191, True)
    assert settings.telemetry.out_of_order_window_seconds == 3650 * 86400
    assert (settings.targets, settings.log_level) == (("collection",), "debug")


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        (Overrides(listen="nowhere"), "--listen takes HOST:PORT"),
        (Overrides(listen=":9090", no_auth=True), "no_auth is refused on 0.0.0.0"),
        (Overrides(targets=("colection",)), "unknown target 'colection'"),
        (Overrides(out_of_order_window="soon"), "soon"),
        (Overrides(log_level="loud"), "log_level"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_refused(overrides: Overrides, complaint: str) -> None:
    with pytest.raises(QvmonError) as refused:
        read_settings(None, overrides)
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("surprise: 1\n", "1:1: surprise: unknown field"),
        ("api:\n  port: lots\n", "2:3: api.port: "),
        ("- a\n", "1:1: settings are a mapping"),
        ("alerting: {route: {receivers: [nobody]}}\n", "'nobody', which is not configured"),
        ("receivers: [{name: a}]\n", "has neither webhooks nor emails"),
        (
            f"receivers: [{{name: a, emails: [{MAIL}]}}, {{name: a, emails: [{MAIL}]}}]",
            "two receivers",
        ),
        ("api: {\n", "2:1: "),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(DocumentError) as refused:
        read_settings(written(tmp_path, text), Overrides())
    assert complaint in str(refused.value)


def test_secrets_are_resolved_wherever_they_stand_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUSH", "the secret")
    file = written(tmp_path, f"receivers: [{{name: a, emails: [{MAIL}]}}]\n")
    settings = read_settings(file, Overrides())
    assert settings.receivers[0].emails[0].password.get_secret_value() == "the secret"
    assert "the secret" not in repr(settings)


def test_a_secret_in_the_open_is_refused_by_its_place(tmp_path: Path) -> None:
    mail = MAIL.replace("env:HUSH", "in the open")
    file = written(tmp_path, f"receivers: [{{name: a, emails: [{mail}]}}]\n")
    with pytest.raises(
        DocumentError, match=r":1:\d+: receivers\.0\.emails\.0\.password"
    ) as refused:
        read_settings(file, Overrides())
    assert "in the open" not in str(refused.value).replace("not in the open", "")


def test_the_example_of_a_real_installation_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QVMON_PAGER_TOKEN", "QVMON_SMTP_PASSWORD", "QVMON_PULSAR_TOKEN"):
        monkeypatch.setenv(name, "x")
    example = Path(__file__).parents[3] / "examples" / "quantivista"
    settings = read_settings(example / "qvmon.yml", Overrides())
    assert settings.alerting.route.receivers == ("oncall",)
    assert read_settings(example / "demo.yml", Overrides()).instance == "demo"
