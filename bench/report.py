"""The table and the picture."""

import html
import statistics
from dataclasses import dataclass

from measure import GROUPS, Figure, Sample

COLOURS = {"nginx": "#2f6f4f", "validate": "#7fb069", "accounts": "#e6aa68", "uploader": "#5b8fb9",
           "signer": "#9b72aa", "gallery": "#d4a5a5", "store": "#c8553d", "database": "#555b6e",
           "empty": "#b8b8aa", "older": "#8a817c"}


@dataclass
class Part:
    """The results of one case."""

    about: dict
    samples: dict
    figures: list

    @classmethod
    def of(cls, document):
        samples = {name: [Sample(**sample) for sample in rounds]
                   for name, rounds in document["samples"].items()}
        return cls(document["about"], samples, [Figure(**f) for f in document["figures"]])


def headings(parts):
    """Where the parts come from, each place once."""
    return list(dict.fromkeys(
        f"commit {about['commit']}, {about['date']}; {about['cores']} cores, {about['cpu']}, "
        f"Linux {about['kernel']}; {about['nginx']}" for about in (part.about for part in parts)))


def verdict(figure):
    if figure.goal is None:
        return ""
    sign = "≥" if figure.at_least else "≤"
    return f"{sign} {figure.goal:g} {'met' if figure.met else 'MISSED'}"


def number(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def median(samples, measure):
    return statistics.median(map(measure, samples))


def table(parts):
    """Everything as text."""
    lines = [*headings(parts), "",
             f"{'case':12}{'figure':52}{'median':>9}{'range':>18}   {'goal':16}commit"]
    for part in parts:
        for figure in part.figures:
            span = f"{number(min(figure.ratios))} – {number(max(figure.ratios))}"
            value = number(figure.median) + (f" {figure.unit}" if figure.unit else "")
            lines.append(f"{figure.case:12}{figure.what:52}{value:>9}{span:>18}   "
                         f"{verdict(figure):16}{part.about['commit']}")
    lines += ["", "CPU µs a request".ljust(30) + "".join(f"{group:>10}" for group in GROUPS)
              + f"{'all':>10}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}"]
    for part in parts:
        for name, rounds in part.samples.items():
            cells = [median(rounds, lambda s, g=group: s.cpu[g]) for group in GROUPS]
            cells += [median(rounds, lambda s: s.cpu_of()), median(rounds, lambda s: s.rate),
                      median(rounds, lambda s: s.p50), median(rounds, lambda s: s.p99)]
            lines.append(f"{name:30}" + "".join(
                f"{cell:10.1f}" if cell < 1000 else f"{cell:10.0f}" for cell in cells))
    return "\n".join(lines) + "\n"


# ---- the picture

WIDTH, LEFT, RIGHT, ROW = 960, 330, 130, 20


class Drawing:
    """An SVG that grows downwards."""

    def __init__(self):
        self.parts = []
        self.y = 12

    def text(self, x, words, anchor="start", style=""):
        self.parts.append(f'<text x="{x:.1f}" y="{self.y + 14}" text-anchor="{anchor}" {style}>'
                          f"{html.escape(words)}</text>")

    def bar(self, x, width, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{self.y + 3}" width="{max(width, 0.5):.1f}" '
                          f'height="{ROW - 6}" fill="{colour}"/>')

    def line(self, x1, x2, y, colour="#222"):
        self.parts.append(f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y}" y2="{y}" stroke="{colour}"/>')

    def tick(self, x, colour="#222"):
        self.parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{self.y}" y2="{self.y + ROW}" '
                          f'stroke="{colour}" stroke-width="2"/>')

    def end(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.y + 12}" '
                'font-family="system-ui, sans-serif" font-size="12" fill="#222">\n'
                f'<rect width="{WIDTH}" height="{self.y + 12}" fill="#fff"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


def draw_reads(drawing, samples):
    """CPU of each group of processes, stacked, for the reads that one picture can hold."""
    wanted = {name: rounds for name, rounds in samples.items() if name[:2] in
              ("a ", "b ", "c ", "d ", "e ", "f ") and "paced" not in name}
    if not wanted:
        return
    room = WIDTH - LEFT - RIGHT
    most = max(median(rounds, lambda s: s.cpu_of()) for rounds in wanted.values())
    drawing.text(12, "Reads of a 16 KiB image: CPU µs a request", style='font-weight="bold"')
    x = LEFT
    for group in ("nginx", "validate"):
        drawing.bar(x, 12, COLOURS[group])
        drawing.text(x + 16, group)
        x += 90
    drawing.y += ROW
    for name, rounds in wanted.items():
        drawing.text(LEFT - 8, name, "end")
        x = LEFT
        for group in GROUPS:
            width = room * median(rounds, lambda s, g=group: s.cpu[g]) / most
            if width >= 1:
                drawing.bar(x, width, COLOURS[group])
                x += width
        total = median(rounds, lambda s: s.cpu_of())
        drawing.text(x + 6, f"{total:.1f} µs")
        drawing.y += ROW
    drawing.y += ROW // 2


def draw_goals(drawing, figures):
    """Each goal: the median on a scale where the goal is 1, and its range."""
    room = WIDTH - LEFT - RIGHT
    unit = room / 2
    drawing.text(12, "Goals: the mark is the goal; bars that must stay below it end left of it, "
                     "those that must reach it end right of it", style='font-weight="bold"')
    drawing.y += ROW
    for figure in figures:
        if figure.goal is None:
            continue
        drawing.text(LEFT - 8, f"{figure.what}", "end")
        at = [LEFT + unit * min(value / figure.goal, 2)
              for value in (min(figure.ratios), figure.median, max(figure.ratios))]
        drawing.bar(LEFT, at[1] - LEFT, "#7fb069" if figure.met else "#c8553d")
        drawing.line(at[0], at[2], drawing.y + ROW // 2)
        drawing.tick(LEFT + unit)
        drawing.text(WIDTH - RIGHT + 6, f"{number(figure.median)}{figure.unit and ' ' + figure.unit}"
                     f"  ({'≥' if figure.at_least else '≤'} {figure.goal:g})")
        drawing.y += ROW


def picture(parts):
    """The same as an SVG."""
    drawing = Drawing()
    for line in headings(parts):
        drawing.text(12, line, style='fill="#666"')
        drawing.y += ROW
    drawing.y += ROW // 2
    samples = {name: rounds for part in parts for name, rounds in part.samples.items()}
    draw_reads(drawing, samples)
    draw_goals(drawing, [figure for part in parts for figure in part.figures])
    return drawing.end()
