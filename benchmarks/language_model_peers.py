"""The implementations that language_model.py times, each in a process of its own for each measurement.

    language_model_peers.py lowbit FILE '{"threads": 1, "prompt": 512, "decode": 64, "vocabulary": 32000}'

prints the tokens a second of prefill and of decode as JSON; `onnxruntime` likewise. llama.cpp has a program for
that.
"""

import json
import logging
import pathlib
import subprocess
import sys
import time

import numpy as np

import report
from lowbit import tools
from lowbit.model import Model

BLOCK = 32
SYMMETRIC_BITS = 4


def report_rates(step, options):
    """Times `step(tokens, past)`; `options` are numbers."""
    tokens = np.random.default_rng(0).integers(0, options["vocabulary"], (1, options["prompt"]))
    one = tokens[:, :1]

    def rate(count, run):
        start = time.perf_counter()
        run()
        return count / (time.perf_counter() - start)

    # What is done once, when a model is loaded, is none of a token's time.
    step(one, 0)
    step(tokens, 0)
    prefill = rate(options["prompt"], lambda: step(tokens, 0))
    step(one, 0)
    decode = rate(options["decode"], lambda: [step(one, past) for past in range(options["decode"])])
    print(json.dumps({"prefill": prefill, "decode": decode}))


def run_lowbit(path, options):
    model = Model(path)
    model.set_threads(options["threads"])
    capacity = max(options["prompt"], options["decode"])
    caches = {info.name: np.zeros((1, info.shape[1], capacity, info.shape[3]), info.dtype)
              for info in model.inputs if info.updated}
    report_rates(lambda tokens, past: model.run({"input_ids": tokens, "past_length": np.array(past), **caches}), options)


def run_onnxruntime(path, options):
    runtime = report.need("onnxruntime")
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = options["threads"]
    session = runtime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    empty = {i.name: np.zeros((1, i.shape[1], 0, i.shape[3]), np.float32) for i in session.get_inputs() if i.name != "input_ids"}
    cache = {}

    def step(tokens, past):
        # The values of a step's present are the next step's past; they are not copied on the way.
        nonlocal cache
        if past == 0:
            cache = {name: runtime.OrtValue.ortvalue_from_numpy(value) for name, value in empty.items()}
        binding = session.io_binding()
        binding.bind_cpu_input("input_ids", tokens)
        for name, value in cache.items():
            binding.bind_ortvalue_input(name, value)
        for name in outputs:
            binding.bind_output(name, "cpu")
        session.run_with_iobinding(binding)
        present = dict(zip(outputs, binding.get_outputs()))
        cache = {name: present[name.replace("past_key_values", "present")] for name in cache}

    report_rates(step, options)


def largest_resident_size(process):
    """Bytes that a process has held at most so far. What it was before it became this program does not count, as
    it does in `getrusage`: there a child begins with the size of its parent."""
    try:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def run_peer(name, command):
    """What a program prints as JSON, and its largest resident size; None if the system does not say."""
    resident = 0
    try:
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        report.fail(f"{command[0]}: {error}")
    while True:
        resident = max(resident, largest_resident_size(process))
        try:
            output, errors = process.communicate(timeout=0.1)
            break
        except subprocess.TimeoutExpired:
            pass
    if process.returncode:
        report.fail(f"{name}: {errors.strip().splitlines()[-1] if errors.strip() else 'no output'}")
    return json.loads(output), resident or None


class Peer:
    """A model in a file, and how to time it: `name`, `weight_bytes`, and for some the seconds of `compiling`."""

    compiling = None

    def measure(self, **options):
        command = [sys.executable, __file__, self.kind, str(self.path), json.dumps(options)]
        rates, resident = run_peer(self.name, command)
        return {**rates, "resident": resident}


class Lowbit(Peer):
    """All matrices in 4 bits; keys and values stay where they are."""

    name, kind = "Lowbit", "lowbit"

    def __init__(self, source, folder):
        module = tools.import_onnx(source, folder / "float.mlir")
        flag = tools.pass_flag("quantize-rtn", bits=SYMMETRIC_BITS, group_size=BLOCK, symmetric=True, head=True,
                               embeddings=True)
        module = tools.optimize(module, folder / "lowbit.mlir", flag, "--quantize-activations")
        self.path = folder / "lowbit.so"
        start = time.perf_counter()
        tools.compile_library(module, self.path)
        self.compiling = time.perf_counter() - start
        self.weight_bytes = self.path.stat().st_size


