"""Panels as inline SVG that takes its text colour from the page, so that one drawing serves light and dark."""

import html
import io
import re
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from maskvos.report.curves import Panel

_INK = "#010203"  # stands for the page's text colour until the drawing is written
_LINE = "#040506"  # stands for the page's accent colour
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: small, sharp, and the page's style sheet gives it the page's font
    "font.size": 8,
    "axes.edgecolor": _INK,
    "axes.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "text.color": _INK,
    "axes.labelcolor": _INK,
}


def draw(panel: Panel, group: str) -> str:
    """One panel as an ``svg`` element, 3.2 x 1.9 inches, that scales with its container.

    Its ids follow from ``group`` and the panel's title, which together must be unique on a page.
    """
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": f"{group}: {panel.title}"}):
        figure = Figure(figsize=(3.2, 1.9), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(panel.x, panel.y, color=_LINE, linewidth=1.4, marker="o" if panel.points else None, markersize=4)
        for start in panel.boundaries:
            axes.axvline(start, color=_INK, linewidth=0.6, linestyle=":", alpha=0.6)
        _dress(axes, panel)
        buffer = io.StringIO()
        # Without dates and links of the drawing program: they would only fill the page.
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(buffer.getvalue(), panel)


def _dress(axes: matplotlib.axes.Axes, panel: Panel) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=_INK, alpha=0.12, linewidth=0.6)
    axes.set_xlabel(panel.axis, alpha=0.7)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=panel.axis in ("step", "round")))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    if panel.axis == "step":
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    if panel.points:  # a few counts or shares: from zero, or a small change would look like a large one
        axes.set_ylim(0, 1.15 * float(np.nanmax(panel.y)) or 1)
    axes.ticklabel_format(axis="y", scilimits=(-3, 4), useMathText=False)


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:g}"


def _inline(text: str, panel: Panel) -> str:
    body = text[text.index(">", text.index("<svg")) + 1 :]
    view = re.search(r'viewBox="[^"]*"', text)
    # Metadata only fills the page, and a style element would reach beyond its drawing.
    body = re.sub(r"<(metadata|style)\b.*?</\1>", "", body, flags=re.DOTALL)
    # Several drawings share a page, where an id may stand once; clip paths and markers carry hashes and stay.
    body = re.sub(r' id="(?:figure|axes|patch|line2d|text|matplotlib\.axis|xtick|ytick)_\d+"', "", body)
    for drawn, meant in ((_INK, "currentColor"), (_LINE, "var(--accent)"), ("xlink:href", "href")):
        body = body.replace(drawn, meant)
    label = html.escape(f"{panel.title} over {panel.axis}")
    return f'<svg {view[0] if view else ""} role="img" aria-label="{label}">{body.strip()}'
