#!/usr/bin/env python3
"""Make a Llama-shaped ONNX model with random weights, of any size, in little memory.

    benchmarks/make_llama_onnx.py llama-1b.onnx                     # 1.1 billion parameters, 4.4 GB
    benchmarks/make_llama_onnx.py small.onnx --width 64 --hidden 172 --layers 2 --heads 4 --kv-heads 2 --vocabulary 100

The defaults are the sizes of TinyLlama 1.1B. The graph maps input_ids [batch, sequence] to logits, with
--last-logits to those of the last token, with --cache also past_key_values.N.key and .value [batch, kv heads, past,
head width] to present.N.key and .value, and is spelled as PyTorch's exporter spells Llama; node names are Hugging
Face's (`/model/layers.0/self_attn/q_proj/MatMul`). Weights are normal with a standard deviation of 1/sqrt(inputs), so
that activations stay of order one; they go to FILE.data one after the other and are never held together. The same
seed gives the same file.
"""

import argparse
import math
import pathlib

import numpy as np

import report

CHUNK = 1 << 22  # floats that are drawn at once


class Builder:
    """Collects nodes and writes weights."""

    def __init__(self, onnx, data, data_name, seed):
        self.onnx, self.data, self.data_name, self.seed = onnx, data, data_name, seed
        self.nodes, self.initializers = [], []
        self.parameters = 0

    def node(self, op, name, *inputs, **attributes):
        """Adds a node with one output, whose name it returns."""
        output = f"{name}_output_0"
        self.nodes.append(self.onnx.helper.make_node(op, list(inputs), [output], name=name, **attributes))
        return output

    def constant(self, name, values, dtype):
        self.initializers.append(self.onnx.numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def weight(self, name, shape, deviation, mean=0.0):
        """Streams a random float32 weight to the data file."""
        count = math.prod(shape)
        generator = np.random.default_rng([self.seed, len(self.initializers)])
        offset = self.data.tell()
        for start in range(0, count, CHUNK):
            values = generator.standard_normal(min(CHUNK, count - start), dtype=np.float32)
            values *= np.float32(deviation)
            values += np.float32(mean)
            self.data.write(values.data)
        self.data.write(b"\0" * (-self.data.tell() % 64))
        tensor = self.onnx.TensorProto(name=name, dims=shape, data_type=self.onnx.TensorProto.FLOAT,
                                       data_location=self.onnx.TensorProto.EXTERNAL)
        for key, value in (("location", self.data_name), ("offset", offset), ("length", 4 * count)):
            tensor.external_data.add(key=key, value=str(value))
        self.initializers.append(tensor)
        self.parameters += count
        return name

    def linear(self, name, x, inputs, outputs):
        weight = self.weight(f"{name.strip('/').replace('/', '.')}.weight", [inputs, outputs], inputs**-0.5)
        return self.node("MatMul", f"{name}/MatMul", x, weight)


def rms_norm(builder, name, x, width):
    squares = builder.node("Pow", f"{name}/Pow", x, "two")
    mean = builder.node("ReduceMean", f"{name}/ReduceMean", squares, axes=[-1])
    root = builder.node("Sqrt", f"{name}/Sqrt", builder.node("Add", f"{name}/Add", mean, "epsilon"))
    unit = builder.node("Div", f"{name}/Div", x, root)
    gain = builder.weight(f"{name.strip('/').replace('/', '.')}.weight", [width], 0.1, mean=1.0)
    return builder.node("Mul", f"{name}/Mul", unit, gain)


def rotary_tables(builder, past, sequence, head_width):
    """cos and sin, [sequence, head width], of the positions after `past`, and what they must not see."""
    half = 10000.0 ** (-np.arange(0, head_width, 2) / head_width)
    builder.constant("frequencies", np.concatenate([half, half])[None], np.float32)
    end = builder.node("Add", "/model/Add", past, sequence) if past != "zero" else sequence
    positions = keys = builder.node("Range", "/model/Range", past, end, "one")
    if past != "zero":
        keys = builder.node("Range", "/model/Range_1", "zero", end, "one")
    column = builder.node("Unsqueeze", "/model/Unsqueeze", positions, "axis_1")
    angles = builder.node("Mul", "/model/Mul", builder.node("Cast", "/model/Cast", column, to=1), "frequencies")
    causal = builder.node("Greater", "/model/Greater",
                          builder.node("Unsqueeze", "/model/Unsqueeze_1", keys, "axis_0"), column)
    mask = builder.node("Where", "/model/Where", causal, "lowest", "zero_f")
    return builder.node("Cos", "/model/Cos", angles), builder.node("Sin", "/model/Sin", angles), mask


def rotate(builder, name, x, tables):
    low = builder.node("Slice", f"{name}/Slice", x, "axis_0", "half", "axis_last")
    high = builder.node("Slice", f"{name}/Slice_1", x, "half", "huge", "axis_last")
    turned = builder.node("Concat", f"{name}/Concat", builder.node("Neg", f"{name}/Neg", high), low, axis=-1)
    return builder.node("Add", f"{name}/Add", builder.node("Mul", f"{name}/Mul", x, tables[0]),
                        builder.node("Mul", f"{name}/Mul_1", turned, tables[1]))


def attention(builder, name, x, sizes, tables, mask, layer):
    head_width = sizes.width // sizes.heads
    kv_width = sizes.kv_heads * head_width

    def heads(part, width, shape):
        y = builder.node("Reshape", f"{name}/{part}/Reshape", builder.linear(f"{name}/{part}_proj", x, sizes.width, width),
                         shape)
        return builder.node("Transpose", f"{name}/{part}/Transpose", y, perm=[0, 2, 1, 3])

    def extend(part, y):
        if not sizes.cache:
            return y
        y = builder.node("Concat", f"{name}/{part}/Concat", f"past_key_values.{layer}.{part}", y, axis=2)
        builder.nodes.append(builder.onnx.helper.make_node("Identity", [y], [f"present.{layer}.{part}"],
                                                           name=f"{name}/{part}/Identity"))
        return y

    def repeat(part, y):
        times = sizes.heads // sizes.kv_heads
        if times == 1:
            return y
        y = builder.node("Unsqueeze", f"{name}/{part}/Unsqueeze", y, "axis_2")
        y = builder.node("Expand", f"{name}/{part}/Expand", y, "repeats")
        return builder.node("Reshape", f"{name}/{part}/Reshape_1", y, "repeated_heads")

    q = rotate(builder, f"{name}/q", heads("q", sizes.width, "q_heads"), tables)
    k = repeat("k", extend("key", rotate(builder, f"{name}/k", heads("k", kv_width, "kv_heads"), tables)))
    v = repeat("v", extend("value", heads("v", kv_width, "kv_heads")))
    k = builder.node("Transpose", f"{name}/k/Transpose_1", k, perm=[0, 1, 3, 2])
    scores = builder.node("Div", f"{name}/Div", builder.node("MatMul", f"{name}/MatMul", q, k), "root_of_head_width")
    weights = builder.node("Softmax", f"{name}/Softmax", builder.node("Add", f"{name}/Add", scores, mask), axis=-1)
    y = builder.node("Transpose", f"{name}/Transpose", builder.node("MatMul", f"{name}/MatMul_1", weights, v),
                     perm=[0, 2, 1, 3])
    y = builder.node("Reshape", f"{name}/Reshape", y, "merged_heads")
    return builder.linear(f"{name}/o_proj", y, sizes.width, sizes.width)


def mlp(builder, name, x, sizes):
    gate = builder.linear(f"{name}/gate_proj", x, sizes.width, sizes.hidden)
    gate = builder.node("Mul", f"{name}/act_fn/Mul", gate, builder.node("Sigmoid", f"{name}/act_fn/Sigmoid", gate))
    up = builder.linear(f"{name}/up_proj", x, sizes.width, sizes.hidden)
    return builder.linear(f"{name}/down_proj", builder.node("Mul", f"{name}/Mul", gate, up), sizes.hidden, sizes.width)


def build(builder, sizes):
    """Adds the whole graph; returns the name of the logits."""
    head_width = sizes.width // sizes.heads
    integers = {"axis_0": [0], "axis_1": [1], "axis_2": [2], "axis_last": [-1], "last": [-1], "half": [head_width // 2],
                "huge": [np.iinfo(np.int64).max], "zero": 0, "one": 1, "index_1": 1, "index_2": 2,
                "q_heads": [0, 0, sizes.heads, head_width], "kv_heads": [0, 0, sizes.kv_heads, head_width],
                "merged_heads": [0, 0, sizes.width], "repeated_heads": [0, sizes.heads, -1, head_width],
                "repeats": [1, 1, sizes.heads // sizes.kv_heads, 1, 1]}
    floats = {"two": 2.0, "epsilon": 1e-5, "root_of_head_width": math.sqrt(head_width), "zero_f": 0.0,
              "lowest": np.finfo(np.float32).min}
    for name, values in integers.items():
        builder.constant(name, values, np.int64)
    for name, values in floats.items():
        builder.constant(name, values, np.float32)

    shape = builder.node("Shape", "/model/Shape", "input_ids")
    sequence = builder.node("Gather", "/model/Gather", shape, "index_1", axis=0)
    past = "zero"
    if sizes.cache:
        past_shape = builder.node("Shape", "/model/Shape_1", "past_key_values.0.key")
        past = builder.node("Gather", "/model/Gather_1", past_shape, "index_2", axis=0)
    cos, sin, mask = rotary_tables(builder, past, sequence, head_width)
    embedding = builder.weight("model.embed_tokens.weight", [sizes.vocabulary, sizes.width], 1.0)
    x = builder.node("Gather", "/model/embed_tokens/Gather", embedding, "input_ids", axis=0)
    for i in range(sizes.layers):
        name = f"/model/layers.{i}"
        normal = rms_norm(builder, f"{name}/input_layernorm", x, sizes.width)
        x = builder.node("Add", f"{name}/Add", x,
                         attention(builder, f"{name}/self_attn", normal, sizes, (cos, sin), mask, i))
        normal = rms_norm(builder, f"{name}/post_attention_layernorm", x, sizes.width)
        x = builder.node("Add", f"{name}/Add_1", x, mlp(builder, f"{name}/mlp", normal, sizes))
    if sizes.last_logits:
        x = builder.node("Slice", "/model/Slice", x, "last", "huge", "axis_1")
    return builder.linear("/lm_head", rms_norm(builder, "/model/norm", x, sizes.width), sizes.width, sizes.vocabulary)


def write(path, sizes, seed=0):
    """Writes the model and its data file; returns the number of parameters."""
    onnx = report.need("onnx")
    path = pathlib.Path(path)
    with open(f"{path}.data", "wb") as data:
        builder = Builder(onnx, data, f"{path.name}.data", seed)
        logits = build(builder, sizes)
    value = onnx.helper.make_tensor_value_info
    builder.nodes.append(onnx.helper.make_node("Identity", [logits], ["logits"], name="/Identity"))
    inputs = [value("input_ids", onnx.TensorProto.INT64, ["batch", "sequence"])]
    positions = 1 if sizes.last_logits else "sequence"
    outputs = [value("logits", onnx.TensorProto.FLOAT, ["batch", positions, sizes.vocabulary])]
    for layer in range(sizes.layers if sizes.cache else 0):
        for part in ("key", "value"):
            shape = ["batch", sizes.kv_heads, "past", sizes.width // sizes.heads]
            inputs.append(value(f"past_key_values.{layer}.{part}", onnx.TensorProto.FLOAT, shape))
            shape = [*shape[:2], "total", shape[3]]
            outputs.append(value(f"present.{layer}.{part}", onnx.TensorProto.FLOAT, shape))
    graph = onnx.helper.make_graph(builder.nodes, "llama", inputs, outputs, builder.initializers)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return builder.parameters


def add_sizes(parser):
    """The options that describe a model."""
    for flag, default in (("width", 2048), ("hidden", 5632), ("layers", 22), ("heads", 32), ("kv-heads", 4),
                          ("vocabulary", 32000), ("seed", 0)):
        parser.add_argument(f"--{flag}", type=int, default=default, help=f"default {default}")


def check_sizes(parser, sizes):
    if min(sizes.width, sizes.hidden, sizes.layers, sizes.heads, sizes.kv_heads, sizes.vocabulary) < 1:
        parser.error("sizes must be positive")
    if sizes.width % (2 * sizes.heads) or sizes.heads % sizes.kv_heads:
        parser.error("--width must be a multiple of twice --heads, and --heads one of --kv-heads")


def main():
    parser = argparse.ArgumentParser(description="Make a Llama-shaped ONNX model with random weights.")
    parser.add_argument("output", type=pathlib.Path, help="the .onnx file; its weights go to OUTPUT.data")
    add_sizes(parser)
    parser.add_argument("--cache", action="store_true", help="take and return the keys and values of a past")
    parser.add_argument("--last-logits", action="store_true", help="return the logits of the last token only")
    sizes = parser.parse_args()
    check_sizes(parser, sizes)
    parameters = write(sizes.output, sizes, sizes.seed)
    print(f"{parameters:,} parameters")


if __name__ == "__main__":
    main()
