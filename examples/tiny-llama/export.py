#!/usr/bin/env python3
"""Export a checkpoint of train.py to ONNX and write the token files beside it.

    python3 export.py tiny-llama.pt

writes, into the folder of this script unless `--output` names another one:

    tiny-llama.onnx            input_ids [batch, sequence] -> logits
    tiny-llama-with-past.onnx  + attention_mask, position_ids, past_key_values.{i}.{key,value}
                               -> logits, present.{i}.{key,value}
    tiny-llama.onnx.data       the weights of both
    eval.npy, calib.npy        held-out and calibration tokens, int32 [windows, length]
"""

import argparse
import pathlib
import tempfile

import numpy
import onnx
import torch

import data
import model as llama
import tokenizer as bpe

OPSET = 17
EXTERNAL_BYTES = 1024


def causal_mask(queries, keys):
    """0 where query i of the last `queries` positions may see key j, a large negative number elsewhere."""
    last = torch.arange(keys - queries, keys)[:, None]
    hidden = torch.arange(keys)[None] > last
    return torch.where(hidden, torch.finfo(torch.float32).min, 0.0)[None, None]


class Full(llama.Llama):
    """`Llama` with the signature of tiny-llama.onnx."""

    def forward(self, input_ids):
        length = input_ids.shape[1]
        return super().forward(input_ids, causal_mask(length, length))


class WithPast(llama.Llama):
    """`Llama` with the signature of tiny-llama-with-past.onnx."""

    def forward(self, input_ids, attention_mask, position_ids, *past):
        pairs = list(zip(past[0::2], past[1::2]))
        mask = causal_mask(input_ids.shape[1], attention_mask.shape[1])
        padding = (attention_mask == 0)[:, None, None]
        mask = torch.where(padding, torch.finfo(torch.float32).min, mask)
        logits, presents = self.forward_with_past(input_ids, position_ids, mask, pairs)
        return (logits, *[tensor for present in presents for tensor in present])


def export(module, arguments, inputs, outputs, axes):
    """The ONNX model of `module`, by PyTorch's tracing exporter."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.onnx"
        torch.onnx.export(module, arguments, str(path), input_names=inputs, output_names=outputs,
                          dynamic_axes=axes, opset_version=OPSET, do_constant_folding=True, dynamo=False)
        model = onnx.load(path)
    onnx.checker.check_model(model)
    return model


def export_full(checkpoint):
    model = llama.load(checkpoint, Full)
    axes = {"input_ids": {0: "batch", 1: "sequence"}, "logits": {0: "batch", 1: "sequence"}}
    tokens = torch.ones(2, 8, dtype=torch.int64)
    return export(model, (tokens,), ["input_ids"], ["logits"], axes)


def export_with_past(checkpoint):
    model = llama.load(checkpoint, WithPast)
    config = model.config
    inputs, outputs = ["input_ids", "attention_mask", "position_ids"], ["logits"]
    axes = {"input_ids": {0: "batch", 1: "sequence"}, "attention_mask": {0: "batch", 1: "total"},
            "position_ids": {0: "batch", 1: "sequence"}, "logits": {0: "batch", 1: "sequence"}}
    for i in range(config.layers):
        for part in ("key", "value"):
            inputs.append(f"past_key_values.{i}.{part}")
            outputs.append(f"present.{i}.{part}")
            axes[inputs[-1]] = {0: "batch", 2: "past"}
            axes[outputs[-1]] = {0: "batch", 2: "total"}
    batch, sequence, past = 2, 3, 5
    arguments = (torch.ones(batch, sequence, dtype=torch.int64),
                 torch.ones(batch, past + sequence, dtype=torch.int64),
                 torch.arange(past, past + sequence)[None].repeat(batch, 1),
                 *[torch.zeros(batch, config.kv_heads, past, config.head_width)] * (2 * config.layers))
    return export(model, arguments, inputs, outputs, axes)


def save(models, folder, data_name):
    """Writes the models; tensors of at least EXTERNAL_BYTES go to one shared file, equal ones once."""
    offsets = {}
    with open(folder / data_name, "wb") as file:
        for name, model in models.items():
            for tensor in model.graph.initializer:
                raw = onnx.numpy_helper.to_array(tensor).tobytes()
                if len(raw) < EXTERNAL_BYTES:
                    continue
                if raw not in offsets:
                    offsets[raw] = file.tell()
                    file.write(raw + b"\0" * (-len(raw) % 64))
                tensor.ClearField("raw_data")
                tensor.data_location = onnx.TensorProto.EXTERNAL
                entries = {"location": data_name, "offset": offsets[raw], "length": len(raw)}
                for key, value in entries.items():
                    tensor.external_data.add(key=key, value=str(value))
            onnx.save(model, folder / name)


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description="Export tiny-llama; see the head of the file.")
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--tokenizer", type=pathlib.Path, default=here / "tokenizer.json")
    parser.add_argument("--output", type=pathlib.Path, default=here)
    options = parser.parse_args()

    checkpoint = torch.load(options.checkpoint, weights_only=True)
    save({"tiny-llama.onnx": export_full(checkpoint), "tiny-llama-with-past.onnx": export_with_past(checkpoint)},
         options.output, "tiny-llama.onnx.data")

    tokenizer = bpe.Tokenizer.load(options.tokenizer)
    numpy.save(options.output / "eval.npy", data.held_out_windows(tokenizer))
    numpy.save(options.output / "calib.npy", data.calibration_windows(tokenizer))


if __name__ == "__main__":
    main()
