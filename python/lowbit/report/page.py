"""The page: one HTML file that needs nothing else, from the figures of `measure`."""

import html
import json
import math
import pathlib
import re

from lowbit.commands import CommandError
from lowbit.report import charts
from lowbit.report.charts import number

FOLDER = pathlib.Path(__file__).parent
WORST_LAYERS = 2


def check_layers(pattern):
    """CommandError if this is no regular expression."""
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise CommandError(f"--layers: '{pattern}' is no regular expression: {error}") from None


def escape(text):
    return html.escape(str(text), quote=True)


def table(columns, rows, name, kind=""):
    """A table whose columns sort. `columns`: (title, explanation, whether it is text); `rows`: lists of cells, each a
    figure, None, a text, or (html, what to sort by); `kind`: a class for the style sheet."""
    heads = "".join(f'<th scope="col"{" class=text" if text else ""} title="{escape(why)}">'
                    f'<button type="button">{escape(title)}</button></th>' for title, why, text in columns)
    lines = []
    for row in rows:
        cells = []
        for cell, (_, _, text) in zip(row, columns):
            if isinstance(cell, tuple):
                content, value = cell
            elif isinstance(cell, str):
                content, value = escape(cell), cell
            else:
                content, value = number(cell), "" if cell is None else cell
            cells.append(f'<td{" class=text" if text else ""} data-v="{escape(value)}">{content}</td>')
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return (f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}"><table class="sortable {kind}">'
            f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>")


def percent(value, digits=2, sign=False):
    """A part of one, or nothing, as a cell."""
    return None if value is None else (f"{100 * value:{'+' if sign else ''}.{digits}f} %", value)


def fixed(value, digits):
    """A figure with so many places, as a cell."""
    return None if value is None else (f"{value:.{digits}f}", value)


def ratio(value, base):
    """A quotient, or None where there is none."""
    return value / base if value is not None and base else None


