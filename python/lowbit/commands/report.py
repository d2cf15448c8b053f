"""Try recipes on a model, and make one page that shows what each costs.

The page is a single HTML file: size against accuracy of all recipes, the error of each layer, what
the layers are stored in, and how weights and activations change. A language model is measured on
--tokens (perplexity, KL divergence, most likely tokens), any other model on --inputs (error of its
outputs). What was measured is kept in a folder, so that a report that was interrupted goes on, and
one with another recipe measures only that.

    python -m lowbit report model.onnx --tokens eval.npy --calibration calib.npy \\
        --recipe=--nf4 --recipe="--gptq=bits=4 group-size=64" -o report.html
"""

import pathlib

from lowbit.commands import CommandError


def add_arguments(parser):
    parser.add_argument("model", type=pathlib.Path, help="the float model: .onnx, .mlir or .mlirbc")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("report.html"), metavar="PAGE",
                        help="the page to write (default: report.html)")
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--tokens", type=pathlib.Path, metavar="NPY",
                      help="evaluate a language model on these tokens: integers [windows, length]")
    data.add_argument("--inputs", type=pathlib.Path, metavar="FILE",
                      help="evaluate any model on samples of its main input (.npy), or on all of its inputs (.npz)")
    parser.add_argument("--calibration", type=pathlib.Path, metavar="NPY",
                        help="samples for every pass that takes some, unless its flag says calibration= itself")
    parser.add_argument("--recipe", action="append", default=[], metavar="FLAGS",
                        help="flags of quant-opt, such as --recipe='--rotate --gptq=bits=4'; any number of times")
    parser.add_argument("--recipes", type=pathlib.Path, metavar="JSON",
                        help='more of them: a list of flags, or of {"name": ..., "flags": ...}')
    parser.add_argument("--windows", type=int, default=0, metavar="COUNT",
                        help="evaluate on the first so many token windows only (default: all)")
    parser.add_argument("--layer-samples", type=int, default=8, metavar="COUNT",
                        help="compare layers on so many windows or samples, evenly spread (default: 8; 0: all)")
    parser.add_argument("--layers", metavar="REGEX",
                        help="draw histograms of the layers whose names match (default: the worst two of each recipe)")
    parser.add_argument("--title", help="title of the page (default: the name of the model)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all figures to a file, too")
    parser.add_argument("--cache", type=pathlib.Path, metavar="FOLDER",
                        help="where to keep what was measured (default: PAGE.cache)")


def run(options):
    from lowbit.report import measure, page, recipes
    for path in (options.model, options.tokens, options.inputs, options.calibration, options.recipes):
        if path is not None and not path.is_file():
            raise CommandError(f"{path}: no such file")
    if options.windows < 0 or options.layer_samples < 0:
        raise CommandError("--windows and --layer-samples must not be negative")
    if options.windows and options.inputs:
        raise CommandError("--windows is for --tokens")
    if not options.output.absolute().parent.is_dir():
        raise CommandError(f"{options.output}: there is no folder {options.output.absolute().parent}")
    page.check_layers(options.layers)
    tried = recipes.read(options.recipe, options.recipes)
    cache = options.cache or options.output.with_name(options.output.name + ".cache")
    results = measure.measure(measure.Settings(
        model=options.model, recipes=tried, tokens=options.tokens, inputs=options.inputs,
        calibration=options.calibration, windows=options.windows, layer_samples=options.layer_samples,
        folder=cache))
    results["title"] = options.title or options.model.stem
    if options.json:
        measure.write_json(options.json, results)
    measure.write_text(options.output, page.render(results, options.layers))
    refused = [recipe["name"] for recipe in results["recipes"] if "error" in recipe]
    print(f"{options.output}: {len(tried) - len(refused)} recipes" + (f", {len(refused)} refused" if refused else ""))
