"""The page: page.md with the figures put in. Nothing on it is written by hand after a run."""

import os
import string

import number
from row import PROMISES, SECTIONS

TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page.md")


def markdown(measured, facts, notes):
    """The whole page. `facts` are names and values, `notes` what a reader must know of this very run."""
    with open(TEMPLATE) as template:
        return string.Template(template.read()).substitute(
            chart="![Claims per second](comparison.svg)",
            notes="\n".join(f"- {note}" for note in notes) or "- Every peer ran.",
            facts="\n".join(f"| {name} | {value} |" for name, value in facts.items()),
            rates=_rates(measured), audits=_audits(measured), commands=_commands(measured))


def table(measured):
    """One line a row, for the terminal."""
    return "\n".join(f"{_full_name(one):72} {number.rate(one.outcome.claims_per_s):>10} "
                     f"p50 {number.span(one.outcome.p50_us):>8} p99 {number.span(one.outcome.p99_us):>8} "
                     f"disk {number.span(one.surroundings.fdatasync_us()):>8}" for one in measured)


def audit_line(one):
    """For the terminal; empty for the floor."""
    audit = one.outcome.audit
    if audit is None:
        return "    no claims to audit"
    verdict = "audit passed" if audit.passed() else "AUDIT FAILED"
    return (f"    {verdict}: granted {audit.granted:,} = stock decrease {audit.stock_decrease:,} = on record "
            f"{audit.rows:,}, {audit.granted_share():.2%} of {audit.answered:,} answered")


def _rates(measured):
    parts = []
    for section, title in SECTIONS.items():
        rows = [one for one in measured if one.row.section == section]
        if rows:
            parts.append(f"### {title}\n")
            parts.append("| | claims/s | p50 | p99 | an answer survives | fdatasync p50, before and after | "
                         "claims per fdatasync time | processors, used by others |")
            parts.append("|---|---:|---:|---:|---|---:|---:|---:|")
            parts += [_rate_line(one) for one in rows] + [""]
    return "\n".join(parts).rstrip()


def _rate_line(one):
    outcome, met = one.outcome, one.surroundings
    disk = f"{number.span(met.fdatasync_before_us)}, {number.span(met.fdatasync_after_us)}"
    others = f"{met.others_share:.0%}" + ("" if met.is_steady else " (unsteady)")
    name, rate = _name(one), number.rate(outcome.claims_per_s)
    if one.row.peer == "stockade":
        name, rate = f"**{name}**", f"**{rate}**"
    cells = [name, rate, number.span(outcome.p50_us), number.span(outcome.p99_us), PROMISES[one.row.promise], disk,
             number.ratio(one.claims_per_fdatasync()), others]
    return f"| {' | '.join(cells)} |"


def _audits(measured):
    lines = ["| | answered | granted | stock decrease | on record | granted share | audit | client's µs per claim |",
             "|---|---:|---:|---:|---:|---:|---|---:|"]
    for one in measured:
        audit = one.outcome.audit
        if audit:
            cells = [_full_name(one), *(f"{count:,}" for count in (audit.answered, audit.granted,
                                                                    audit.stock_decrease, audit.rows)),
                     f"{audit.granted_share():.2%}", "passed" if audit.passed() else "**FAILED**",
                     number.ratio(one.outcome.client_us)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _commands(measured):
    """Each server's command once, followed by the clients that it met."""
    clients = {}
    for one in measured:
        if one.outcome.server:
            clients.setdefault(one.outcome.server, []).append(one.outcome.client)
    return "\n\n".join("\n".join([server, *(f"    {client}" for client in met)]) for server, met in clients.items())


def _name(one):
    return ", ".join(filter(None, [one.system, one.row.name]))


def _full_name(one):
    style = {"one": "1 connection", "eight": "8 connections", "crowd": "64 connections"}.get(one.row.section, "")
    return ", ".join(filter(None, [_name(one), style]))
