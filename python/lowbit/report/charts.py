"""Figures as SVG, which take their colours from the page's style sheet.

A series has a colour and a shape (`MARKS`), so that it can be told apart without seeing colours; a point says
in words what it is when the pointer rests on it, and to screen readers.
"""

import html
import math

MARKS = 7


def number(value, digits=4):
    """A figure as people read it: so many significant digits, no exponent for what is near 1."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return str(value)
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def mark(index, x=0, y=0, size=5):
    """The shape of a series, centred at a place."""
    shape = index % MARKS
    if shape == 0:
        body = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}"'
    elif shape == 1:
        body = f'<rect x="{x - size * .9:.1f}" y="{y - size * .9:.1f}" width="{size * 1.8:.1f}" height="{size * 1.8:.1f}"'
    else:
        outlines = {2: [(0, -1.2), (1.1, .8), (-1.1, .8)], 3: [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
                    4: [(0, 1.2), (1.1, -.8), (-1.1, -.8)],
                    5: [(-1.2, -.4), (-.4, -.4), (-.4, -1.2), (.4, -1.2), (.4, -.4), (1.2, -.4),
                        (1.2, .4), (.4, .4), (.4, 1.2), (-.4, 1.2), (-.4, .4), (-1.2, .4)],
                    6: [(0, -1.2), (1.15, -.35), (.7, 1), (-.7, 1), (-1.15, -.35)]}
        points = " ".join(f"{x + a * size:.1f},{y + b * size:.1f}" for a, b in outlines[shape])
        body = f'<polygon points="{points}"'
    return f'{body} class="mark s{index % MARKS}"/>'


def key(index):
    """A small picture of a series, for legends and tables."""
    return f'<svg class="key" viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true">{mark(index)}</svg>'


class Axis:
    """Numbers to places; logarithmic or not."""

    def __init__(self, low, high, start, end, log=False):
        if log:
            low, high = math.log10(low), math.log10(high)
        margin = (high - low) * 0.08 or abs(high) * 0.1 or 1
        self.low, self.high = low - margin, high + margin
        self.start, self.end, self.log = start, end, log

    def place(self, value):
        value = math.log10(value) if self.log else value
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, count=5):
        """Round numbers within the range."""
        if self.log:
            whole = [10.0 ** p for p in range(math.ceil(self.low), math.floor(self.high) + 1)]
            factors = (1,) if len(whole) > 3 else (1, 2, 5)
            ticks = [f * 10.0 ** p for p in range(math.floor(self.low), math.floor(self.high) + 1) for f in factors
                     if self.low <= math.log10(f * 10.0 ** p) <= self.high]
            if len(ticks) >= 2:
                return ticks[::-(-len(ticks) // 8)]
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / count))
        step *= min((1, 2, 5, 10), key=lambda f: abs((self.high - self.low) / (f * step) - count))
        ticks = [step * i for i in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        return [10.0 ** tick for tick in ticks] if self.log else ticks


def frame(width, height, title, description, body, name=""):
    """An SVG that scales with the page, and says what it shows."""
    # As wide as drawn at most, or its letters would grow.
    return (f'<svg class="chart {name}" viewBox="0 0 {width} {height}" style="max-width:{width}px" role="img" '
            f'aria-label="{html.escape(f"{title}. {description}", quote=True)}">{body}</svg>')


def grid(x_axis, y_axis, x_title, y_title, x_ticks=None):
    """Ticks, their lines, and the names of the axes."""
    left, right, bottom, top = x_axis.start, x_axis.end, y_axis.start, y_axis.end
    parts = []
    for tick in y_axis.ticks():
        y = y_axis.place(tick)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
                     f'<text class="tick" x="{left - 7}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in x_axis.ticks() if x_ticks is None else x_ticks:
        x = x_axis.place(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}"/>'
                     f'<text class="tick" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{number(tick)}</text>')
    parts.append(f'<line class="axis" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    parts.append(f'<text class="title" x="{right}" y="{bottom + 36}" text-anchor="end">{html.escape(x_title)}</text>')
    parts.append(f'<text class="title" x="{left - 44}" y="{top - 10}">{html.escape(y_title)}</text>')
    return "".join(parts)


def is_wide(values):
    """Whether a range is better shown by logarithms."""
    return min(values) > 0 and max(values) / min(values) > 12


def pareto_front(points):
    """The indices of (size, error) points of which no other is both smaller and better, by size."""
    order = sorted(range(len(points)), key=lambda i: points[i])
    front, best = [], math.inf
    for i in order:
        if points[i][1] < best:
            front.append(i)
            best = points[i][1]
    return front


def trade_off(points, front, base, x_title, y_title):
    """Size against error. `points`: (series, name, x, y); `front`: those on the Pareto front; `base`: the float
    model's y, or None."""
    width, height = 540, 360
    ys = [y for *_, y in points]
    values, base_line, axis_title = ys, base, y_title
    if base is not None and min(ys) > base > 0:
        # What matters is how much worse each is, be that a thousandth or twice.
        increases = [100 * (y / base - 1) for y in ys]
        if is_wide(increases):
            values, base_line, axis_title = increases, None, f"increase of {y_title}, %"
    x_axis = Axis(min(p[2] for p in points), max(p[2] for p in points), 58, width - 24)
    in_range = values + ([base_line] if base_line is not None else [])
    y_axis = Axis(min(in_range), max(in_range), height - 46, 30, log=is_wide(in_range))
    parts = [grid(x_axis, y_axis, x_title, axis_title)]
    if base_line is not None:
        y = y_axis.place(base_line)
        parts.append(f'<line class="base" x1="58" x2="{width - 24}" y1="{y:.1f}" y2="{y:.1f}"/>'
                     f'<text class="note" x="64" y="{y - 5:.1f}">float {number(base)}</text>')
    places = {point[0]: (x_axis.place(point[2]), y_axis.place(value)) for point, value in zip(points, values)}
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in sorted(places[series] for series in front))
    parts.append(f'<polyline class="front" points="{line}"/>')
    taken = list(places.values())
    for series, name, x, y in points:
        px, py = places[series]
        text = f"{name}: {number(x)} {x_title}, {y_title} {number(y, 5)}" + (", on the front" if series in front else "")
        # The first place beside the mark that nothing else has.
        beside = [(px + 9, py - 6), (px + 9, py + 14), (px - 18, py - 6), (px - 18, py + 14), (px + 11, py + 4), (px - 20, py + 4)]
        label = next((p for p in beside if all(abs(p[0] + 4 - a) > 11 or abs(p[1] - 4 - b) > 11 for a, b in taken
                                               if (a, b) != (px, py))), beside[0])
        taken.append((label[0] + 4, label[1] - 4))
        parts.append(f"<g><title>{html.escape(text)}</title>{mark(series, px, py)}"
                     f'<text class="label" x="{label[0]:.1f}" y="{label[1]:.1f}">{series + 1}</text></g>')
    names = "; ".join(f"{name} {number(x)}, {number(y, 5)}" for _, name, x, y in points)
    return frame(width, height, f"{y_title} against {x_title}", names, "".join(parts), "trade-off")


