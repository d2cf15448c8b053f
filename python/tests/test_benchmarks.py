"""The scripts of benchmarks/ as far as they go without Lowbit's tools, or with stand-ins for them."""

import argparse
import importlib
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Imports a script of benchmarks/ as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def run(name, *arguments, **environment):
    return subprocess.run([sys.executable, str(FOLDER / name), *map(str, arguments)],
                          capture_output=True, text=True, env=environment or None)


MODULES = ("report.py", "matmul_peers.py", "language_model_peers.py")


@pytest.mark.parametrize("name", sorted(p.name for p in FOLDER.glob("*.py") if p.name not in MODULES))
def test_help(name):
    done = run(name, "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage:")


def test_peak_memory(tmp_path):
    done = run("peak_memory.py", "--json", tmp_path / "peak.json", sys.executable, "-c",
               "import time; block = bytearray(b'1') * (64 << 20); time.sleep(0.3)")
    assert done.returncode == 0 and "peak anonymous memory" in done.stderr
    result = json.loads((tmp_path / "peak.json").read_text())
    assert 64 <= result["peak_anonymous_mib"] < 200 and result["peak_resident_mib"] >= 64
    assert result["seconds"] >= 0.3


def test_peak_memory_passes_failure_on():
    done = run("peak_memory.py", sys.executable, "-c", "raise SystemExit(3)")
    assert done.returncode == 1 and "status 3" in done.stderr


def test_peak_memory_of_a_missing_command():
    done = run("peak_memory.py", "no-such-command")
    assert done.returncode == 1 and "cannot run no-such-command" in done.stderr


def test_summary(script):
    report = script("report")
    assert report.summary([5.0]) == (5.0, 0.0)
    assert report.summary([1.0, 2.0, 3.0, 4.0, 5.0]) == (3.0, 1.0)