class OnnxRuntime(Peer):
    """MatMulNBits by ONNX Runtime's own quantizer; the embedding stays float."""

    name, kind = "ONNX Runtime, accuracy level 4", "onnxruntime"

    def __init__(self, source, folder):
        report.need("onnxruntime")
        report.need("onnx_ir")
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        logging.disable(logging.INFO)
        onnx = report.need("onnx")
        quantizer = MatMulNBitsQuantizer(onnx.load(source), bits=SYMMETRIC_BITS, block_size=BLOCK, is_symmetric=True,
                                         accuracy_level=4)
        quantizer.process()
        self.path = folder / "nbits.onnx"
        onnx.save(quantizer.model.model, self.path, save_as_external_data=True, location="nbits.onnx.data")
        self.weight_bytes = (folder / "nbits.onnx.data").stat().st_size


class LlamaCpp(Peer):
    """Random blocks of one of its types in a GGUF file; llama-bench times it."""

    # Elements and bytes of a block, and where its float16 scales are.
    TYPES = {"q4_0": (32, 18, [0]), "q4_K": (256, 144, [0, 2])}

    def __init__(self, program, type_name, sizes, folder):
        self.program, self.name = program, f"llama.cpp {type_name}"
        self.path = folder / f"{type_name}.gguf"
        self._write(report.need("gguf"), type_name, sizes)
        self.weight_bytes = self.path.stat().st_size

    def _write(self, gguf, type_name, sizes):
        block, size, scales = self.TYPES[type_name]
        generator = np.random.default_rng(0)
        writer = gguf.GGUFWriter(self.path, "llama", use_temp_file=True)
        head_width = sizes.width // sizes.heads
        writer.add_context_length(2048)
        writer.add_embedding_length(sizes.width)
        writer.add_block_count(sizes.layers)
        writer.add_feed_forward_length(sizes.hidden)
        writer.add_head_count(sizes.heads)
        writer.add_head_count_kv(sizes.kv_heads)
        writer.add_rope_dimension_count(head_width)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_vocab_size(sizes.vocabulary)
        writer.add_tokenizer_model("no_vocab")

        def matrix(name, outputs, inputs):
            if inputs % block:
                report.fail(f"{type_name} has blocks of {block}, which do not divide {inputs} inputs")
            data = generator.integers(0, 256, (outputs, inputs // block, size), np.uint8)
            for at in scales:
                # Activations stay of order one.
                data[:, :, at:at + 2] = np.frombuffer(np.float16(inputs**-0.5 / (5 if block == 32 else 300)), np.uint8)
            writer.add_tensor(f"{name}.weight", data.reshape(outputs, -1),
                              raw_dtype=gguf.GGMLQuantizationType[type_name.upper()])

        def norm(name):
            writer.add_tensor(f"{name}.weight", np.ones(sizes.width, np.float32))

        matrix("token_embd", sizes.vocabulary, sizes.width)
        norm("output_norm")
        matrix("output", sizes.vocabulary, sizes.width)
        for layer in range(sizes.layers):
            name = f"blk.{layer}"
            norm(f"{name}.attn_norm")
            matrix(f"{name}.attn_q", sizes.width, sizes.width)
            matrix(f"{name}.attn_k", sizes.kv_heads * head_width, sizes.width)
            matrix(f"{name}.attn_v", sizes.kv_heads * head_width, sizes.width)
            matrix(f"{name}.attn_output", sizes.width, sizes.width)
            norm(f"{name}.ffn_norm")
            matrix(f"{name}.ffn_gate", sizes.hidden, sizes.width)
            matrix(f"{name}.ffn_up", sizes.hidden, sizes.width)
            matrix(f"{name}.ffn_down", sizes.width, sizes.hidden)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    def measure(self, threads, prompt, decode, **_):
        command = [self.program, "-m", self.path, "-t", threads, "-p", prompt, "-n", decode, "-r", 1, "-o", "json"]
        runs, resident = run_peer(self.name, command)
        return {**{"prefill" if run["n_prompt"] else "decode": run["avg_ts"] for run in runs}, "resident": resident}


def main():
    kind, path, options = sys.argv[1:]
    {"lowbit": run_lowbit, "onnxruntime": run_onnxruntime}[kind](path, json.loads(options))


if __name__ == "__main__":
    main()
