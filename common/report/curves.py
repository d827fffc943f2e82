"""Loss curves of a page, drawn as inline SVG so that they follow the page's light or dark colours and stay sharp."""

import json
import math
import re
from html import escape
from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from common.record import Run

WIDTH, HEIGHT = 340, 190
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 10, 26
MOST_POINTS = 240


def read_metrics(path: Path) -> Any:
    """metrics.jsonl as {metric name: [(step, value), …]}; steps run on through the stages, values may be NaN.

    A line that cannot be read (a run killed while writing it) is left out.
    """
    series, offset, last, stage = {}, 0, 0, None
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
            step = int(row["step"])
        except (ValueError, KeyError, TypeError):
            continue
        if row.get("stage") != stage:
            offset, stage = last, row.get("stage")  # a new stage counts from the start again
        last = offset + step
        for name, value in row.items():
            if name not in ("step", "stage", "epoch") and type(value) in (int, float):
                series.setdefault(name, []).append((last, float(value)))
    return series


def collect(runs: list[Run]) -> Any:
    """Charts of a group's runs: {model: {metric: [(follow, seed, points)]}}, in the order the files name them."""
    models = {}
    for run in runs:
        for path in sorted(run.directory.glob("models/**/metrics.jsonl")):
            model = path.parent.relative_to(run.directory / "models").as_posix()
            for metric, points in read_metrics(path).items():
                models.setdefault(model, {}).setdefault(metric, []).append((run.follow, run.seed, points))
    return models


def diverged(runs: list[Run]) -> Any:
    """{model: ["code, seed 0: losses/total at step 120 of stage train", …]} from the diverged.json of its runs."""
    found = {}
    for run in runs:
        for path in sorted(run.directory.glob("models/**/diverged.json")):
            try:
                where = json.loads(path.read_text(encoding="utf-8"))
                line = f": {where['loss']} at step {where['step']} of stage {where['stage']}"
            except (ValueError, KeyError, TypeError):
                line = ""
            line = f"{run.follow}, seed {run.seed}{line}"
            found.setdefault(path.parent.relative_to(run.directory / "models").as_posix(), []).append(line)
    return found


def chart(metric: str, lines: Any) -> Any:
    """One chart as SVG: `lines` is [(follow, seed, points)]; colours come from the page's `.line-<follow>` classes."""
    drawn = [(follow, seed, _thin([(x, y) for x, y in points if math.isfinite(y)])) for follow, seed, points in lines]
    drawn = [(follow, seed, points) for follow, seed, points in drawn if points]
    broken = sorted({follow for follow, _, points in lines if any(not math.isfinite(y) for _, y in points)})
    if not drawn:
        return Markup(f'<p class="quiet">{escape(metric)}: no finite value in {escape(", ".join(broken))}.</p>')
    xs = [x for _, _, points in drawn for x, _ in points]
    ys = [y for _, _, points in drawn for _, y in points]
    x_ticks, y_ticks = _ticks(min(xs), max(xs), 3), _ticks(min(ys), max(ys), 4)
    left, right, low, high = min(xs), max(xs), min(y_ticks[0], min(ys)), max(y_ticks[-1], max(ys))

    def place(x, y):
        across = LEFT + (x - left) / ((right - left) or 1) * (WIDTH - LEFT - RIGHT)
        return round(across, 1), round(HEIGHT - BOTTOM - (y - low) / ((high - low) or 1) * (HEIGHT - TOP - BOTTOM), 1)

    parts = []
    for tick in y_ticks:
        _, y = place(left, tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
                     f'<text x="{LEFT - 6}" y="{y + 3.5}" text-anchor="end">{_short(tick)}</text>')
    for tick in x_ticks:
        if left <= tick <= right:
            x, _ = place(tick, low)
            anchor = "end" if x > WIDTH - 30 else "middle"
            parts.append(f'<text x="{x}" y="{HEIGHT - 8}" text-anchor="{anchor}">{tick:,.0f}</text>')
    for follow, seed, points in drawn:
        if len(points) == 1:
            x, y = place(*points[0])
            shape = f'<circle class="line-{follow}" cx="{x}" cy="{y}" r="3"'
        else:
            path = " ".join(f"{x},{y}" for x, y in (place(*point) for point in points))
            shape = f'<polyline class="line-{follow}" points="{path}"'
        parts.append(f"{shape}><title>{follow}, seed {seed}: {points[0][1]:.4g} to {points[-1][1]:.4g}</title>"
                     f"</{'circle' if len(points) == 1 else 'polyline'}>")
    says = "; ".join(f"{follow} seed {seed} from {points[0][1]:.3g} to {points[-1][1]:.3g}"
                     for follow, seed, points in drawn)
    note = f" Not finite at some step: {', '.join(broken)}." if broken else ""
    single = " single" if len({follow for follow, _, _ in drawn}) == 1 else ""
    return Markup(f'<svg class="chart{single}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
                  f'aria-label="{escape(metric)} over steps: {escape(says)}.{escape(note)}">{"".join(parts)}</svg>'
                  f'{f"<p class=quiet>{escape(note)}</p>" if note else ""}')


def _short(number):
    return re.sub(r"e([+-])0*", lambda power: "e" + power[1].replace("+", ""), f"{number:.4g}")


def _ticks(low, high, count):
    if low == high:
        low, high = low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1
    return MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high).tolist()


def _thin(points):
    """At most MOST_POINTS of them, first and last kept."""
    step = max(1, math.ceil(len(points) / MOST_POINTS))
    return points[:-1:step] + points[-1:]
