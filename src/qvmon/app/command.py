"""The command line. Each command is a few lines; what it does lives next door.

Modules that only one command needs are imported by it, so that ``--help`` is quick.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated

import typer

from qvmon.model.errors import QvmonError

app = typer.Typer(
    name="qvmon",
    help="Watches a trading platform: collects, evaluates, alerts, runs incidents, proves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
check = typer.Typer(help="Say what is wrong with a file, with line and column.")
ledger = typer.Typer(help="Work on the ledger without a running server.")
app.add_typer(check, name="check")
app.add_typer(ledger, name="ledger")
telemetry = typer.Typer(help="Work on metrics without a running server.")
app.add_typer(telemetry, name="telemetry")

ConfigFile = Annotated[Path | None, typer.Option("--config", help="qvmon's own settings (YAML).")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where everything is kept.")]


def main() -> None:
    """Run the command line; an error we report on purpose is one line, not a traceback."""
    try:
        app()
    except QvmonError as error:
        typer.echo(f"qvmon: {error.message}", err=True)
        raise SystemExit(1) from None


@app.command()
def serve(
    config: ConfigFile = None,
    prometheus_config: Annotated[
        Path | None, typer.Option(help="A prometheus.yml, as it is.")
    ] = None,
    data_dir: DataDir = None,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT to answer on.")] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="What to run here (repeat, or separate by commas).")
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Everybody is an administrator; loopback only.")
    ] = False,
    out_of_order_window: Annotated[
        str | None, typer.Option(help="How old a sample may be, such as 30m or 3650d.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Run qvmon until it is told to stop."""
    gc.disable()  # nothing that a start makes is garbage; switched on again once it has ended
    _compile_once()
    from qvmon.app.serve import serve_until_stopped
    from qvmon.app.settings import Overrides, read_settings

    overrides = Overrides(
        prometheus_config=prometheus_config,
        data_dir=data_dir,
        listen=listen,
        targets=tuple(each for one in target or () for each in one.split(",")),
        no_auth=no_auth,
        out_of_order_window=out_of_order_window,
        log_level=log_level,
    )
    serve_until_stopped(read_settings(config, overrides))


@app.command()
def demo(
    data_dir: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path(
        "data/demo"
    ),
    listen: Annotated[str, typer.Option(help="HOST:PORT to answer on.")] = "127.0.0.1:9090",
) -> None:
    """Watch this host, qvmon itself and a simulated trading platform."""
    gc.disable()  # as above
    _compile_once()
    from qvmon.app.demo import run_demo

    run_demo(data_dir, listen)


@app.command()
def warm() -> None:
    """Compile every kernel now, so that later starts are quick."""
    from qvmon.app.warming import warm_visibly

    warm_visibly()


def _compile_once() -> None:
    """Let a new installation compile before it serves; each query would wait for its kernels."""
    from qvmon.app.warm import is_warm

    if not is_warm():
        from qvmon.app.warming import warm_visibly

        warm_visibly()


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(f"qvmon {installed('quantivista-monitoring')}")


@check.command("config")
def check_config(
    file: Annotated[Path, typer.Argument(help="qvmon's settings, or a prometheus.yml.")],
) -> None:
    """Check settings or a prometheus.yml, and every rule file they name."""
    from qvmon.app.checks import check_configuration

    _report(check_configuration(file))


@check.command("rules")
def check_rules(
    files: Annotated[list[Path], typer.Argument(help="Prometheus rule files.")],
) -> None:
    """Check Prometheus rule files."""
    from qvmon.app.checks import check_rule_files

    _report(check_rule_files(files))


@ledger.command("verify")
def verify_ledger(
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Recompute every hash, signature and table; say where anything was changed."""
    from qvmon.app.ledger_commands import verify_offline
    from qvmon.app.settings import Overrides, read_settings

    result = verify_offline(read_settings(config, Overrides(data_dir=data_dir)))
    for finding in result.findings:
        typer.echo(finding)
    counted = (
        f"{result.facts} facts in {result.chains} chains, {result.roots} signed roots, "
        f"{result.projections} tables"
    )
    if not result.agrees:
        typer.echo(f"the ledger DISAGREES with what was written ({counted})")
        raise typer.Exit(1)
    typer.echo(f"the ledger agrees: {counted}")


@telemetry.command("restore")
def restore_telemetry(
    snapshot: Annotated[
        Path, typer.Argument(help="A directory that the admin API's snapshot made.")
    ],
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Make the metrics of a new data directory of a snapshot, and look whether they can be read."""
    from qvmon.app.settings import Overrides, read_settings
    from qvmon.app.telemetry_commands import restore_offline

    restored = restore_offline(snapshot, read_settings(config, Overrides(data_dir=data_dir)))
    for warning in restored.warnings:
        typer.echo(f"{warning} (warning)")
    typer.echo(
        f"restored {restored.samples} samples of {restored.series} series, {restored.blocks} blocks"
    )


def _report(lines: tuple[list[str], list[str]]) -> None:
    warnings, problems = lines
    for warning in warnings:
        typer.echo(f"{warning} (warning)")
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo("valid")
