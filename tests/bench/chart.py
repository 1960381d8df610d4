"""The results as an SVG: horizontal bars, a group for each part that was measured. No library."""

from html import escape

WIDTH, LABEL, BAR, LINE = 860, 300, 400, 26
COLOURS = {"limit": "#9aa0a6", "pintail": "#1a73e8", "other": "#e8a33d"}


def bars(result) -> list:
    """(title, unit, [(label, value, colour)]) for each group."""
    groups = []
    if "rate" in result:
        rows = [("bare librdkafka drain", result["rate"]["drains"]["bench_drain"]["rate"], "limit")]
        rows += [(f"pintail, {int(size):,} rows a flush", s["rate"], "pintail") for size, s in result["rate"]["sizes"].items()]
        groups.append((f"Records a second, by flush size ({result['rate_records']:,} orders)", "/s", rows))
    if "sinks" in result:
        groups.append(
            (
                f"Records a second, side by side ({result['records']:,} orders)",
                "/s",
                [
                    (name, r["rate"], "limit" if "drain" in name else "pintail" if "pintail" in name else "other")
                    for name, r in result["sinks"].items()
                ],
            )
        )
    if "decode" in result:
        rows = []
        for c in result["decode"]:
            rows.append((f"{c['case']}: pintail", c["best"], "pintail"))
            if c.get("duckdb"):
                rows.append((f"{c['case']}: from_json", c["duckdb"], "other"))
        groups.append(("Decoding JSON, GB/s on one core", " GB/s", rows))
    if "freshness" in result:
        groups.append(
            (
                "From produce to visible, p99 in ms",
                " ms",
                [(f"{r['rate']:,} records/s, interval {r['interval']}", r["p99_ms"], "pintail") for r in result["freshness"]],
            )
        )
    return groups


def text(x, y, words, more="") -> str:
    return f'<text x="{x}" y="{y}" {more}>{escape(words)}</text>'


def draw(result) -> str:
    out, y = [], 30
    m = result["machine"]
    out.append(text(20, y, "pintail benchmark", 'font-size="18" font-weight="bold"'))
    y += 22
    out.append(text(20, y, f"{m['date'][:10]}, {m['cores']} cores ({m['cpu']}), Kafka {m['kafka']} on the same machine", 'fill="#555"'))
    for title, unit, rows in bars(result):
        y += 36
        out.append(text(20, y, title, 'font-weight="bold"'))
        top = max(value for _, value, _ in rows) or 1
        for label, value, colour in rows:
            y += LINE
            width = max(1, round(BAR * value / top))
            shown = f"{value:,.0f}{unit}" if value >= 100 else f"{value:.2f}{unit}"
            out.append(text(LABEL + 10, y, label, 'text-anchor="end"'))
            out.append(f'<rect x="{LABEL + 20}" y="{y - 14}" width="{width}" height="18" fill="{COLOURS[colour]}"/>')
            out.append(text(LABEL + 26 + width, y, shown))
    height = y + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(out) + "\n</svg>\n"
    )
