#!/usr/bin/env python3
"""The type that llama.cpp gives each tensor of a model, for each of its mixtures of types.

    benchmarks/ggml_mixtures.py build/bin/libllama.so > test/Calibration/Inputs/mixtures.json

Llamas of the shapes below are written as GGUF files, quantized by llama_model_quantize of the
library, and read again. A test holds --assign-formats against the result.
"""

import argparse
import ctypes
import json
import pathlib
import sys
import tempfile

import numpy as np

import report

# Those of llama.h.
FILE_TYPES = {"Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_S": 11, "Q3_K_M": 12,
              "Q3_K_L": 13, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25,
              "IQ4_XS": 30}
VOCABULARY = 32
# Depths and groups of heads that each rule tells apart, and widths that blocks of 256 or of 32 do not divide.
SHAPES = {
    "plain": {"layers": 16, "width": 256, "hidden": 512, "heads": 4, "kv_heads": 4},
    "grouped": {"layers": 9, "width": 256, "hidden": 256, "heads": 8, "kv_heads": 2},
    "tied": {"layers": 10, "width": 256, "hidden": 288, "heads": 4, "kv_heads": 2, "tied": True},
    "narrow": {"layers": 3, "width": 64, "hidden": 172, "heads": 8, "kv_heads": 4},
    "deep": {"layers": 80, "width": 256, "hidden": 256, "heads": 8, "kv_heads": 1},
}
ROLES = {"attn_q": "attention_q", "attn_k": "attention_k", "attn_v": "attention_v", "attn_output": "attention_output",
         "ffn_gate": "ffn_gate", "ffn_up": "ffn_up", "ffn_down": "ffn_down"}


class Parameters(ctypes.Structure):
    """llama_model_quantize_params, as far as it is set here; the rest is what the library fills in."""
    _fields_ = [("nthread", ctypes.c_int32), ("ftype", ctypes.c_int), ("rest", ctypes.c_uint8 * 248)]


def write_model(gguf, path, shape):
    """A Llama of zeros."""
    writer = gguf.GGUFWriter(path, "llama")
    head = shape["width"] // shape["heads"]
    writer.add_block_count(shape["layers"])
    writer.add_context_length(64)
    writer.add_embedding_length(shape["width"])
    writer.add_feed_forward_length(shape["hidden"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["kv_heads"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(head)
    writer.add_vocab_size(VOCABULARY)
    width, hidden, narrow = shape["width"], shape["hidden"], shape["kv_heads"] * head
    writer.add_tensor("token_embd.weight", np.zeros((VOCABULARY, width), np.float32))
    if not shape.get("tied"):
        writer.add_tensor("output.weight", np.ones((VOCABULARY, width), np.float32))
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    sizes = {"attn_q": (width, width), "attn_k": (narrow, width), "attn_v": (narrow, width),
             "attn_output": (width, width), "ffn_gate": (hidden, width), "ffn_up": (hidden, width),
             "ffn_down": (width, hidden)}
    for layer in range(shape["layers"]):
        for name, size in sizes.items():
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.zeros(size, np.float32))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(width, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_types(gguf, path, shape):
    """The types by role: one, or a text of those of the layers in their order."""
    types = {tensor.name: tensor.tensor_type.name.lower().replace("_k", "_K")
             for tensor in gguf.GGUFReader(path).tensors}
    result = {"token_embedding": types["token_embd.weight"]}
    if not shape.get("tied"):
        result["head"] = types["output.weight"]
    for name, role in ROLES.items():
        each = [types[f"blk.{layer}.{name}.weight"] for layer in range(shape["layers"])]
        result[role] = each[0] if len(set(each)) == 1 else " ".join(each)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=pathlib.Path, help="libllama.so")
    options = parser.parse_args()
    gguf = report.need("gguf")
    llama = ctypes.CDLL(str(options.library))
    silent = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    llama.llama_log_set(silent, None)
    llama.llama_model_quantize_default_params.restype = Parameters
    result = []
    for name, shape in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            source, target = str(pathlib.Path(folder) / "in.gguf"), str(pathlib.Path(folder) / "out.gguf")
            write_model(gguf, source, shape)
            mixtures = {}
            for mixture, number in FILE_TYPES.items():
                parameters = llama.llama_model_quantize_default_params()
                parameters.ftype = number
                if llama.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(parameters)) != 0:
                    report.fail(f"llama.cpp does not quantize {name} to {mixture}")
                mixtures[mixture] = read_types(gguf, target, shape)
            result.append({"name": name, **shape, "mixtures": mixtures})
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