def test_table(script):
    assert script("report").table(["a", "b"], [("x", 1)]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_missing_tools_are_named(tmp_path):
    done = run("matmul.py", "--layers", "8x128", LOWBIT_TOOLS=str(tmp_path))
    assert done.returncode == 1 and "quant-translate was not found" in done.stderr


@pytest.mark.parametrize("layer", ["64", "0x64", "ax64"])
def test_bad_layer(layer):
    done = run("matmul.py", "--layers", layer)
    assert done.returncode == 2 and layer in done.stderr


def test_perplexity_with_stand_ins(tmp_path):
    """The whole script, with tools that write down how they were called."""
    for name, source in (("quant-translate", "open(sys.argv[-1], 'w').write('float')"),
                         ("quant-opt", "open(sys.argv[-1], 'w').write(sys.argv[2])"),
                         ("quant-run", "text = open(sys.argv[1]).read()\n"
                                       "print('perplexity:', 2.0 if text == 'float' else 3.0 if 'gptq' in text else 4.0)")):
        tool = tmp_path / name
        tool.write_text(f"#!{sys.executable}\nimport sys\n{source}\n")
        tool.chmod(0o755)
    for name in ("m.onnx", "t.npy", "c.npy"):
        (tmp_path / name).touch()
    entry = {"name": "m", "model": "m.onnx", "tokens": "t.npy", "calibration": "c.npy", "expected": 2.0,
             "reference": {"gptq-4": 2.5}}
    (tmp_path / "models.json").write_text(json.dumps([entry]))
    done = run("perplexity.py", tmp_path / "models.json", "--bits", "4", "--json", tmp_path / "out.json",
               LOWBIT_TOOLS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "| gptq 4 bits, group 64 | 3.0000 | +50.00 % | 2.5000 (+20.00 %) |" in done.stdout
    assert "| rtn 4 bits, group 64 | 4.0000 | +100.00 % |" in done.stdout
    model, = json.loads((tmp_path / "out.json").read_text())["models"]
    assert [f["method"] for f in model["quantized"]] == ["rtn", "gptq"]

    done = run("perplexity.py", tmp_path / "models.json", "--bits", "4", "--methods", "gptq", "--transforms", "none", "rotate",
               LOWBIT_TOOLS=str(tmp_path))
    assert "| gptq 4 bits, group 64 | 3.0000 |" in done.stdout
    assert "| rotate-gptq 4 bits, group 64 | 4.0000 |" in done.stdout, "the transform comes first"

    entry["expected"] = 2.1
    (tmp_path / "models.json").write_text(json.dumps([entry]))
    done = run("perplexity.py", tmp_path / "models.json", "--bits", "4", LOWBIT_TOOLS=str(tmp_path))
    assert done.returncode == 1 and "expected 2.1" in done.stderr


ACCURACY_TOOLS = {
    "quant-translate": "open(sys.argv[-1], 'w').write('#lowbit.external<\"w\", offset = 0, length = 4000>')",
    # Prints a module, or makes one and the table of its layers.
    "quant-opt": """
import json, pathlib
if '-o' not in sys.argv:
    print(open(sys.argv[1]).read() * 2)
    sys.exit()
if any('q2_K' in flag for flag in sys.argv):
    sys.exit('m.mlir: error: no such type')
for flag in sys.argv:
    if 'report=' in flag:
        layers = [{'rows': 2, 'cols': 8, 'bits_per_weight': 4.5}, {'rows': 2, 'cols': 24, 'bits_per_weight': 8.5}]
        pathlib.Path(flag.split('report=')[1]).write_text(json.dumps(layers))
open(sys.argv[-1], 'w').write(open(sys.argv[1]).read())
with open(pathlib.Path(__file__).parent / 'calls', 'a') as calls:
    print(*sys.argv[2:-3], file=calls)""",
    "quant-run": """
if '--json' in sys.argv:
    print('{"perplexity": 2.0, "other_perplexity": 2.5, "kl_mean": 0.25, "kl_p99": 1.5, "top1_agreement": 0.75}')
else:
    print('perplexity: 2.0')"""}


def test_accuracy_with_stand_ins(tmp_path):
    """The whole script, and a second time with what is known by then."""
    for name, source in ACCURACY_TOOLS.items():
        tool = tmp_path / name
        tool.write_text(f"#!{sys.executable}\nimport sys\n{source}\n")
        tool.chmod(0o755)
    for name in ("m.onnx", "c.npy"):
        (tmp_path / name).touch()
    np.save(tmp_path / "t.npy", np.zeros((3, 4), np.int32))
    row = "--assign-formats=mixture=Q4_K_M --gptq={calibration}"
    (tmp_path / "models.json").write_text(json.dumps([{
        "name": "m", "model": "m.onnx", "tokens": "t.npy", "calibration": "c.npy", "reference": {row: 2.0}}]))
    arguments = (tmp_path / "models.json", "--rows", "Q4_K_M --gptq|nf4$|default=q2_K fallback=ggml --quantize-rtn",
                 "--windows", "2", "--json", tmp_path / "known.json", "--output", tmp_path / "page.md")
    done = run("accuracy.py", *arguments, LOWBIT_TOOLS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.md").read_text()
    assert "| float |  | 0.00 | 2.0000 |" in page
    assert "| `--nf4` | 7.500 | 0.00 | 2.5000 | +25.00 % | 0.25000 | 1.5000 | 75.00 % |" in page
    assert "2.0000 (+25.00 %) |" in page
    assert "fallback=ggml --quantize-rtn` is refused: m.mlir: error: no such type" in page
    known = json.loads((tmp_path / "known.json").read_text())["models"]["m"]
    # The slice of a file counts once, however often it is mentioned.
    assert known["float"]["bytes"] == 4000 + len('#lowbit.external<"w", offset = 0, length = 4000>')
    calls = (tmp_path / "calls").read_text()
    assert f"--assign-formats=mixture=Q4_K_M --gptq=calibration={tmp_path}/c.npy report=" in calls
    assert "--nf4=report=" in calls
    done = run("accuracy.py", *arguments, LOWBIT_TOOLS=str(tmp_path))
    assert done.returncode == 0 and (tmp_path / "page.md").read_text() == page
    assert (tmp_path / "calls").read_text() == calls
    done = run("accuracy.py", *arguments, "--windows", "3", LOWBIT_TOOLS=str(tmp_path))
    assert done.returncode == 1 and "known.json was measured with --windows 2, not 3" in done.stderr


def test_accuracy_says_what_is_wrong(tmp_path):
    done = run("accuracy.py", "--rows", "no such row")
    assert done.returncode == 1 and "no row matches 'no such row'" in done.stderr
    (tmp_path / "known.json").write_text("[]")
    done = run("accuracy.py", "--json", tmp_path / "known.json")
    assert done.returncode == 1 and "known.json is not a file of this script" in done.stderr
    for name in ("m.onnx", "c.npy", "t.npy"):
        (tmp_path / name).touch()
    entry = {"name": "m", "model": "m.onnx", "tokens": "t.npy", "calibration": "c.npy"}
    for rows, message in [("(nf4", "missing )"), (4, "must be string")]:
        (tmp_path / "models.json").write_text(json.dumps([{**entry, "rows": rows}]))
        done = run("accuracy.py", tmp_path / "models.json")
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "\"rows\" of the model 'm' must be a regular expression" in done.stderr and message in done.stderr


@pytest.mark.parametrize("text, message", [("[", "models.json"), ('[{"name": "m", "model": "x"}]', "no 'tokens'"),
                                           ('[{"name": "m", "model": "x", "tokens": "y"}]', "there is no file")])
def test_bad_model_list(tmp_path, text, message):
    (tmp_path / "models.json").write_text(text)
    done = run("perplexity.py", tmp_path / "models.json")
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr


def test_llama_is_a_causal_language_model(script, tmp_path):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    sizes = argparse.Namespace(width=32, hidden=40, layers=2, heads=4, kv_heads=2, vocabulary=50, seed=0, cache=False,
                               last_logits=False)
    parameters = script("make_llama_onnx").write(tmp_path / "small.onnx", sizes)
    assert parameters == 2 * 50 * 32 + 32 + 2 * (2 * 32 + 2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 40)
    session = onnxruntime.InferenceSession(str(tmp_path / "small.onnx"), providers=["CPUExecutionProvider"])
    tokens = np.random.default_rng(0).integers(0, 50, (2, 9))
    logits, = session.run(None, {"input_ids": tokens})
    assert logits.shape == (2, 9, 50) and np.isfinite(logits).all() and 0.1 < logits.std() < 10
    start, = session.run(None, {"input_ids": tokens[:, :5]})
    assert np.allclose(logits[:, :5], start, atol=1e-5)
    sizes.last_logits = True
    script("make_llama_onnx").write(tmp_path / "last.onnx", sizes)
    session = onnxruntime.InferenceSession(str(tmp_path / "last.onnx"), providers=["CPUExecutionProvider"])
    last, = session.run(None, {"input_ids": tokens})
    assert last.shape == (2, 1, 50) and np.allclose(logits[:, -1:], last, atol=1e-5)


def test_llama_goes_on_from_a_past(script, tmp_path):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    sizes = argparse.Namespace(width=32, hidden=40, layers=2, heads=4, kv_heads=2, vocabulary=50, seed=0, cache=True,
                               last_logits=False)
    script("make_llama_onnx").write(tmp_path / "small.onnx", sizes)
    session = onnxruntime.InferenceSession(str(tmp_path / "small.onnx"), providers=["CPUExecutionProvider"])
    tokens = np.random.default_rng(0).integers(0, 50, (2, 9))
    past = {i.name: np.zeros((2, 2, 0, 8), np.float32) for i in session.get_inputs() if i.name != "input_ids"}
    assert len(past) == 4
    whole = session.run(None, {"input_ids": tokens, **past})
    start = session.run(None, {"input_ids": tokens[:, :6], **past})
    rest = session.run(None, {"input_ids": tokens[:, 6:], **dict(zip(past, start[1:]))})
    assert np.allclose(whole[0][:, 6:], rest[0], atol=1e-5)
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(whole[1:], rest[1:]))


def test_gguf_is_of_the_size_of_its_type(script, tmp_path):
    gguf = pytest.importorskip("gguf")
    sizes = argparse.Namespace(width=256, hidden=512, layers=1, heads=4, kv_heads=2, vocabulary=100)
    model = script("language_model_peers").LlamaCpp("llama-bench", "q4_K", sizes, tmp_path)
    reader = gguf.GGUFReader(model.path)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    assert len(tensors) == 3 + 9
    assert tensors["blk.0.ffn_down.weight"].shape.tolist() == [512, 256]
    assert tensors["output.weight"].n_bytes == 100 * 256 * 144 // 256


def test_roofline_needs_both_limits(tmp_path):
    (tmp_path / "figures.json").write_text('{"figures": []}')
    done = run("plot_roofline.py", tmp_path / "figures.json", "-o", tmp_path / "plot.png")
    assert done.returncode == 1 and "both limits" in done.stderr and not (tmp_path / "plot.png").exists()


def test_roofline(tmp_path):
    pytest.importorskip("matplotlib")
    figure = {"layer": "16x32", "threads": 1, "bits": 4, "group_size": 32, "activations": "int8", "code_bytes": 256}
    figures = [{**figure, "peer": peer, "tokens": tokens, "operations": 1024 * tokens, "median_us": time}
               for tokens in (1, 8) for peer, time in (("Lowbit", 2.0 * tokens), ("reading the weight", 1.0),
                                                       ("arithmetic alone", 0.5 * tokens))]
    (tmp_path / "figures.json").write_text(json.dumps({"figures": figures}))
    done = run("plot_roofline.py", tmp_path / "figures.json", "-o", tmp_path / "plot.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("group_size", [32, 128])
def test_nbits_model_is_the_same_layer(script, tmp_path, group_size):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from lowbit.reference import Scheme, quantize_rtn
    peers = script("matmul_peers")
    generator = np.random.default_rng(0)
    weight = generator.standard_normal((24, 256)).astype(np.float32)
    options = argparse.Namespace(bits=4, group_size=group_size, activations="float")
    x = generator.standard_normal((1, 3, 256)).astype(np.float32)
    y = peers.OnnxRuntime(tmp_path, weight, options, copies=1).output(x)
    expected = quantize_rtn(weight, Scheme(4, group_size, scale_type="f16")).dequantize()
    assert np.allclose(y, x @ expected.T, atol=1e-4)


@pytest.mark.parametrize("threads", [1, 3])
def test_bandwidth_probe_reads_everything(script, tmp_path, threads):
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    peers = script("matmul_peers")
    probe = peers.Probe(tmp_path, 3 * 16 * 64 * 5, copies=2)
    call, other = probe.calls(None, threads)
    before = call()
    start = -probe.buffers[0].ctypes.data % 64
    for place in range(start, start + probe.size, 64):
        probe.buffers[0][place] ^= 1
        assert call() == before ^ 1
        probe.buffers[0][place] ^= 1
    probe.buffers[1][:] = 0
    assert other() == 0


@pytest.mark.parametrize("activations", ["int8", "float"])
def test_peak_runs(script, tmp_path, activations):
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    weight = np.zeros((64, 64), np.float32)
    peak = script("matmul_peers").Peak(tmp_path, weight, argparse.Namespace(activations=activations))
    assert peak.operations == 2 * 64 * 64
    for call in peak.calls(np.zeros((1, 3, 64), np.float32), threads=2):
        call()
