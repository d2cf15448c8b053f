"""The driver of the tools, with small scripts in the place of the tools."""

import sys

import pytest

from lowbit import tools


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Makes an executable `name` of Python source and puts it where tools are looked for."""
    monkeypatch.setenv("LOWBIT_TOOLS", str(tmp_path))

    def make(name, source):
        path = tmp_path / name
        path.write_text(f"#!{sys.executable}\nimport sys\n{source}\n")
        path.chmod(0o755)

    return make


def test_missing_tool_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LOWBIT_TOOLS", str(tmp_path))
    with pytest.raises(tools.ToolError, match=f"quant-opt was not found in {tmp_path}"):
        tools.run_tool("quant-opt", "--help")


def test_missing_tool_without_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("LOWBIT_TOOLS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(tools.ToolError, match="set LOWBIT_TOOLS"):
        tools.find_tool("quant-run")


def test_output_is_returned(fake):
    fake("quant-opt", "print(*sys.argv[1:])")
    assert tools.run_tool("quant-opt", "a b", 3) == "a b 3\n"


def test_failure_carries_the_error_line(fake):
    fake("quant-opt", "print('m.mlir:1:1: error: bits must be 2 to 8\\nnote: see', file=sys.stderr); sys.exit(1)")
    with pytest.raises(tools.ToolError, match=r"quant-opt failed \(1\): m.mlir:1:1: error: bits must be 2 to 8$"):
        tools.run_tool("quant-opt")


def test_unknown_flag(fake):
    fake("quant-opt", "sys.exit(\"quant-opt: Unknown command line argument '--x'.\\nquant-opt: Did you mean '--y'?\")")
    with pytest.raises(tools.ToolError, match="Unknown command line argument '--x'"):
        tools.run_tool("quant-opt", "--x")


def test_external_parts_of_a_module(fake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    header = b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}, "__metadata__": {}}'
    (tmp_path / "w\".safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(12))
    (tmp_path / "m.mlir").write_text("12345")
    fake("quant-opt", """print(r'#lowbit.external<"x.data", offset = 8, length = 100> #lowbit.external<"x.data", offset = 0, length = 100>')
print(r'#lowbit.external<"w\\22.safetensors", "a"> #lowbit.external<"w\\22.safetensors", "a">')""")
    assert tools.external_slices("m.mlir") == {(tmp_path / "x.data", 8): 100, (tmp_path / "x.data", 0): 100,
                                               (tmp_path / 'w".safetensors', "a"): 8}
    assert tools.stored_bytes(tmp_path / "m.mlir") == 5 + 208
    fake("quant-opt", """print('#lowbit.external<"m.mlir", "a">')""")
    with pytest.raises(tools.ToolError, match="m.mlir is no .safetensors file"):
        tools.stored_bytes("m.mlir")


def test_comparison_is_parsed(fake):
    fake("quant-run", "assert sys.argv[1:] == ['f.mlir', '--compare=q.mlir', '--inputs=x.npy', '--json', '--limit=1']; print('[]')")
    assert tools.compare("f.mlir", "q.mlir", "x.npy", "--limit=1") == []


def test_failure_without_text(fake):
    fake("quant-opt", "sys.exit(3)")
    with pytest.raises(tools.ToolError, match="printed nothing"):
        tools.run_tool("quant-opt")


def test_signal(fake):
    fake("quant-opt", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(tools.ToolError, match="signal 9"):
        tools.run_tool("quant-opt")


def test_timeout(fake):
    fake("quant-opt", "import time; time.sleep(30)")
    with pytest.raises(tools.ToolError, match="within 0.2 s"):
        tools.run_tool("quant-opt", timeout=0.2)


def test_perplexity_is_parsed(fake):
    fake("quant-run", "print('windows: 2'); print('perplexity: 4.8942')")
    assert tools.perplexity("m.mlir", "t.npy") == 4.8942


def test_perplexity_that_is_missing(fake):
    fake("quant-run", "print('hello')")
    with pytest.raises(tools.ToolError, match="perplexity"):
        tools.perplexity("m.mlir", "t.npy")


def test_divergence_is_parsed(fake):
    fake("quant-run", "assert sys.argv[1:] == ['f.mlir', '--perplexity=t.npy', '--compare=q.mlir', '--json']\n"
                      "print('{\"kl_mean\": 0.5}')")
    assert tools.divergence("f.mlir", "q.mlir", "t.npy") == {"kl_mean": 0.5}


def test_bench_is_parsed(fake):
    fake("quant-run", "assert '--tokens=1,512' in sys.argv; print('[{\"tokens\": 1}]')")
    assert tools.bench("m.so", [1, 512]) == [{"tokens": 1}]


def test_bench_that_is_no_json(fake):
    fake("quant-run", "print('fast')")
    with pytest.raises(tools.ToolError, match="JSON"):
        tools.bench("m.so", [1])


def test_pass_flags():
    assert tools.pass_flag("gptq") == "--gptq"
    assert tools.pass_flag("gptq", bits=4, group_size=64, act_order=True, symmetric=False) \
        == "--gptq=bits=4 group-size=64 act-order"
