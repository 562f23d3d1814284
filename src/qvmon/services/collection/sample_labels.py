"""From the labels a target exposes to the labels that are stored. Pure.

Source: Prometheus, scrape/scrape.go (mutateSampleLabels, verifyLabelLimits).
"""

from __future__ import annotations

from dataclasses import dataclass

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.labels import METRIC_NAME, Labels
from qvmon.relabel import relabel
from qvmon.wire.prometheus_scrape import ScrapeConfig

EXPORTED = "exported_"


@dataclass(frozen=True, slots=True)
class LabelPath:
    """The way every new series of one target goes."""

    target: Labels
    job: ScrapeConfig

    def stored(self, exposed: Labels) -> Labels | None:
        """Return the labels under which a series is stored, or nothing when it is dropped.

        Raises:
            QvmonError: INVALID for a series without a name, EXHAUSTED for a label limit.
        """
        labels = relabel(self._merged(exposed), self.job.metric_rules)
        if not labels:
            return None
        if METRIC_NAME not in labels:
            raise invalid("missing metric name (__name__ label)")
        self._check_limits(labels)
        return labels

    def _merged(self, exposed: Labels) -> dict[str, str]:
        own, target = dict(exposed.pairs()), dict(self.target.pairs())
        if self.job.honor_labels:
            return {**target, **own}
        merged = {**own, **target}
        for name in sorted(own.keys() & target.keys(), key=len):
            renamed = EXPORTED + name
            while renamed in merged:
                renamed = EXPORTED + renamed
            merged[renamed] = own[name]
        return merged

    def _check_limits(self, labels: Labels) -> None:
        job, metric = self.job, labels[METRIC_NAME][:50]
        if 0 < job.label_limit < len(labels):
            raise _exceeded(
                "label_limit",
                f"metric: {metric}, number of labels: {len(labels)}, limit: {job.label_limit}",
            )
        if job.label_name_length_limit or job.label_value_length_limit:
            for name, value in labels.pairs():
                self._check_lengths(metric, name, value)

    def _check_lengths(self, metric: str, name: str, value: str) -> None:
        job = self.job
        if 0 < job.label_name_length_limit < len(name.encode()):
            raise _exceeded(
                "label_name_length_limit",
                f"metric: {metric}, label name: {name[:50]}, length: {len(name.encode())}, "
                f"limit: {job.label_name_length_limit}",
            )
        if 0 < job.label_value_length_limit < len(value.encode()):
            raise _exceeded(
                "label_value_length_limit",
                f'metric: {metric}, label name: {name[:50]}, value: "{value[:50]}", '
                f"length: {len(value.encode())}, limit: {job.label_value_length_limit}",
            )


def _exceeded(limit: str, details: str) -> QvmonError:
    return QvmonError(ErrorKind.EXHAUSTED, f"{limit} exceeded ({details})", limit=limit)
