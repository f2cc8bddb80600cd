"""The campaigns of a plan: how far each is, by what its certificates' standings say, and what the rest takes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from reconciler.model.certificate import AccountName
from reconciler.planning.campaign_progress import CampaignState, Pace, burn_down, estimate
from reconciler.planning.campaigns import Candidate
from reconciler.planning.case import Context
from reconciler.planning.plan import Plan, Standing, placed_today
from reconciler.planning.steps import Act, ActionKind, Blocked, Unread

# Of CPS, for a certificate of two key types with `--wait`, on the sandbox: 9 that do something, the rest looks at its
# change. Bulk readings serve all.
CALLS_PER_CERTIFICATE = 30.0
# From the PUT to production, on the sandbox, where SCM issues at once: staging in half an hour, production in an hour.
LATENCY = timedelta(hours=2)


def with_campaigns(plan: Plan, context: Context) -> Plan:
    """Return the plan with the state of each campaign, as its standings are now."""
    replacements = context.campaigns.replacements
    if not replacements:
        return plan
    candidates = [one for standing in plan.standings if (one := _candidate(standing)) is not None]
    paces = _paces(context, {one.account for one in candidates})
    states = tuple(
        CampaignState(
            burn_down=burn_down(one, candidates),
            estimate=estimate(
                one,
                candidates,
                paces=paces,
                calls_per_certificate=CALLS_PER_CERTIFICATE,
                latency=LATENCY,
                now=plan.at,
            ),
        )
        for one in replacements
    )
    return replace(plan, campaigns=states)


def _paces(context: Context, accounts: Iterable[AccountName]) -> Mapping[AccountName, Pace]:
    """Return how fast each account can go; the orders of a day are those of all accounts together."""
    per_day = context.policy.budgets.orders_per_day
    left = per_day - placed_today(context)
    return {
        account: Pace(
            calls_per_minute=context.calls_per_minute[account], orders_left_today=left, orders_per_day=per_day
        )
        for account in accounts
    }


def _candidate(standing: Standing) -> Candidate | None:
    if standing.candidate is None:
        return None
    return replace(standing.candidate, blocked=stuck_by(standing))


def stuck_by(standing: Standing) -> str | None:
    """Return why nothing moves on a certificate until somebody acts; None where something does."""
    if standing.refused is not None:
        return f"guard {standing.refused.guard}: {standing.refused.text}"
    match standing.decision:
        case Blocked(text=text):
            return text
        case Unread(text=text):
            return f"not read: {text}"
        case Act(kind=ActionKind.ADOPT):
            remedy = f"run `certrecon apply --allow-adopt {standing.name}`"
            return f"its file claims the enrollment for the first time: {remedy}"
        case _:
            return standing.failure
