"""What child processes say about themselves, through their parent."""

from __future__ import annotations

from qvmon.model.metrics import counter, gauge

STARTS = counter(
    "qvmon_analysis_starts_total", "Child processes that were started, by their work.", "work"
)
DEATHS = counter("qvmon_analysis_deaths_total", "Child processes that died during a task.", "work")
TASKS = counter(
    "qvmon_analysis_tasks_total",
    "Tasks given to child processes, by outcome.",
    "work",
    "outcome",
)
SECONDS = counter("qvmon_analysis_seconds_total", "Time that tasks took.", "work")
RUNNING = gauge("qvmon_analysis_running_processes", "Child processes that are there.", "work")
