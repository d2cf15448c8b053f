#!/usr/bin/env python3
"""Measure what quantizing tiny-llama costs, with the numpy references and no Lowbit tool.

    pip install -r requirements.txt ../../python
    python3 evaluate.py

reads tiny-llama.onnx, eval.npy and calib.npy and prints the perplexity of the
float model (by PyTorch and by ONNX Runtime) and of models whose decoder
weights went through round-to-nearest and GPTQ. Embedding, norms and head stay
float. GPTQ goes block by block, each on the activations of the quantized
blocks before it, as the code published with the paper does.
"""

import argparse
import copy
import math
import pathlib

import numpy
import onnx
import onnxruntime
import torch
from lowbit.reference import Hessian, Scheme, gptq, quantize_rtn

import model as llama


def load_onnx(path):
    """The PyTorch model with the weights of an exported one."""
    graph = onnx.load(path).graph
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    state = {name: torch.from_numpy(value.copy()) for name, value in tensors.items() if name.startswith("model.")}
    for node in graph.node:
        # Node /model/layers.0/mlp/up_proj/MatMul multiplies by the transposed weight of that module.
        if node.op_type == "MatMul" and node.input[1] in tensors:
            module = node.name.rsplit("/", 1)[0].strip("/").replace("/", ".")
            state[module + ".weight"] = torch.from_numpy(tensors[node.input[1]].T.copy())
    model = llama.Llama(llama.Config())
    model.load_state_dict(state)
    return model.eval()


def linears(block):
    return {name: module for name, module in block.named_modules() if isinstance(module, torch.nn.Linear)}


def round_to_nearest(model, scheme):
    for block in model.model.layers:
        for linear in linears(block).values():
            values = quantize_rtn(linear.weight.detach().numpy(), scheme).dequantize()
            linear.weight.data = torch.from_numpy(values)


def gptq_blocks(model, scheme, calibration, **options):
    """Quantizes block after block; in one block all layers see what its float layers compute."""
    tokens = torch.from_numpy(calibration).long()
    for block in model.model.layers:
        hessians, handles = {}, []
        for name, linear in linears(block).items():
            hessians[name] = Hessian(linear.in_features)
            handles.append(linear.register_forward_hook(
                lambda _, inputs, __, hessian=hessians[name]: hessian.update(inputs[0].numpy())))
        with torch.no_grad():
            for batch in tokens.split(16):
                model(batch)
        for handle in handles:
            handle.remove()
        for name, linear in linears(block).items():
            result = gptq(linear.weight.detach().numpy(), hessians[name].value, scheme, **options)
            linear.weight.data = torch.from_numpy(result.weight.dequantize())


def onnxruntime_perplexity(path, windows):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    losses = []
    for part in numpy.array_split(windows.astype(numpy.int64), max(1, len(windows) // 16)):
        logits, = session.run(None, {"input_ids": part[:, :-1]})
        losses.append(llama.negative_log_likelihood(torch.from_numpy(logits), torch.from_numpy(part[:, 1:])))
    return math.exp(torch.cat(losses).double().mean())


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description="Measure the quantization of tiny-llama; see the head of the file.")
    parser.add_argument("--folder", type=pathlib.Path, default=here, help="where the model and its tokens are")
    parser.add_argument("--group-size", type=int, default=64)
    parser.add_argument("--bits", type=int, nargs="+", default=[4, 3, 2])
    options = parser.parse_args()

    path = options.folder / "tiny-llama.onnx"
    windows = numpy.load(options.folder / "eval.npy")
    calibration = numpy.load(options.folder / "calib.npy")
    model = load_onnx(path)
    print(f"random guess            {model.config.vocabulary}")
    print(f"float, PyTorch          {llama.perplexity(model, windows):.5f}")
    print(f"float, ONNX Runtime     {onnxruntime_perplexity(path, windows):.5f}")
    for bits in options.bits:
        scheme = Scheme(bits, options.group_size)
        nearest = copy.deepcopy(model)
        round_to_nearest(nearest, scheme)
        print(f"{bits} bits, nearest         {llama.perplexity(nearest, windows):.4f}", flush=True)
        for label, extra in (("GPTQ", {}), ("GPTQ, act-order", {"act_order": True})):
            solved = copy.deepcopy(model)
            gptq_blocks(solved, scheme, calibration, **extra)
            print(f"{bits} bits, {label:16}{llama.perplexity(solved, windows):.4f}", flush=True)


if __name__ == "__main__":
    main()
