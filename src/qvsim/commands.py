"""The command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from pydantic import ValidationError

from qvsim.faults import FAULT
from qvsim.platform import Addresses, run_platform
from qvsim.process import run_workflow
from qvsim.workflows.catalogue import SPECIFICATIONS

app = typer.Typer(
    help="A simulated trading platform: four workflows that serve metrics, and faults to inject.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
fault = typer.Typer(help="Switch faults on and off.", no_args_is_help=True)
app.add_typer(fault, name="fault")

Host = Annotated[str, typer.Option(help="Address to serve on.")]
Seed = Annotated[int, typer.Option(help="The same seed draws the same chances.")]
Control = Annotated[
    str,
    typer.Option(envvar="QVSIM_CONTROL", help="Where the platform's control door is."),
]
Workflow = Annotated[str, typer.Argument(help=f"One of: {', '.join(SPECIFICATIONS)}.")]


@app.command()
def run(
    base_port: Annotated[
        int, typer.Option(help="Control is served here, workflows on the ports after; 0: any.")
    ] = 9200,
    host: Host = "127.0.0.1",
    seed: Seed = 1,
    port_file: Annotated[
        Path | None, typer.Option(help="Write the addresses here, as JSON, once all serve.")
    ] = None,
    targets_file: Annotated[
        Path | None, typer.Option(help="Write a Prometheus file_sd file here.")
    ] = None,
    *,
    end_with_stdin: Annotated[
        bool, typer.Option("--end-with-stdin", help="Stop when standard input ends.")
    ] = False,
) -> None:
    """Run the whole platform: a process for each workflow, and a control door."""
    addresses = Addresses.assign(host, base_port)
    for name, address in _rows(addresses):
        typer.echo(f"{name:24} {address}")
    try:
        run_platform(addresses, seed, port_file, targets_file, end_with_stdin=end_with_stdin)
    except (OSError, TimeoutError) as error:
        _fail(f"cannot run the platform: {error}")


@app.command()
def workflow(
    name: Workflow,
    port: Annotated[int, typer.Option(help="Port for /metrics.")],
    host: Host = "127.0.0.1",
    seed: Seed = 1,
    supervised: Annotated[
        bool, typer.Option("--supervised", help="Read faults from standard input; end with it.")
    ] = False,
) -> None:
    """Run one workflow by itself."""
    _require_known(name)
    try:
        run_workflow(name, host, port, seed, supervised)
    except OSError as error:
        _fail(f"cannot serve on {host}:{port}: {error}")


@app.command()
def status(control: Control = "http://127.0.0.1:9200") -> None:
    """Show every workflow: its address, its state, what it suffers."""
    columns = ("workflow", "service", "address", "state", "restarts")
    rows: list[dict[str, Any]] = [dict(zip(columns, columns, strict=True))]
    rows[0]["faults"] = []
    rows += _ask("GET", f"{control}/control/status")
    widths = [max(len(str(row[column])) for row in rows) for column in columns]
    for row in rows:
        cells = (f"{row[c]!s:{width}}" for c, width in zip(columns, widths, strict=True))
        faults = ", ".join(_in_words(suffered) for suffered in row["faults"])
        typer.echo(f"{'  '.join(cells)}  {faults}".rstrip())


@fault.command("set")
def set_fault(
    workflow_name: Workflow,
    kind: Annotated[str, typer.Argument(help="latency, errors, feed-gap or crash.")],
    *,
    factor: Annotated[float | None, typer.Option(help="latency: how many times slower.")] = None,
    rate: Annotated[float | None, typer.Option(help="errors: share that fails, 0 to 1.")] = None,
    seconds: Annotated[float | None, typer.Option(help="feed-gap: how long it is silent.")] = None,
    size: Annotated[
        int | None, typer.Option(help="feed-gap: how many messages go missing.")
    ] = None,
    restart_after: Annotated[
        float | None, typer.Option(help="crash: seconds until it restarts (default: when cleared).")
    ] = None,
    control: Control = "http://127.0.0.1:9200",
) -> None:
    """Let a workflow suffer a fault until it is cleared."""
    _require_known(workflow_name)
    given = {
        "kind": kind,
        "factor": factor,
        "rate": rate,
        "seconds": seconds,
        "size": size,
        "restart_after_seconds": restart_after,
    }
    wanted = {key: value for key, value in given.items() if value is not None}
    try:
        body = FAULT.validate_python(wanted).model_dump()
    except ValidationError as error:
        _fail("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()))
    _ask("PUT", f"{control}/control/faults/{workflow_name}", json=body)
    typer.echo(f"{workflow_name} suffers {_in_words(body)}")


@fault.command("clear")
def clear_faults(
    workflow_name: Annotated[str | None, typer.Argument(help="Default: all workflows.")] = None,
    kind: Annotated[str | None, typer.Argument(help="Default: all faults.")] = None,
    control: Control = "http://127.0.0.1:9200",
) -> None:
    """End faults."""
    place = "" if workflow_name is None else f"/{workflow_name}"
    left = _ask("DELETE", f"{control}/control/faults{place}", params={"kind": kind} if kind else {})
    suffering = [name for name, faults in left.items() if faults]
    typer.echo(f"still suffering: {', '.join(suffering) or 'nobody'}")


def _rows(addresses: Addresses) -> list[tuple[str, str]]:
    host = addresses.host
    rows = [("control", f"http://{host}:{addresses.control_port}/control/status")]
    return rows + [(n, f"http://{host}:{port}/metrics") for n, port in addresses.ports.items()]


def _require_known(name: str) -> None:
    if name not in SPECIFICATIONS:
        _fail(f"no workflow {name!r}; there are {', '.join(SPECIFICATIONS)}")


def _in_words(body: dict[str, Any]) -> str:
    details = ", ".join(f"{k} {v}" for k, v in body.items() if k != "kind" and v is not None)
    return f"{body['kind']} ({details})" if details else str(body["kind"])


def _ask(method: str, url: str, **more: Any) -> Any:
    try:
        answer = httpx.request(method, url, timeout=10, trust_env=False, **more)
    except httpx.HTTPError as error:
        _fail(f"no platform answers at {url}: {error}")
    if answer.is_error:
        _fail(answer.json().get("detail", answer.text))
    return answer.json()


def _fail(message: str) -> Any:
    typer.echo(f"qvsim: {message}", err=True)
    raise typer.Exit(1)
