"""Metrics of a run for Prometheus, as the text that node_exporter's textfile collector reads.

Labels are those that a person asks by: the certificate and its account, nothing that changes with each renewal. What a
run of one command writes keeps what runs of others wrote of themselves, so that one file may serve them all.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from reconciler.errors import ExitCode
from reconciler.model.policy import Policy
from reconciler.planning.health import Level, Work, level_of, work_of
from reconciler.planning.plan import Plan
from reconciler.planning.steps import Phase

_LEVELS = {Level.OK: 0, Level.WARN: 1, Level.CRITICAL: 2}
_WITH_ORDER = frozenset({Phase.ORDERED, Phase.VALIDATING, Phase.ISSUED})
_SUCCESS = frozenset({ExitCode.DONE, ExitCode.UNDER_WAY})
_OF_CERTIFICATE = ("certificate", "account")

_LAST_RUN = "certrecon_last_run_timestamp_seconds"
_LAST_SUCCESS = "certrecon_last_success_timestamp_seconds"
_EXIT_CODE = "certrecon_last_run_exit_code"
_OF_RUNS = {
    _LAST_RUN: "When the command ran last, in service time.",
    _LAST_SUCCESS: "When the command last ended with 0, or with 3: work is under way.",
    _EXIT_CODE: "How the command ended last.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The run that metrics are of. `before` is what the file held until now."""

    command: str
    exit_code: ExitCode
    tool_version: str
    before: str = ""


def metrics_text(plan: Plan, policy: Policy, ran: Ran) -> str:
    """Return the metrics of the last look of a run."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families([*_certificates(plan, policy), *_counts(plan), *_guards(plan), *_runs(plan, ran)]))
    return generate_latest(registry).decode("utf-8")


class _Families(Collector):
    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families


def _certificates(plan: Plan, policy: Policy) -> Iterator[GaugeMetricFamily]:
    expiry = GaugeMetricFamily(
        "certrecon_certificate_expiry_timestamp_seconds",
        "When what production serves ends: of a pair, the earlier. Missing where it serves nothing.",
        labels=_OF_CERTIFICATE,
    )
    due = GaugeMetricFamily(
        "certrecon_certificate_due_timestamp_seconds",
        "When it is due for renewal by its age. Missing where nobody knows.",
        labels=_OF_CERTIFICATE,
    )
    level = GaugeMetricFamily(
        "certrecon_certificate_level", "0 ok, 1 warn, 2 critical: as `certrecon status` has it.", labels=_OF_CERTIFICATE
    )
    for one in sorted(plan.standings, key=lambda standing: standing.name):
        labels = (one.name, one.desired.enrollment.account)
        level.add_metric(labels, _LEVELS[level_of(one, policy, plan.at)[0]])
        if one.serving is not None:
            expiry.add_metric(labels, one.serving.expires_at.timestamp())
            if one.serving.due_at is not None:
                due.add_metric(labels, one.serving.due_at.timestamp())
    yield from (expiry, due, level)


def _counts(plan: Plan) -> Iterator[GaugeMetricFamily]:
    phases = Counter(one.phase for one in plan.standings)
    works = Counter(map(work_of, plan.standings))
    yield _counted("certrecon_certificates_by_phase", "Certificates at each phase.", "phase", phases, Phase)
    yield _counted("certrecon_certificates_by_work", "Certificates by where the work on them is.", "work", works, Work)
    yield GaugeMetricFamily(
        "certrecon_orders_under_way",
        "Certificates with an order that is placed and whose certificate is not uploaded yet.",
        value=sum(phases[phase] for phase in _WITH_ORDER),
    )
    yield GaugeMetricFamily("certrecon_orders_planned", "Orders that the present actions place.", value=plan.orders)
    yield GaugeMetricFamily(
        "certrecon_file_problems",
        "Errors in the files; what they are about is not worked on.",
        value=len(plan.problems),
    )
    yield GaugeMetricFamily(
        "certrecon_incomplete_readings",
        "What could not be read completely, and is not acted on.",
        value=len(plan.unread),
    )


def _counted(
    name: str, text: str, label: str, counts: Mapping[Phase, int] | Mapping[Work, int], words: type[Phase] | type[Work]
) -> GaugeMetricFamily:
    """Return a family with a sample for every word, so that none vanishes when its count falls to 0."""
    family = GaugeMetricFamily(name, text, labels=(label,))
    found = {word.value: count for word, count in counts.items()}
    for word in words:
        family.add_metric((word.value,), found.get(word.value, 0))
    return family


def _guards(plan: Plan) -> Iterator[GaugeMetricFamily]:
    used = GaugeMetricFamily("certrecon_guard_used", "What the plan uses of each guard.", labels=("guard",))
    limit = GaugeMetricFamily("certrecon_guard_limit", "The limit of each guard that has one.", labels=("guard",))
    for state in plan.guards:
        used.add_metric((state.guard.value,), state.used)
        if state.limit is not None:
            limit.add_metric((state.guard.value,), state.limit)
    refused = sum(one.refused is not None for one in plan.standings)
    yield from (used, limit)
    yield GaugeMetricFamily("certrecon_actions_refused", "Actions that a guard refuses.", value=refused)


def _runs(plan: Plan, ran: Ran) -> Iterator[GaugeMetricFamily]:
    at = plan.at.timestamp() if plan.seen_at is None else plan.seen_at.timestamp()
    now = {_LAST_RUN: at, _EXIT_CODE: float(ran.exit_code)}
    before = _before(ran.before)
    succeeded = at if ran.exit_code in _SUCCESS else before[_LAST_SUCCESS].get(ran.command)
    if succeeded is not None:
        now[_LAST_SUCCESS] = succeeded
    for name, text in _OF_RUNS.items():
        family = GaugeMetricFamily(name, text, labels=("command",))
        own = {ran.command: now[name]} if name in now else {}
        for command, value in sorted({**before[name], **own}.items()):
            family.add_metric((command,), value)
        yield family
    info = GaugeMetricFamily("certrecon_build_info", "The version that wrote this file.", labels=("version",))
    info.add_metric((ran.tool_version,), 1)
    yield info


def _before(text: str) -> Mapping[str, Mapping[str, float]]:
    """Return what earlier runs wrote of themselves, by command; nothing where the file is not ours, or damaged."""
    found: dict[str, dict[str, float]] = {name: {} for name in _OF_RUNS}
    try:
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except (ValueError, KeyError, IndexError):
        return found
    for sample in samples:
        if sample.name in found and "command" in sample.labels:
            found[sample.name][sample.labels["command"]] = float(sample.value)
    return found
