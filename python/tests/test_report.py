"""`python -m lowbit report`, with small scripts in the place of the tools; test/Python/report.test has the real ones."""

import html.parser
import io
import json
import re
import signal
import sys

import numpy as np
import pytest

from lowbit import __main__ as command_line
from lowbit.report import charts, page, progress, recipes

TOOLS = {
    "quant-translate": "open(sys.argv[-1], 'w').write('imported')",
    "quant-opt": """
import json, pathlib
if sys.argv[1] == '--help':
    print('Optimizer\\n      --gptq     -   Quantize\\n        --bits=<uint>  - Bits\\n        --calibration=<string>  - Data')
    print('        --report=<string>  - File\\n        --state=<string>  - Folder\\n      --rotate   -   Rotate')
    sys.exit()
if '-o' not in sys.argv:
    sys.exit()
if any('bits=9' in flag for flag in sys.argv):
    sys.exit("m.mlir:1:1: error: bits is 9 & <must> be 1 to 8")
for flag in sys.argv:
    if 'report=' in flag:
        layers = [{'layer': '<script>alert(1)</script>', 'rows': 2, 'cols': 8, 'format': 'u4 <g8>', 'bits_per_weight': 4.5,
                   'weight_error': 0.125, 'output_error': None, 'seconds': 0.5},
                  {'layer': 'b', 'rows': 2, 'cols': 24, 'format': 'u8', 'bits_per_weight': 8.5, 'weight_error': 0.0,
                   'output_error': None, 'seconds': 0.5}]
        pathlib.Path(flag.split('report=')[1].split()[0]).write_text(json.dumps(layers))
pathlib.Path(sys.argv[-1]).write_text(' '.join(sys.argv[2:-2]))
""",
    "quant-run": """
import json
text = open([flag for flag in sys.argv if flag.startswith('--compare=')][0][10:]).read() if '--json' in sys.argv else ''
if not text:
    print('perplexity: 2.0')
elif any(flag.startswith('--perplexity') for flag in sys.argv):
    print(json.dumps({'perplexity': 2.0, 'other_perplexity': 2.5125, 'kl_mean': 0.25, 'kl_p99': 1.5, 'kl_max': 3.0,
                      'top1_agreement': 0.75}))
else:
    bins = {'low': -1.0, 'high': 1.0, 'counts': [1, 2, 1], 'other_counts': [0, 4, 0]}
    figures = {'error': 0.21375, 'snr_db': 13.4, 'max': 0.5, 'mean': 0.125, 'cosine': 0.975, 'histogram': bins}
    print(json.dumps([{**figures, 'name': '<script>alert(1)</script>', 'kind': 'layer', 'weight': figures},
                      {'name': 'b', 'kind': 'layer', 'not_compared': 'a transform changed the outputs', 'histogram': None,
                       'weight': {'not_compared': 'a transform changed the weight', 'histogram': None}},
                      {**figures, 'name': 'y', 'kind': 'output'}]))
"""}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with tools that write down how they were called, a model and data."""
    log = f"with open({str(tmp_path / 'calls')!r}, 'a') as calls:\n    print(__file__.split('/')[-1], *sys.argv[1:], file=calls)\n"
    for name, source in TOOLS.items():
        tool = tmp_path / name
        tool.write_text(f"#!{sys.executable}\nimport sys\n{log}{source}\n")
        tool.chmod(0o755)
    monkeypatch.setenv("LOWBIT_TOOLS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.mlir").write_text("float")
    np.save(tmp_path / "tokens.npy", np.arange(40).reshape(10, 4))
    np.save(tmp_path / "calib.npy", np.zeros((2, 4), np.int32))
    return tmp_path


def report(*arguments):
    return command_line.main(["report", "model.mlir", *map(str, arguments)])


class Checker(html.parser.HTMLParser):
    """Elements that are closed in order, and what stands in them."""

    VOID = ("meta", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text, self.attributes = [], [], {}, []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attributes]
        assert len({name for name, _ in attributes}) == len(attributes), attributes
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attributes]

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data):
        for tag in set(self.open):
            self.text[tag] = self.text.get(tag, "") + data


def check_page(text):
    """The page, which is well-formed and asks nobody for anything."""
    checked = Checker(text)
    for tag, name, value in checked.attributes:
        assert name not in ("src", "href", "srcset", "action", "xlink:href"), (tag, name, value)
        assert not name.startswith("on"), (tag, name, value)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"(?m)^// .*$", "", text))
    assert checked.seen.count("script") == 2, "a layer's name must not become an element"
    for picture in re.findall(r"<svg[^>]*>", text):
        assert 'aria-label="' in picture or 'aria-hidden="true"' in picture, picture
    return checked


def test_page_has_what_the_tools_said(folder):
    status = report("--tokens", "tokens.npy", "--calibration", "calib.npy", "--recipe=--gptq=bits=4",
                    "--recipe=--rotate --gptq=bits=9", "--json", "figures.json", "-o", "page.html", "--title", "A <model>")
    assert status == 0
    text = (folder / "page.html").read_text()
    checked = check_page(text)
    assert "A <model>" in checked.text["h1"]
    body = checked.text["main"]
    for figure in ("--gptq=bits=4", "7.500", "2.5125", "+25.6", "0.25000", "1.5000", "75.00 %", "0.21375", "13.4",
                   "<script>alert(1)</script>", "u4 <g8>", "a transform changed the outputs"):
        assert figure in body, figure
    assert "quant-opt failed (1): m.mlir:1:1: error: bits is 9 & <must> be 1 to 8" in body
    figures = json.loads((folder / "figures.json").read_text())
    recipe, refused = figures["recipes"]
    assert recipe["bits"] == (4.5 * 16 + 8.5 * 48) / 64 and recipe["other_perplexity"] == 2.5125
    assert refused["name"] == "--rotate --gptq=bits=9" and "must" in refused["error"] and "bits" not in refused
    # The page has the same figures for programs.
    embedded = json.loads(re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.S)[1])
    assert embedded["recipes"][0]["kl_p99"] == 1.5 and embedded["recipes"][0]["comparison"][0]["error"] == 0.21375


def test_calibration_goes_to_passes_that_take_it(folder):
    assert report("--tokens", "tokens.npy", "--calibration", "calib.npy", "--recipe=--rotate --gptq",
                  "--recipe=--gptq=bits=3 calibration=") == 0
    calls = (folder / "calls").read_text()
    assert "--rotate --gptq=calibration=calib.npy report=" in calls
    assert "--gptq=bits=3 calibration= report=" in calls and "calibration= calibration=" not in calls
    assert "state=" in calls


def test_second_report_measures_only_what_is_new(folder):
    arguments = ("--tokens", "tokens.npy", "-o", "page.html", "--recipe=--gptq=bits=4")
    assert report(*arguments) == 0
    first = (folder / "page.html").read_text()
    (folder / "calls").unlink()
    assert report(*arguments) == 0
    assert (folder / "page.html").read_text() == first
    assert (folder / "calls").read_text() == "quant-opt --help\nquant-opt model.mlir\n", "what the model refers to, no more"
    assert report(*arguments, "--recipe=--gptq=bits=3") == 0
    calls = (folder / "calls").read_text()
    assert "bits=3" in calls and "bits=4" not in calls
    # Other contents under the same name are other data.
    (folder / "calls").unlink()
    np.save(folder / "tokens.npy", np.arange(40)[::-1].reshape(10, 4))
    assert report(*arguments) == 0
    assert "--perplexity" in (folder / "calls").read_text()
    (folder / "model.mlir").write_text("another")
    (folder / "calls").unlink()
    assert report(*arguments) == 0
    assert "--gptq=bits=4" in (folder / "calls").read_text()


def test_goes_on_where_it_was_interrupted(folder):
    tool = folder / "quant-run"
    tool.write_text(tool.read_text().replace(
        "import json", "import json, os\nif '--histogram=64' in sys.argv and os.path.exists('stop'):\n"
        "    os.remove('stop'); os.kill(os.getppid(), 2)", 1))
    (folder / "stop").touch()
    arguments = ("--tokens", "tokens.npy", "-o", "page.html", "--recipe=--gptq=bits=4")
    # Processes that were started in the background may ignore interrupts.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert report(*arguments) == 130
    finally:
        signal.signal(signal.SIGINT, handler)
    assert not (folder / "page.html").exists()
    (folder / "calls").unlink()
    assert report(*arguments) == 0
    calls = (folder / "calls").read_text()
    assert "--histogram=64" in calls and "--perplexity" not in calls and "report=" not in calls
    check_page((folder / "page.html").read_text())
    # What was quantized is no longer needed.
    assert not [path for path in (folder / "page.html.cache").iterdir() if path.is_dir()]


def test_model_that_is_no_language_model(folder):
    assert report("--inputs", "tokens.npy", "--recipe=--gptq=bits=4", "-o", "page.html", "--layers=alert") == 0
    text = (folder / "page.html").read_text()
    body = check_page(text).text["main"]
    assert "output error" in body and "perplexity" not in body and "top-1" not in body
    assert "--perplexity" not in (folder / "calls").read_text()


def test_all_inputs_of_a_model(folder):
    np.savez(folder / "inputs.npz", x=np.zeros(3), y=np.ones(2))
    assert report("--inputs", "inputs.npz", "--recipe=--gptq=bits=4", "-o", "page.html") == 0
    assert "--inputs=inputs.npz" in (folder / "calls").read_text()


def test_nothing_to_quantize(folder):
    tool = folder / "quant-opt"
    tool.write_text(re.sub(r"layers = \[.*?\n\s+pathlib", "layers = []\n        pathlib", tool.read_text(), flags=re.S))
    assert report("--inputs", "tokens.npy", "--recipe=--gptq", "-o", "page.html") == 0
    assert "found no layer to quantize" in check_page((folder / "page.html").read_text()).text["main"]


def test_figures_that_are_no_numbers(folder):
    tool = folder / "quant-run"
    tool.write_text(tool.read_text().replace("2.5125", "None").replace("0.21375", "None"))
    assert report("--tokens", "tokens.npy", "--recipe=--gptq", "-o", "page.html") == 0
    assert "75.00 %" in check_page((folder / "page.html").read_text()).text["main"]


def test_model_that_does_not_run(folder):
    tool = folder / "quant-run"
    working = tool.read_text()
    tool.write_text(working.replace("import json", "sys.exit('error: <Conv> cannot be lowered')", 1))
    for data in ("--tokens", "--inputs"):
        assert report(data, "tokens.npy", "--recipe=--gptq", "-o", "page.html") == 0
        body = check_page((folder / "page.html").read_text()).text["main"]
        assert "float model does not run here" in body and "error: <Conv> cannot be lowered" in body
        # Sizes and formats are known all the same.
        assert "7.500" in body and "u4 <g8>" in body
    # One that runs in float only.
    tool.write_text(working.replace("else:\n    bins", "elif 'convert' in text:\n    sys.exit('error: no kernel')\nelse:\n    bins", 1))
    assert report("--inputs", "tokens.npy", "--recipe=--gptq", "-o", "page.html") == 0
    body = check_page((folder / "page.html").read_text()).text["main"]
    assert "Quantized, but does not run" in body and "error: no kernel" in body and "7.500" in body


def test_all_refused(folder):
    assert report("--tokens", "tokens.npy", "--recipe=--gptq=bits=9", "-o", "page.html") == 0
    body = check_page((folder / "page.html").read_text()).text["main"]
    assert "None of the recipes could be measured" in body and "must" in body


@pytest.mark.parametrize("arguments, message", [
    (("--tokens", "missing.npy", "--recipe=--gptq"), "missing.npy: no such file"),
    (("--tokens", "tokens.npy", "--calibration", "none.npy", "--recipe=--gptq"), "none.npy: no such file"),
    (("--tokens", "model.mlir", "--recipe=--gptq"), "model.mlir is no .npy file"),
    (("--tokens", "flat.npy", "--recipe=--gptq"), "must hold tokens as [windows, length], got int64[3]"),
    (("--tokens", "tokens.npy"), "nothing to try: give --recipe or --recipes"),
    (("--tokens", "tokens.npy", "--recipe=gptq"), "recipe 'gptq' must be flags of quant-opt"),
    (("--tokens", "tokens.npy", "--recipe=--help"), "--help is no pass"),
    (("--tokens", "tokens.npy", "--recipe=--gptq", "--recipe=--gptq"), "recipe '--gptq' is given twice"),
    (("--tokens", "tokens.npy", "--recipe=--gptq", "--layers=("), "'(' is no regular expression"),
    (("--tokens", "tokens.npy", "--recipe=--gptq", "--windows=-1"), "must not be negative"),
    (("--inputs", "tokens.npy", "--recipe=--gptq", "--windows=1"), "--windows is for --tokens"),
    (("--tokens", "tokens.npy", "--recipe=--gptq", "-o", "nowhere/page.html"), "there is no folder"),
    (("--tokens", "tokens.npy", "--recipes=model.mlir"), "model.mlir is no JSON"),
    (("--tokens", "tokens.npy", "--recipes=bad.json"), 'not {"name": "a"}'),
    (("--tokens", "tokens.npy", "--recipe=--gptq", "--cache=model.mlir"), "cannot make the folder model.mlir"),
])
def test_what_is_wrong_is_said_in_one_line(folder, capsys, arguments, message):
    np.save(folder / "flat.npy", np.arange(3))
    (folder / "bad.json").write_text('[{"name": "a"}]')
    assert report(*arguments) == 1
    error = [line for line in capsys.readouterr().err.splitlines() if "elapsed" not in line]
    assert len(error) == 1 and message in error[0] and error[0].startswith("lowbit: error: ")
    assert not (folder / "report.html").exists()


def test_missing_tool(folder, capsys):
    (folder / "quant-run").unlink()
    assert report("--tokens", "tokens.npy", "--recipe=--gptq") == 1
    assert "quant-run was not found" in capsys.readouterr().err


def test_one_data_set_is_required(folder, capsys):
    with pytest.raises(SystemExit):
        report("--recipe=--gptq")
    assert "--tokens" in capsys.readouterr().err


def test_recipes_of_a_file(tmp_path):
    path = tmp_path / "r.json"
    path.write_text('["--nf4", {"name": "mine", "flags": "--rotate --gptq=bits=4 group-size=64"}]')
    first, second = recipes.read([], path)
    assert first.arguments() == ["--nf4"] and second.name == "mine"
    assert second.arguments() == ["--rotate", "--gptq=bits=4 group-size=64"]


def test_options_join():
    assert recipes.add_option("--nf4", "report", "a.json") == "--nf4=report=a.json"
    assert recipes.add_option("--gptq=bits=4", "report", "a b.json") == '--gptq=bits=4 report="a b.json"'


def test_pareto_front():
    assert charts.pareto_front([(3, 1), (1, 3), (2, 2), (2, 4), (4, 1), (1, 3)]) == [1, 2, 0]
    assert charts.pareto_front([]) == []


@pytest.mark.parametrize("value, text", [(None, "–"), (0, "0"), (2.09912, "2.099"), (0.00579, "0.00579"), (12345.6, "12346"),
                                         (1e-7, "1.000e-07"), (float("inf"), "inf"), (100, "100"), (0.5, "0.5")])
def test_figures_are_readable(value, text):
    assert charts.number(value) == text


@pytest.mark.parametrize("low, high, log", [(0.3, 0.4, False), (2, 2, False), (0, 1e6, False), (1e-3, 10, True), (5, 6, True)])
def test_ticks_lie_in_range(low, high, log):
    axis = charts.Axis(low, high, 0, 100, log)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 12 and all(-1e-6 <= axis.place(tick) <= 100 + 1e-6 for tick in ticks), ticks


def test_progress_estimates_from_steps_that_took_time():
    now, stream = [0.0], io.StringIO()
    shown = progress.Progress(4, stream, lambda: now[0])
    for seconds in (0, 60, 0):
        with shown.step("work"):
            now[0] += seconds
    with shown.step("last"):
        pass
    assert stream.getvalue().splitlines() == ["[1/4] work  0s elapsed", "[2/4] work  0s elapsed",
                                              "[3/4] work  1m00s elapsed, 2m00s left", "[4/4] last  1m00s elapsed, 1m00s left"]


@pytest.mark.parametrize("length, text", [(10, "0123456789"), (9, "012...789"), (8, "012...89"), (3, "..."), (0, "0123456789")])
def test_lines_fit_the_terminal(length, text):
    assert progress.shorten("0123456789", length) == text


def test_command_lines_can_be_pasted():
    assert page.quote("--nf4") == "--nf4"
    assert page.quote("--gptq=bits=4 group-size=64") == '--gptq="bits=4 group-size=64"'
    assert page.quote('--gptq=format="a b"') == "'--gptq=format=\"a b\"'"
