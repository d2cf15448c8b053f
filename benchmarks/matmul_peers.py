"""The implementations of a linear layer that matmul.py times: Lowbit, ONNX Runtime, ggml; and the limit.

Each is an object with a name and, for some inputs x [1, tokens, K], a list of calls that compute y = x W^T
with equal weights that lie in different memory, so that a caller who goes round sees none in a cache.
"""

import ctypes
import pathlib
import shutil
import subprocess

import numpy as np

import report
from lowbit import tools
from lowbit.model import Model
from lowbit.reference import Scheme, pack, quantize_rtn

FOLDER = pathlib.Path(__file__).parent
ACCURACY_LEVEL = {"float": 1, "int8": 4}
# Of weights that are not quantized: bf16 and f32.
FLOAT_BITS = (16, 32)
# ggml's types by bits, those with the finest and the coarsest blocks.
GGML_TYPES = {2: ["q2_K"], 3: ["q3_K"], 4: ["q4_0", "q4_K"], 5: ["q5_0", "q5_K"], 6: ["q6_K"], 8: ["q8_0"],
              16: ["bf16", "f16"], 32: ["f32"]}


def compile_c(source, output, *flags):
    """A C file of this folder as a shared library."""
    command = [shutil.which("cc") or "cc", "-O3", "-march=native", "-shared", "-fPIC", str(FOLDER / source),
               "-o", str(output), *flags]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        report.fail(f"no C compiler: {error}")
    if done.returncode:
        line = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
        report.fail(f"{source}: {line}")
    return ctypes.CDLL(str(output))


def save_float_model(path, weight):
    """y = x W^T with W [N, K]; x is [batch, sequence, K]."""
    onnx = report.need("onnx")
    outputs, inputs = weight.shape
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "weight"], ["y"], name="/linear/MatMul")], "linear",
        [value("x", onnx.TensorProto.FLOAT, ["batch", "sequence", inputs])],
        [value("y", onnx.TensorProto.FLOAT, ["batch", "sequence", outputs])],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(weight.T), "weight")])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), path)


def save_nbits_model(path, quantized, accuracy_level):
    """The same layer as com.microsoft.MatMulNBits with the codes of `quantized`: asymmetric, in whole groups."""
    onnx = report.need("onnx")
    outputs, inputs = quantized.codes.shape
    scheme = quantized.scheme
    groups = inputs // scheme.group_size
    # Groups are whole bytes, so the canonical stream of a row is the concatenation of its groups.
    codes = pack(quantized.codes, scheme.bits).reshape(outputs, groups, -1)
    tensors = [onnx.numpy_helper.from_array(codes, "codes"),
               onnx.numpy_helper.from_array(quantized.scales.reshape(-1), "scales"),
               onnx.numpy_helper.from_array(pack(quantized.zeros, scheme.bits).reshape(-1), "zeros")]
    node = onnx.helper.make_node("MatMulNBits", ["x", "codes", "scales", "zeros"], ["y"], domain="com.microsoft",
                                 K=inputs, N=outputs, bits=scheme.bits, block_size=scheme.group_size,
                                 accuracy_level=accuracy_level)
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph([node], "linear",
                                   [value("x", onnx.TensorProto.FLOAT, ["batch", "sequence", inputs])],
                                   [value("y", onnx.TensorProto.FLOAT, ["batch", "sequence", outputs])], tensors)
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.microsoft", 1)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


class Lowbit:
    """The layer through Lowbit's tools, as shared libraries."""

    def __init__(self, folder, weight, options, copies, strategy="auto"):
        self.name = "Lowbit" if strategy == "auto" else f"Lowbit, {strategy}"
        save_float_model(folder / "float.onnx", weight)
        module = tools.import_onnx(folder / "float.onnx", folder / "float.mlir")
        scheme = {"bits": options.bits, "group_size": options.group_size}
        if options.bits in FLOAT_BITS:
            scheme = {"format": {16: "bf16", 32: "f32"}[options.bits]}
        if options.format == "bcq":
            scheme = {"format": f"#lowbit.bcq<bits = {options.bits}, group = [1, {options.group_size}], scale = f16>"}
        flags = [tools.pass_flag("quantize-rtn", **scheme)]
        if options.activations == "int8":
            flags.append("--quantize-activations")
        module = tools.optimize(module, folder / "quantized.mlir", *flags)
        library = tools.compile_library(module, folder / f"{strategy}0.so", options.target, strategy)
        paths = [library] + [folder / f"{strategy}{i}.so" for i in range(1, copies)]
        for path in paths[1:]:
            shutil.copyfile(library, path)
        self.models = [Model(path) for path in paths]

    def calls(self, x, threads):
        for model in self.models:
            model.set_threads(threads)
        return [model.prepare({"x": x}) for model in self.models]

    def output(self, x):
        return self.models[0].run({"x": x})["y"]


