"""Akismet's calls about the account: WordPress' settings page and the 1.2 calls. There is no plan
and no limit; the counts are those of the key's site."""

from __future__ import annotations

import re
from datetime import MAXYEAR, UTC, datetime
from typing import Any

from flask import Blueprint, Response

from moderation.akismet.answer import handle_errors, say, say_json
from moderation.akismet.reader import Fields, admit, read_fields
from moderation.endpoint import service
from moderation.store.tally import Tally

akismet_account = Blueprint("akismet_account", __name__)
handle_errors(akismet_account)

_PERIODS = {"60-days": 2, "6-months": 6, "all": 12}
"""Months in the breakdown of get-stats."""
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_NUMBER = re.compile(r"[0-9]{1,9}")
_LIMIT = 500
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@akismet_account.route("/1.2/usage-limit", methods=["GET", "POST"])
def usage_limit() -> Response:
    """How much was asked this month. There is no limit."""
    caller = admit(read_fields())
    (month,) = service().store.tally(caller.site, [_month(_now())])
    return say_json(
        {"limit": "none", "usage": month.judged, "percentage": "0.00", "throttled": False}
    )


@akismet_account.route("/1.2/key-sites", methods=["GET", "POST"])
def key_sites() -> Response:
    """The site of the key, with its figures of one month."""
    fields = read_fields()
    site = admit(fields).site
    limit, offset = _number(fields, "limit", _LIMIT), _number(fields, "offset", 0)
    start = _asked_month(fields)
    counted, _ = service().store.tally(site, [start, _later(start)])
    matching = [_row(site, counted)] if fields.get("filter", "") in site else []
    rows, month = matching[offset : offset + limit], f"{start:%Y-%m}"
    if fields.get("format") == "csv":
        return _csv(rows, f"{month} (limit:{limit}, offset: {offset}, total: {len(matching)})")
    return say_json({month: rows, "limit": limit, "offset": offset, "total": len(matching)})


@akismet_account.post("/1.1/get-stats")
def get_stats() -> Response:
    """Counts for WordPress' settings page: in all, and by month."""
    fields = read_fields()
    site = admit(fields).site
    period = fields.get("from", "")
    starts = _last_months(_PERIODS.get(period, 12))
    before, *months = service().store.tally(site, [_EVER, *starts])
    total = sum(months, Tally()) + (Tally() if period in ("60-days", "6-months") else before)
    return say_json(
        {
            **_counts(total),
            "accuracy": f"{100 * total.right:.2f}",
            "time_saved": 0,  # nobody measured it
            "breakdown": {
                f"{start:%Y-%m}": {**_counts(month), "blogs": 1, "da": f"{start:%Y-%m-%d}"}
                for start, month in zip(starts, months, strict=True)
            },
        }
    )


@akismet_account.post("/1.1/get-subscription")
def get_subscription() -> Response:
    """WordPress takes no key without an active subscription."""
    admit(read_fields())
    return say_json(
        {
            "account_id": 1,
            "account_name": "Self-hosted",
            "account_type": "self-hosted",
            "status": "active",
            "next_billing_date": False,
            "limit_reached": False,
        }
    )


@akismet_account.route("/1.1/test", methods=["GET", "POST"])
def test() -> Response:
    """Whether WordPress can reach us."""
    return say("connected")


@akismet_account.post("/1.1/deactivate")
def deactivate() -> Response:
    """WordPress' plugin was switched off. Its key stays good: it may be switched on again."""
    admit(read_fields())
    return say("deactivated")


@akismet_account.post("/1.1/token")
def token() -> Response:
    """For a frame of Akismet's on WordPress' settings page. There is nothing to send there."""
    admit(read_fields())
    return say("")


def _counts(tally: Tally) -> dict[str, int]:
    return {
        "spam": tally.held,
        "ham": tally.judged - tally.held,
        "missed_spam": tally.missed,
        "false_positives": tally.mistaken,
    }


def _row(site: str, tally: Tally) -> dict[str, Any]:
    counts = {name: str(count) for name, count in _counts(tally).items()}
    return {"site": site, "api_calls": str(tally.judged), **counts, "is_revoked": False}


def _csv(rows: list[dict[str, Any]], title: str) -> Response:
    head = "Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked"
    lines = [f"Active sites during {title}", head]
    lines += [",".join(str(cell).lower() for cell in row.values()) for row in rows]
    response = say("\n".join(lines) + "\n")
    response.mimetype = "text/csv"
    return response


def _asked_month(fields: Fields) -> datetime:
    # Some write the month with a typographic hyphen, as Akismet's own page does.
    asked = _MONTH.fullmatch(fields.get("month", "").replace("\u2011", "-"))
    if asked is None or not _EVER.year <= int(asked[1]) < MAXYEAR:
        return _month(_now())
    return datetime(int(asked[1]), int(asked[2]), 1, tzinfo=UTC)


def _last_months(count: int) -> list[datetime]:
    """The beginnings of this month and of those before it, oldest first."""
    months = _now().year * 12 + _now().month
    return [_nth_month(number) for number in range(months - count + 1, months + 1)]


def _later(start: datetime) -> datetime:
    return _nth_month(start.year * 12 + start.month + 1)


def _nth_month(number: int) -> datetime:
    year, month = divmod(number - 1, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def _month(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)


def _number(fields: Fields, name: str, default: int) -> int:
    written = fields.get(name, "")
    return int(written) if _NUMBER.fullmatch(written) else default
