"""Every rendering of a plan and of the result of an apply, from its document: of a run, and of a saved file alike."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from rich.text import Text

from reconciler import __version__
from reconciler.cli.options import Rendering
from reconciler.errors import ExitCode
from reconciler.model.policy import Policy
from reconciler.planning.plan import Plan
from reconciler.report.annotations import plan_annotations, result_annotations
from reconciler.report.document import plan_document, result_document
from reconciler.report.lines import headline
from reconciler.report.markdown import COMMENT, SUMMARY, Frame, plan_markdown, result_markdown
from reconciler.report.text import apply_text, plan_text


def plan_rendering(data: dict[str, Any], frame: Frame) -> Rendering:
    plan = plan_document(data)
    return Rendering(
        text=plan_text(plan),
        data=data,
        title=headline(plan),
        frame=frame,
        others={
            "markdown": lambda: plan_markdown(plan, limit=COMMENT, frame=frame),
            "summary": lambda: plan_markdown(plan, limit=SUMMARY, frame=frame),
            "annotations": lambda: plan_annotations(plan),
            "html": lambda: _pages().plan_html(plan, frame=frame),
        },
    )


def result_rendering(data: dict[str, Any], frame: Frame) -> Rendering:
    result = result_document(data)
    return Rendering(
        text=apply_text(result),
        data=data,
        frame=frame,
        others={
            "markdown": lambda: result_markdown(result, limit=COMMENT, frame=frame),
            "summary": lambda: result_markdown(result, limit=SUMMARY, frame=frame),
            "annotations": lambda: result_annotations(result),
            "html": lambda: _pages().result_html(result, frame=frame),
        },
    )


def status_rendering(
    text: Sequence[Text], data: dict[str, Any], frame: Frame, metrics: Callable[[str], str] | None = None
) -> Rendering:
    return Rendering(
        text=text,
        data=data,
        title=f"certrecon {text[-1].plain}",
        frame=frame,
        others={"html": lambda: _pages().status_html(data, frame=frame)},
        metrics=metrics,
    )


def report_rendering(text: Sequence[Text], data: dict[str, Any], frame: Frame) -> Rendering:
    return Rendering(
        text=text,
        data=data,
        title="certrecon report",
        frame=frame,
        others={"html": lambda: _pages().report_html(data, frame=frame)},
    )


def _pages() -> ModuleType:
    from reconciler.report import html  # with Jinja2, for those who want a page

    return html


def metrics_of(plan: Plan, policy: Policy, *, command: str, exit_code: ExitCode) -> Callable[[str], str]:
    """Return what makes the metrics of a run, given what their file held before."""

    def made(before: str) -> str:
        from reconciler.report.metrics import Ran, metrics_text  # its library is loaded for those who ask

        ran = Ran(command=command, exit_code=exit_code, tool_version=__version__, before=before)
        return metrics_text(plan, policy, ran)

    return made