class Page:
    def __init__(self, results, layers):
        self.results, self.pattern = results, layers
        self.tried = list(enumerate(results["recipes"]))
        self.measured = [(i, recipe) for i, recipe in self.tried if "error" not in recipe]
        self.floats = results["float"]
        if results["is_language_model"]:
            self.measure, self.base = "perplexity", self.floats["perplexity"]
        else:
            self.measure, self.base = "output error", None
        self.plotted = [(i, recipe) for i, recipe in self.measured if self.quality(recipe) is not None]
        self.front = {self.plotted[i][0] for i in charts.pareto_front(
            [(recipe["bytes"], self.quality(recipe)) for _, recipe in self.plotted])}

    def quality(self, recipe):
        """What the recipe is judged by; less is better."""
        value = recipe["other_perplexity" if self.results["is_language_model"] else "output_error"]
        return value if value is not None and math.isfinite(value) else None

    def name(self, index, recipe):
        """A recipe in a table, as (html, what to sort by)."""
        label = f"{charts.key(index)}{index + 1}&nbsp; <code>{escape(recipe['name'])}</code>"
        if index in self.front:
            label = f'<span class="on-front" title="on the Pareto front">{label}</span>'
        if "layers" in recipe and not recipe["layers"]:
            label += '<br><span class="soft">found no layer to quantize</span>'
        return label, index + 1

    # Parts of the page.

    def head(self):
        results = self.results
        base = f"{self.measure} {number(self.base, 5)}, " if self.base is not None else ""
        data = "token windows" if results["is_language_model"] else "inputs"
        text = (f"<p>The float model: {base}{self.floats['bytes'] / 1e6:.2f} MB. "
                f"{len(self.measured)} of {len(self.tried)} recipes measured on the {data} of "
                f"<code>{escape(pathlib.Path(results['data']).name)}</code>")
        if results["windows"]:
            text += f" (the first {results['windows']} windows)"
        if results["calibration"]:
            text += f", calibrated on <code>{escape(pathlib.Path(results['calibration']).name)}</code>"
        text += ".</p>"
        if "not_run" in self.floats:
            text += ('<p class="bad">The float model does not run here, so there are sizes and formats, and nothing else: '
                     f"{escape(self.floats['not_run'])}</p>")
        if self.front:
            best = ", ".join(f"<code>{escape(recipe['name'])}</code>"
                             for i, recipe in sorted(self.plotted, key=lambda p: p[1]["bytes"]) if i in self.front)
            text += f"<p>No other recipe here is both smaller and better than {best}.</p>"
        return f'<p class="soft">Lowbit report</p><h1>{escape(results["title"])}</h1>{text}'

    def overview(self):
        columns = [("recipe", "flags of quant-opt; bold: on the Pareto front of size and quality", True),
                   ("bits", "bits per weight as stored, scales and all else included, over the quantized layers", False),
                   ("MB", "megabytes of the whole model, with what stays float", False),
                   ("of float", "size of the whole model, of that of the float model", False)]
        if self.results["is_language_model"]:
            columns += [("perplexity", "on the evaluation tokens", False),
                        ("increase", "of perplexity over that of the float model", False),
                        ("KL mean", "divergence of the next token's distribution from the float model's, in nats", False),
                        ("KL 99 %", "what the divergence of 99 % of the tokens stays below", False),
                        ("top-1", "how often both models find the same token likeliest", False)]
        else:
            columns += [("output error", "norm of the difference over norm of the float output, of the worst output", False),
                        ("SNR dB", "energy of the float output over that of the difference", False)]
        columns.append(("s", "seconds that quant-opt took", False))
        rows = []
        for index, recipe in self.measured:
            row = [self.name(index, recipe), fixed(recipe["bits"], 3), fixed(recipe["bytes"] / 1e6, 2),
                   percent(ratio(recipe["bytes"], self.floats["bytes"]), 1)]
            if self.results["is_language_model"]:
                times = ratio(recipe["other_perplexity"], self.base)
                row += [fixed(recipe["other_perplexity"], 4), percent(None if times is None else times - 1, sign=True),
                        fixed(recipe["kl_mean"], 5), fixed(recipe["kl_p99"], 4), percent(recipe["top1_agreement"])]
            else:
                error = recipe["output_error"]
                row += [error, fixed(-20 * math.log10(error), 1) if error else None]
            rows.append([*row, fixed(recipe["seconds"], 1)])
        refused = "".join(f"<li>{self.name(i, recipe)[0]}<br><span class=bad>{escape(recipe['error'])}</span></li>"
                          for i, recipe in self.tried if "error" in recipe)
        if refused:
            refused = f'<h3>Refused</h3><ul class="refused">{refused}</ul>'
        not_run = "".join(f"<li>{self.name(i, recipe)[0]}<br><span class=bad>{escape(recipe['not_run'])}</span></li>"
                          for i, recipe in self.measured if "not_run" in recipe)
        if not_run:
            refused += f'<h3>Quantized, but does not run</h3><ul class="refused">{not_run}</ul>'
        measured = table(columns, rows, "Recipes") if rows else "<p>None of the recipes could be measured.</p>"
        return f"<section><h2>Recipes</h2>{measured}{refused}</section>"

    def trade_offs(self):
        if len(self.plotted) < 1 or not any(recipe["layers"] for _, recipe in self.plotted):
            return ""
        figures = []
        for axis, value in (("MB of the whole model", lambda recipe: recipe["bytes"] / 1e6),
                            ("bits per quantized weight", lambda recipe: recipe["bits"])):
            points = [(i, recipe["name"], value(recipe), self.quality(recipe)) for i, recipe in self.plotted
                      if value(recipe) is not None]
            if not points:
                continue
            front = {points[i][0] for i in charts.pareto_front([point[2:] for point in points])}
            figures.append(f"<figure>{charts.trade_off(points, front, self.base, axis, self.measure)}</figure>")
        return ("<section><h2>Size against quality</h2><p class=soft>Down and to the left is better. The line joins the "
                "recipes that no other one beats in both; numbers are those of the table.</p>"
                f'<div class="pair">{"".join(figures)}</div></section>')

    def layer_names(self):
        """All layers of all recipes, in the order in which they run."""
        names = {}
        for _, recipe in self.measured:
            names.update((entry["name"], None) for entry in recipe["comparison"] if entry["kind"] == "layer")
        return list(names)

    def layers(self):
        names = self.layer_names()
        series = []
        for index, recipe in self.measured:
            errors = {entry["name"]: entry.get("error") for entry in recipe["comparison"]}
            series.append((index, recipe["name"], [errors.get(name) for name in names]))
        chart = charts.layer_errors(names, series, "relative error")
        if not chart:
            return ""
        legend = "".join(f"<li>{charts.key(i)}<code>{escape(recipe['name'])}</code></li>" for i, recipe in self.measured)
        gaps = any("not_compared" in entry for _, recipe in self.measured for entry in recipe["comparison"])
        gaps = (" Gaps are layers whose outputs a transform changed, such as a rotation: they have nothing to be compared "
                "with." if gaps else "")
        return (f'<section><h2>Error by layer</h2><p class="soft">What each layer computes beside what it computes in the '
                f"float model, with the errors of all layers before it.{gaps}</p>"
                f'<ul class="legend">{legend}</ul><figure class="scroll" tabindex="0">{chart}</figure></section>')

    def formats(self):
        rows = []
        for index, recipe in self.measured:
            groups = {}
            for layer in stored_layers(recipe).values():
                groups.setdefault(layer["format"], []).append(layer)
            for name, group in sorted(groups.items()):
                weights = sum(layer["rows"] * layer["cols"] for layer in group)
                bits = sum(layer["bits_per_weight"] * layer["rows"] * layer["cols"] for layer in group) / weights
                error = math.sqrt(sum((layer["weight_error"] or 0) ** 2 for layer in group) / len(group))
                rows.append([self.name(index, recipe), (f"<code>{escape(name)}</code>", name), len(group), weights,
                             fixed(bits, 3), fixed(error, 5)])
        if not rows:
            return ""
        columns = [("recipe", "", True), ("format", "codes, group, scales", True), ("layers", "how many have it", False),
                   ("weights", "how many are stored so", False), ("bits", "per weight, as stored", False),
                   ("weight error", "relative; root of the mean square over these layers", False)]
        for row in rows:
            row[3] = (f"{row[3]:,}", row[3])
        return f"<section><h2>Formats</h2>{table(columns, rows, 'Formats')}</section>"

    def chosen(self, recipe):
        """The layers to draw: those that the user asked for, or those with the largest errors."""
        entries = [entry for entry in recipe["comparison"]
                   if entry["kind"] == "layer" and (entry.get("histogram") or entry["weight"].get("histogram"))]
        if self.pattern:
            return [entry for entry in entries if re.search(self.pattern, entry["name"])]
        changed = [entry for entry in entries if entry.get("error") and entry["weight"].get("error") != 0]
        return sorted(changed, key=lambda entry: -entry["error"])[:WORST_LAYERS]

    def recipe(self, index, recipe):
        stored = stored_layers(recipe)
        rows = []
        entries = [entry for entry in recipe["comparison"] if entry["kind"] == "layer"] \
            or [{"name": name, "weight": {}} for name in stored]
        for place, entry in enumerate(entries, 1):
            layer, weight = stored.get(entry["name"]), entry["weight"]
            note = f'<br><span class="soft">{escape(entry["not_compared"])}</span>' if "not_compared" in entry else ""
            error = weight["error"] if "error" in weight else layer["weight_error"] if layer else None
            rows.append([place, (f"<code>{escape(entry['name'])}</code>{note}", entry["name"]),
                         (f"<code>{escape(layer['format'])}</code>", layer["format"]) if layer else "float",
                         fixed(layer["bits_per_weight"], 3) if layer else None, fixed(error, 5),
                         fixed(entry.get("error"), 5), fixed(entry.get("snr_db"), 1), entry.get("max"),
                         fixed(entry.get("cosine"), 6)])
        columns = [("#", "in which order they run", False), ("layer", "", True), ("format", "what the weight is stored in", True),
                   ("bits", "per weight, as stored", False), ("weight error", "relative: norm of the difference over norm", False),
                   ("error", "of what the layer computes, relative", False), ("SNR dB", "", False),
                   ("max error", "largest difference of a number", False), ("cosine", "of the angle between both", False)]
        drawn = []
        for entry in self.chosen(recipe):
            pictures = [charts.histograms(values, index, title) for title, values in
                        (("weights", entry["weight"].get("histogram")), ("outputs", entry.get("histogram")))
                        if values and None not in (values["low"], values["high"]) and values["low"] < values["high"]]
            if pictures:
                drawn.append(f"<div><h3><code>{escape(entry['name'])}</code></h3>{''.join(pictures)}</div>")
        shown = f'<p class="soft">Grey: float. Line: with this recipe.</p><div class="few">{"".join(drawn)}</div>' if drawn else ""
        layers = table(columns, rows, f"Layers of {recipe['name']}", "narrow") if rows else "<p>There is no layer to show.</p>"
        command = escape(" ".join(quote(argument) for argument in ("quant-opt", self.results["model"], *recipe["arguments"])))
        return (f'<details><summary>{self.name(index, recipe)[0]}</summary><p><code>{command}</code></p>{shown}{layers}</details>')

    def recipes(self):
        parts = "".join(self.recipe(index, recipe) for index, recipe in self.measured)
        what = "the layers that were asked for" if self.pattern else "the layers with the largest errors"
        return (f'<section><h2>Each recipe</h2><p class="soft">Its layers, and how the values of {what} change.</p>'
                f"{parts}</section>") if parts else ""

    def notes(self):
        samples = self.results["layer_samples"]
        where = f"{samples} of the samples or windows, evenly spread" if samples else "all samples"
        return ("<section><h2>How to read it</h2><p>A relative error is ‖x − y‖ / ‖x‖: x of the float model, y of the quantized "
                f"one. Layers were compared on {where}. A layer's error includes those of the layers before it; its weight "
                "error does not. Where a transform (a rotation, a scaling) changed a weight, its error is that of rounding the "
                "changed weight. Weights were decoded to floats to measure models, which changes none of their values; "
                "activations that a recipe quantizes stay quantized.</p></section>")

    def render(self):
        parts = [self.head(), self.overview(), self.trade_offs(), self.layers(), self.formats(), self.recipes(), self.notes()]
        figures = json.dumps(without_histograms(self.results)).replace("<", "\\u003c")
        return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(self.results["title"])} – Lowbit report</title>
<style>
{(FOLDER / "page.css").read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
{"".join(part + chr(10) for part in parts if part)}</main>
<script type="application/json" id="figures">{figures}</script>
<script>
{(FOLDER / "page.js").read_text(encoding="utf-8")}</script>
</body>
</html>
"""


def quote(argument):
    """An argument as a shell takes it."""
    if re.fullmatch(r"[\w@%+=:,./-]+", argument):
        return argument
    flag, equals, options = argument.partition("=")
    return f'{flag}{equals}"{options}"' if equals and not re.search(r'["$`\\]', options) else "'" + argument.replace("'", "'\\''") + "'"


def stored_layers(recipe):
    """{name: what its pass reported}; what quantized it last counts."""
    return {layer["layer"]: layer for layer in recipe["layers"]}


def without_histograms(value):
    if isinstance(value, dict):
        return {key: without_histograms(part) for key, part in value.items() if key != "histogram"}
    return [without_histograms(part) for part in value] if isinstance(value, list) else value


def render(results, layers=None):
    """The page for the results of `measure.measure` with a "title"; `layers` is a regular expression, or None for the worst."""
    return Page(results, layers).render()
