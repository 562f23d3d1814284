"""The supervisor's REST door: which faults there are, set one, clear some."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, FastAPI, Request, status
from fastapi.responses import JSONResponse

from qvsim.faults import Fault, FaultKind
from qvsim.supervisor import Supervisor, UnfitFaultError, UnknownWorkflowError, WorkflowStatus


def control_application(supervisor: Supervisor) -> FastAPI:
    """Return the application that serves ``/control``."""
    app = FastAPI(title="qvsim control", docs_url=None, redoc_url=None)

    @app.exception_handler(UnknownWorkflowError)
    def unknown(_: Request, error: UnknownWorkflowError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status.HTTP_404_NOT_FOUND)

    @app.exception_handler(UnfitFaultError)
    def unfit(_: Request, error: UnfitFaultError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status.HTTP_400_BAD_REQUEST)

    @app.get("/control/status")
    def get_status() -> list[WorkflowStatus]:
        return supervisor.status()

    @app.get("/control/faults")
    def get_faults() -> dict[str, list[Fault]]:
        return {each.workflow: each.faults for each in supervisor.status()}

    @app.put("/control/faults/{workflow}")
    async def put_fault(
        workflow: str, fault: Annotated[Fault, Body(discriminator="kind")]
    ) -> dict[str, list[Fault]]:
        supervisor.set_fault(workflow, fault)
        return get_faults()

    @app.delete("/control/faults")
    async def delete_all() -> dict[str, list[Fault]]:
        supervisor.clear_faults()
        return get_faults()

    @app.delete("/control/faults/{workflow}")
    async def delete_faults(workflow: str, kind: FaultKind | None = None) -> dict[str, list[Fault]]:
        supervisor.clear_faults(workflow, kind)
        return get_faults()

    return app