class OnnxRuntime:
    """MatMulNBits, with the codes, scales and zero points that Lowbit computes; MatMul of a float weight as f32."""

    def __init__(self, folder, weight, options, copies):
        self.runtime = report.need("onnxruntime")
        self.copies, self.sessions = copies, {}
        if options.bits in FLOAT_BITS:
            self.name = "ONNX Runtime, f32"
            self.path = folder / "float.onnx"
            save_float_model(self.path, weight)
            return
        self.name = f"ONNX Runtime, accuracy level {ACCURACY_LEVEL[options.activations]}"
        self.path = folder / "nbits.onnx"
        # Scales are float16 in both, as Lowbit stores them.
        quantized = quantize_rtn(weight, Scheme(options.bits, options.group_size, scale_type="f16"))
        save_nbits_model(self.path, quantized, ACCURACY_LEVEL[options.activations])

    def calls(self, x, threads):
        if threads not in self.sessions:
            options = self.runtime.SessionOptions()
            options.intra_op_num_threads = threads
            self.sessions[threads] = [
                self.runtime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
                for _ in range(self.copies)]
        return [lambda s=session: s.run(None, {"x": x}) for session in self.sessions[threads]]

    def output(self, x):
        return self.calls(x, 1)[0]()[0]


class Ggml:
    """ggml's kernels for one type, in one of the forms in which it keeps weights."""

    def __init__(self, library, type_name, memory, weight, copies):
        self.library, self.type_name, self.memory = library, type_name, memory
        self.name = f"ggml {type_name} {library.ggml_layer_memory(memory).decode()}"
        self.weight, self.copies, self.layers = weight, copies, []

    @staticmethod
    def open(prefix, folder):
        """ggml_layer.c, compiled against the headers and libraries below `prefix`."""
        headers = next(iter(sorted(prefix.rglob("ggml-cpu.h"))), None)
        library = next(iter(sorted(prefix.rglob("libggml-cpu.so"))), None)
        if not headers or not library:
            report.fail(f"{prefix} has no ggml-cpu.h or no libggml-cpu.so below it")
        layer = compile_c("ggml_layer.c", folder / "ggml_layer.so", f"-I{headers.parent}", f"-L{library.parent}",
                          "-lggml-cpu", "-lggml-base", f"-Wl,-rpath,{library.parent.resolve()}")
        layer.ggml_layer_create.restype = ctypes.c_void_p
        layer.ggml_layer_create.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int64, ctypes.c_int64,
                                            ctypes.c_void_p, ctypes.c_int64, ctypes.c_int]
        layer.ggml_layer_memory.restype = ctypes.c_char_p
        layer.ggml_layer_free.argtypes = layer.ggml_layer_run.argtypes = [ctypes.c_void_p]
        layer.ggml_layer_set_input.argtypes = layer.ggml_layer_get_output.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        return layer

    @classmethod
    def all(cls, library, weight, options, copies):
        """Every type of that many bits in every form that has kernels for it."""
        peers = []
        for type_name in GGML_TYPES.get(options.bits, []):
            memory = 0
            while library.ggml_layer_memory(memory):
                peer = cls(library, type_name, memory, weight, copies)
                if peer._create(1, 1):
                    peers.append(peer)
                memory += 1
        return peers

    def _create(self, tokens, threads):
        outputs, inputs = self.weight.shape
        layer = self.library.ggml_layer_create(self.type_name.encode(), self.memory, outputs, inputs,
                                               self.weight.ctypes.data, tokens, threads)
        if layer:
            self.layers.append(layer)
        return layer

    def _free(self):
        for layer in self.layers:
            self.library.ggml_layer_free(layer)
        self.layers = []

    def calls(self, x, threads):
        self._free()
        layers = [self._create(x.shape[1], threads) for _ in range(self.copies)]
        for layer in layers:
            self.library.ggml_layer_set_input(layer, x.ctypes.data)
        return [lambda l=layer: self.library.ggml_layer_run(l) for layer in layers]

    def output(self, x):
        self.calls(x, 1)[0]()
        y = np.empty((1, x.shape[1], self.weight.shape[0]), np.float32)
        self.library.ggml_layer_get_output(self.layers[0], y.ctypes.data)
        return y


class Peak:
    """Executes as many multiply-adds as the layer has, on registers alone: no kernel can be faster."""

    name = "arithmetic alone"

    def __init__(self, folder, weight, options):
        self.library = compile_c("peak_arithmetic.c", folder / "peak_arithmetic.so", "-pthread")
        self.library.peak_arithmetic_run.argtypes = [ctypes.c_double, ctypes.c_int, ctypes.c_int]
        self.operations, self.floats = 2 * weight.size, int(options.activations == "float")

    def calls(self, x, threads):
        return [lambda: self.library.peak_arithmetic_run(self.operations * x.shape[1], self.floats, threads)]


class Probe:
    """Reads as many bytes as the weight has, or its codes alone: no kernel can be faster."""

    name = "reading the weight"

    def __init__(self, folder, size, copies):
        self.library = compile_c("read_bandwidth.c", folder / "read_bandwidth.so", "-pthread")
        self.library.read_bandwidth_run.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        self.size = size
        self.buffers = [np.full(size + 64, i, np.uint8) for i in range(copies)]

    def calls(self, x, threads):
        def call(buffer):
            start = -buffer.ctypes.data % 64
            return lambda: self.library.read_bandwidth_run(buffer.ctypes.data + start, self.size, threads)

        return [call(buffer) for buffer in self.buffers]
