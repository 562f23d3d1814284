"""What the child process says about itself, through its parent."""

from __future__ import annotations

from qvmon.model.metrics import counter, gauge

STARTS = counter("qvmon_analysis_starts_total", "Child processes that were started.")
DEATHS = counter("qvmon_analysis_deaths_total", "Child processes that died during a task.")
TASKS = counter(
    "qvmon_analysis_tasks_total", "Tasks given to the child process, by outcome.", "outcome"
)
SECONDS = counter("qvmon_analysis_seconds_total", "Time that tasks took.")
RUNNING = gauge("qvmon_analysis_running_processes", "Child processes that are there.")
