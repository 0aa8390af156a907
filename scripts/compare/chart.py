"""The chart: claims per second on a logarithmic scale, as SVG written by hand, for light and dark pages."""

import math
from html import escape

import number
from row import SECTIONS

WIDTH, LEFT, RIGHT = 980, 372, 140
BAR, GAP, HEAD = 15, 5, 30
TOP = 92

STYLE = """
    text { font: 12px system-ui, sans-serif; fill: #24292f }
    .title { font-size: 16px; font-weight: 600 }
    .section { font-weight: 600 }
    .name { text-anchor: end }
    .scale, .note { fill: #57606a; font-size: 11px }
    .scale { text-anchor: middle }
    .grid { stroke: #d0d7de }
    .stockade { fill: #d9480f }
    .power { fill: #1971c2 }
    .seconds { fill: #1971c2; fill-opacity: .35; stroke: #1971c2 }
    .nothing { fill: none; stroke: #1971c2; stroke-dasharray: 4 3 }
    .floor { fill: #868e96 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .scale, .note { fill: #9198a1 }
      .grid { stroke: #3d444d }
      .stockade { fill: #ff922b }
      .power { fill: #4dabf7 }
      .seconds { fill: #4dabf7; stroke: #4dabf7 }
      .nothing { stroke: #4dabf7 }
      .floor { fill: #adb5bd }
    }
"""
LEGEND = [
    ("stockade", "Stockade, survives power loss"), ("power", "peer, survives power loss"),
    ("seconds", "may lose the last second or two"), ("nothing", "loses all"), ("floor", "disk alone"),
]
LEGEND_STEPS = [0, 214, 412, 634, 716]


def svg(measured):
    low = math.floor(math.log10(min(one.outcome.claims_per_s for one in measured)))
    high = math.ceil(math.log10(max(one.outcome.claims_per_s for one in measured)))

    def x(per_s):
        return LEFT + (math.log10(per_s) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    body, y = [], TOP
    for section, title in SECTIONS.items():
        rows = [one for one in measured if one.row.section == section]
        if rows:
            body.append(f'<text class="section" x="16" y="{y + HEAD - 11}">{escape(title)}</text>')
            y += HEAD
            for one in rows:
                body += _bar(one, y, x)
                y += BAR + GAP
    grid = [line for power in range(low, high + 1) for line in _grid(power, x(10**power), y)]
    # A namespace, not a link: nothing is loaded.
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 12}" role="img"',
        '     aria-label="Claims per second of Stockade and its peers; the table has the same figures">',
        f"  <style>{STYLE}  </style>",
        '  <text class="title" x="16" y="26">Claims per second, one hot stock, logarithmic scale</text>',
        *(f"  {line}" for line in [*_legend(), *grid, *body]),
        "</svg>", ""])


def _bar(one, y, x):
    end = x(one.outcome.claims_per_s)
    name = ", ".join(filter(None, [one.system, one.row.name]))
    kind = "stockade" if one.row.peer == "stockade" else one.row.promise
    value = number.rate(one.outcome.claims_per_s)
    disk = f"disk {number.span(one.surroundings.fdatasync_us())}"
    return [
        f'<text class="name" x="{LEFT - 8}" y="{y + 12}">{escape(name)}</text>',
        f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{max(1, end - LEFT):.1f}" height="{BAR}"/>',
        f'<text x="{end + 6:.1f}" y="{y + 12}">{value} <tspan class="note">{disk}</tspan></text>',
    ]


def _grid(power, x, bottom):
    label = {0: "1", 1: "10", 2: "100", 3: "1 k", 4: "10 k", 5: "100 k", 6: "1 M", 7: "10 M", 8: "100 M"}[power]
    return [
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{bottom}"/>',
        f'<text class="scale" x="{x:.1f}" y="{TOP - 10}">{label}</text>',
    ]


def _legend():
    lines = []
    for (kind, text), step in zip(LEGEND, LEGEND_STEPS):
        lines.append(f'<rect class="{kind}" x="{16 + step}" y="42" width="14" height="11"/>')
        lines.append(f'<text class="note" x="{36 + step}" y="52">{text}</text>')
    return lines
