"""Numbers as the page writes them: three digits that matter."""


def rate(per_s):
    if per_s >= 999_500:
        return f"{_three(per_s / 1e6)} M/s"
    if per_s >= 999.5:
        return f"{_three(per_s / 1e3)} k/s"
    return f"{per_s:.0f}/s"


def span(us):
    return f"{us:.0f} µs" if us < 999.5 else f"{_three(us / 1e3)} ms"


def ratio(value):
    return f"{value:,.0f}" if value >= 99.95 else _three(value)


def _three(value):
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
