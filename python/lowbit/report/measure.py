"""Runs the tools on each recipe, and keeps what they said.

Everything that was measured is a JSON file in a folder, named after a hash of all that it depends on: the
contents of model and data, the flags, and the tools themselves. A run that was interrupted goes on from there.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
import time

import numpy as np

from lowbit import tools
from lowbit.commands import CommandError
from lowbit.report import recipes as recipe_flags
from lowbit.report.progress import Progress

HISTOGRAM_BINS = 64
# Of what is kept: another number makes all of it anew.
VERSION = 1


@dataclasses.dataclass(frozen=True)
class Settings:
    """What to measure: one of `tokens` and `inputs` is given; 0 windows or samples are all."""

    model: pathlib.Path
    recipes: list
    folder: pathlib.Path
    tokens: pathlib.Path = None
    inputs: pathlib.Path = None
    calibration: pathlib.Path = None
    windows: int = 0
    layer_samples: int = 0


def write_text(path, text):
    """Writes a file all at once: the old one stays until the new one is whole."""
    path = pathlib.Path(path)
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.absolute().parent, prefix=path.name,
                                         delete=False) as stream:
            stream.write(text)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(stream.name, 0o666 & ~umask)
        os.replace(stream.name, path)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None


def write_json(path, value):
    write_text(path, json.dumps(value, indent=1) + "\n")


def file_digest(path):
    """The SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Cache:
    """JSON values in a folder, by what they depend on."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"cannot make the folder {folder}: {error.strerror}") from None

    @staticmethod
    def key(*parts):
        return hashlib.sha256(json.dumps([VERSION, *parts], sort_keys=True).encode()).hexdigest()[:24]

    def load(self, key):
        """The value, or None if there is none, or none that was written to its end."""
        try:
            return json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def save(self, key, value):
        write_json(self.folder / f"{key}.json", value)
        return value


class Measurement:
    """One report: what all recipes share."""

    def __init__(self, settings):
        self.settings = settings
        self.cache = Cache(settings.folder)
        self.folder = self.cache.folder
        self.options = recipe_flags.pass_options(tools.run_tool("quant-opt", "--help"))
        if settings.model.suffix == ".onnx":
            self.module = tools.import_onnx(settings.model, self.folder / "float.mlir")
        else:
            self.module = settings.model
        self.data = settings.tokens or settings.inputs
        self.evaluation, self.samples = self._choose_data()
        digests = [file_digest(tools.find_tool(name)) for name in ("quant-opt", "quant-run")]
        self.model_key = Cache.key(file_digest(settings.model),
                                   [file_digest(path) for path in self._external_files()], digests)
        self.calibration_key = file_digest(settings.calibration) if settings.calibration else None
        self.evaluation_key, self.samples_key = file_digest(self.evaluation), file_digest(self.samples)

    def _external_files(self):
        """The files that a model has its weights in."""
        paths = sorted({path for path, _ in tools.external_slices(self.module)})
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise CommandError(f"{self.settings.model}: its weights are in {missing[0]}, which does not exist")
        return paths

    def _choose_data(self):
        """What to evaluate on, and what to compare layers on."""
        if self.data.suffix == ".npz":
            return self.data, self.data
        try:
            array = np.load(self.data, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise CommandError(f"{self.data} is no .npy file: {error}") from None
        if array.ndim < 1 or len(array) == 0 or self.settings.tokens and array.ndim != 2:
            what = "tokens as [windows, length]" if self.settings.tokens else "samples"
            raise CommandError(f"{self.data} must hold {what}, got {array.dtype}{list(array.shape)}")
        evaluation = samples = self.data
        if 0 < self.settings.windows < len(array):
            array = array[:self.settings.windows]
            evaluation = samples = self.folder / "evaluation.npy"
            np.save(evaluation, array)
        count = self.settings.layer_samples
        if 0 < count < len(array):
            samples = self.folder / "samples.npy"
            np.save(samples, array[np.arange(count) * len(array) // count])
        return evaluation, samples

    def expand(self, recipe):
        """The arguments of quant-opt, with the calibration data for the passes that take some."""
        arguments = []
        for flag in recipe.arguments():
            options = self.options.get(flag[2:].partition("=")[0], ())
            if self.settings.calibration and "calibration" in options and not recipe_flags.has_option(flag, "calibration"):
                flag = recipe_flags.add_option(flag, "calibration", self.settings.calibration)
            arguments.append(flag)
        return arguments

    def measure_float(self):
        """{"bytes", "perplexity"} of the float model, and why it does not run, as "not_run", if it does not."""
        key = Cache.key("float", self.model_key, self.evaluation_key, self.samples_key, bool(self.settings.tokens))
        known = self.cache.load(key)
        if known is not None:
            return known
        target = self.folder / "float.mlirbc"
        tools.optimize(self.module, target, "--emit-bytecode")
        figures = {"bytes": tools.stored_bytes(target), "perplexity": None}
        try:
            if self.settings.tokens:
                figures["perplexity"] = tools.perplexity(self.module, self.evaluation)
            else:
                tools.compare(self.module, self.module, self.samples, "--limit=1")
        except tools.ToolError as error:
            return {**figures, "not_run": str(error)}
        return self.cache.save(key, figures)


class Trial:
    """One recipe, in steps that are kept one by one."""

    STEPS = 3

    def __init__(self, measurement, recipe):
        self.measurement = measurement
        self.recipe = recipe
        self.arguments = measurement.expand(recipe)
        # The calibration file counts by its content, not its name.
        neutral = [flag.replace(str(measurement.settings.calibration), "CALIBRATION") for flag in self.arguments]
        self.key = Cache.key(measurement.model_key, neutral, measurement.calibration_key)
        self.folder = measurement.folder / self.key
        self.model = self.folder / "quantized.mlirbc"
        self.decoded = self.folder / "decoded.mlirbc"

    def _cached(self, key, make):
        cache = self.measurement.cache
        known = cache.load(key)
        return known if known is not None else cache.save(key, make())

    def quantize(self):
        """{"bytes", "seconds", "layers"}: the size, the time, and the tables of the passes that quantize."""
        return self._cached(Cache.key("quantize", self.key), self._quantize)

    def _quantize(self):
        self.folder.mkdir(exist_ok=True)
        arguments, reports = [], []
        for index, flag in enumerate(self.arguments):
            options = self.measurement.options.get(flag[2:].partition("=")[0], ())
            if "report" in options and not recipe_flags.has_option(flag, "report"):
                reports.append(self.folder / f"layers{index}.json")
                flag = recipe_flags.add_option(flag, "report", reports[-1])
            if "state" in options and not recipe_flags.has_option(flag, "state"):
                flag = recipe_flags.add_option(flag, "state", self.folder / f"state{index}")
            arguments.append(flag)
        start = time.monotonic()
        tools.optimize(self.measurement.module, self.model, *arguments, "--emit-bytecode")
        seconds = time.monotonic() - start
        layers = []
        for report in reports:
            table = json.loads(report.read_text(encoding="utf-8")) if report.exists() else None
            # That of --assign-formats is a recipe.
            layers += table if isinstance(table, list) else []
        return {"bytes": tools.stored_bytes(self.model), "seconds": seconds, "layers": layers}

    def _decode(self):
        """The model with its weights as floats, which runs fast and computes the same."""
        if self.decoded.exists():
            return self.decoded
        if not self.model.exists():
            self._quantize()
        try:
            return tools.optimize(self.model, self.decoded, "--convert-formats=to=f32", "--emit-bytecode")
        except tools.ToolError:
            return self.model

    def evaluate(self):
        """Of a language model perplexity, KL divergence and so on; of others nothing."""
        measurement = self.measurement
        if not measurement.settings.tokens:
            return {}
        key = Cache.key("evaluate", self.key, measurement.evaluation_key)
        return self._cached(key, lambda: tools.divergence(measurement.module, self._decode(), measurement.evaluation))

    def compare(self):
        """The layers and outputs beside those of the float model."""
        measurement = self.measurement
        key = Cache.key("compare", self.key, measurement.samples_key, HISTOGRAM_BINS)
        return self._cached(key, lambda: tools.compare(measurement.module, self._decode(), measurement.samples,
                                                       "--sort=execution", f"--histogram={HISTOGRAM_BINS}"))

    def run(self, progress, runs=True):
        """All figures; or why quant-opt refused the recipe, as "error"; or why what it made does not run, as "not_run".
        Without `runs` the model is not run: not even the float model does."""
        result = {"name": self.recipe.name, "flags": self.recipe.arguments(), "arguments": self.arguments}
        try:
            with progress.step(f"{self.recipe.name}: quantize"):
                result.update(self.quantize())
        except tools.ToolError as error:
            return {**result, "error": str(error)}
        result.update(dict.fromkeys(("other_perplexity", "kl_mean", "kl_p99", "top1_agreement")), comparison=[])
        try:
            if runs:
                with progress.step(f"{self.recipe.name}: evaluate"):
                    result.update(self.evaluate())
                with progress.step(f"{self.recipe.name}: compare layers"):
                    result["comparison"] = self.compare()
        except tools.ToolError as error:
            result["not_run"] = str(error)
        shutil.rmtree(self.folder, ignore_errors=True)
        return {**result, **summarize(result)}


def summarize(result):
    """Bits per weight over the layers that the passes quantized, and the error of the worst output."""
    weights = sum(layer["rows"] * layer["cols"] for layer in result["layers"])
    bits = sum(layer["bits_per_weight"] * layer["rows"] * layer["cols"] for layer in result["layers"])
    errors = [entry["error"] for entry in result["comparison"] if entry["kind"] == "output" and "error" in entry]
    return {"bits": bits / weights if weights else None,
            "output_error": None if not errors or None in errors else max(errors)}


def measure(settings):
    """All figures of a report, as JSON has them: {"model", "float", "recipes", ...}."""
    progress = Progress(2 + len(settings.recipes) * Trial.STEPS)
    with progress.step(f"{settings.model.name}: read"):
        measurement = Measurement(settings)
    with progress.step(f"{settings.model.name}: float"):
        floats = measurement.measure_float()
    results = []
    for recipe in settings.recipes:
        trial = Trial(measurement, recipe)
        done = progress.done
        results.append(trial.run(progress, runs="not_run" not in floats))
        progress.skip_to(done + Trial.STEPS)
    progress.finish()
    names = {"model": settings.model, "data": measurement.data, "calibration": settings.calibration}
    return {**{key: str(path) if path else None for key, path in names.items()},
            "is_language_model": bool(settings.tokens), "windows": settings.windows,
            "layer_samples": settings.layer_samples, "float": floats, "recipes": results}
