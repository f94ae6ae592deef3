"""Turns measurements into the table, the targets and JSON."""

import statistics


def summary(values):
    """{metric: (median, least, most)} of the rounds of one server; None is left out."""
    out = {}
    for key in {key for value in values for key in value}:
        known = [value[key] for value in values if value.get(key) is not None]
        if known:
            out[key] = (statistics.median(known), min(known), max(known))
    return out


def spread(target, raw):
    """The least and the most of the ratios within the rounds, or an empty text."""
    pairs = zip(raw.get("genkan", []), raw.get(target.of, []))
    ratios = [mine[target.metric] / other[target.metric] for mine, other in pairs
              if mine.get(target.metric) is not None and other.get(target.metric)]
    if len(ratios) < 2:
        return ""
    return f" ({min(ratios):.2f}–{max(ratios):.2f})"


def judge(target, by_server, raw):
    """(what is asked for, what Genkan shows, met: True, False or None), as text for people."""
    sign = "≤" if target.sense == "<=" else "≥"
    mine = by_server.get("genkan", {}).get(target.metric)
    if target.of is None:
        asked, base, shown = f"{sign} {target.factor:g}", 1.0, "{:.3g}"
    else:
        asked, shown = f"{sign} {target.factor:g} × {target.of}", "{:.2f} ×"
        other = by_server.get(target.of, {}).get(target.metric)
        base = other[0] if other else None
    if mine is None or not base:
        return asked, "–", None
    value = mine[0] / base
    met = value <= target.factor if target.sense == "<=" else value >= target.factor
    return asked, shown.format(value) + spread(target, raw), met


def _cell(value, digits):
    if value is None:
        return "–"
    middle, least, most = (f"{number:.{digits}f}" for number in value)
    return middle if least == most else f"{middle} ({least}–{most})"


def _table(head, lines):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def markdown(rows, names, raw, results, failures, facts):
    """The lines of the report. raw: {row: {server: rounds}}, results: {row: {server: summary}}."""
    yield ", ".join(f"{key} {value}" for key, value in facts["machine"].items()) + "."
    yield ""
    lines = []
    for row in rows:
        by_server = results.get(row.key, {})
        for metric in row.metrics:
            lines.append([metric.title.format(**facts["sizes"])]
                         + [_cell(by_server.get(name, {}).get(metric.key), metric.digits)
                            for name in names])
    yield from _table(["work"] + names, lines)
    yield ""
    lines = []
    for row in rows:
        titles = {metric.key: metric.title.format(**facts["sizes"]) for metric in row.metrics}
        for target in row.targets:
            asked, shown, met = judge(target, results.get(row.key, {}), raw.get(row.key, {}))
            lines.append([titles[target.metric], asked, shown,
                          "–" if met is None else "yes" if met else "**no**"])
    yield from _table(["target", "Genkan must show", "shows", "met"], lines)
    yield ""
    for name, why in facts["absent"].items():
        yield f"- {name}: not run. {why}."
    for row, name, why in failures:
        yield f"- {row}, {name}: {why}."
    yield "- versions: " + ", ".join(f"{k} {v}" for k, v in facts["versions"].items() if v) + "."


def as_json(rows, raw, results, failures, facts):
    """Everything, for programs."""
    return {
        "facts": facts,
        "failures": [{"row": r, "server": s, "why": w} for r, s, w in failures],
        "rounds": raw,
        "rows": {
            row.key: {
                "servers": {name: {key: dict(zip(("median", "min", "max"), value))
                                   for key, value in metrics.items()}
                            for name, metrics in results.get(row.key, {}).items()},
                "targets": [dict(zip(("asked", "shown", "met"),
                                     judge(target, results.get(row.key, {}),
                                           raw.get(row.key, {}))),
                                 metric=target.metric) for target in row.targets],
            } for row in rows},
    }