def layer_errors(names, series, y_title):
    """The error of each layer. `series`: (index, recipe, [error or None for each of names])."""
    width, height = max(1000, 120 + 14 * len(names)), 340
    values = [v for *_, errors in series for v in errors if v]
    if not values:
        return ""
    x_axis = Axis(1, max(len(names), 2), 58, width - 16)
    y_axis = Axis(min(values), max(values), height - 46, 30, log=is_wide(values) or max(values) / min(values) > 4)
    step = max(1, -(-len(names) // 40)) * (5 if len(names) > 12 else 1)
    parts = [grid(x_axis, y_axis, "layers, as they run", y_title, [1, *range(step, len(names) + 1, step)] if step > 1
                  else range(1, len(names) + 1))]
    for index, recipe, errors in series:
        places = [(i, x_axis.place(i + 1), y_axis.place(v)) if v else None for i, v in enumerate(errors)]
        path, drawing = [], False
        for place in places:
            if place:
                path.append(f"{'L' if drawing else 'M'}{place[1]:.1f} {place[2]:.1f}")
            drawing = place is not None
        parts.append(f'<path class="line s{index % MARKS}" d="{"".join(path)}"/>')
        for place in filter(None, places):
            text = f"{place[0] + 1} {names[place[0]]}, {recipe}: {number(errors[place[0]])}"
            parts.append(f"<g><title>{html.escape(text)}</title>{mark(index, place[1], place[2], 3.5)}</g>")
    return frame(width, height, f"{y_title} by layer", f"{len(names)} layers, {len(series)} recipes; the table "
                 "of each recipe has the figures", "".join(parts), "layers")


def histograms(histogram, index, title):
    """Float values as an area, those after quantization as a line."""
    width, height, left, bottom = 320, 150, 8, 128
    low, high = histogram["low"], histogram["high"]
    counts, others = histogram["counts"], histogram["other_counts"]
    most = max(max(counts), max(others), 1)
    step = (width - 2 * left) / len(counts)

    def steps(values):
        return " ".join(f"{left + (i + edge) * step:.1f},{bottom - 108 * value / most:.1f}"
                        for i, value in enumerate(values) for edge in (0, 1))

    parts = [f'<text class="note" x="{left}" y="12">{html.escape(title)}</text>'
             f'<polygon class="before" points="{left},{bottom} {steps(counts)} {width - left},{bottom}"/>',
             f'<polyline class="line s{index % MARKS}" points="{steps(others)}"/>',
             f'<line class="axis" x1="{left}" x2="{width - left}" y1="{bottom}" y2="{bottom}"/>',
             f'<text class="tick" x="{left}" y="{bottom + 16}">{number(low, 3)}</text>',
             f'<text class="tick" x="{width - left}" y="{bottom + 16}" text-anchor="end">{number(high, 3)}</text>']
    if low < 0 < high:
        x = left + -low / (high - low) * (width - 2 * left)
        if left + 45 < x < width - left - 45:
            parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">0</text>')
    return frame(width, height, title, f"from {number(low, 3)} to {number(high, 3)}: before as an area, after as a line",
                 "".join(parts), "histogram")
