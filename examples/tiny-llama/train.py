#!/usr/bin/env python3
"""Train tiny-llama on generated stories and write a checkpoint.

    pip install -r requirements.txt
    python3 train.py --output tiny-llama.pt
    python3 export.py tiny-llama.pt

Stories are never repeated: each step takes new ones. Everything is seeded; with
the same PyTorch version and number of threads the result is the same, with
another one it is a model of the same quality.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import time

import torch

import data
import model as llama


def learning_rate(step, steps, peak):
    """Linear warm-up over the first 2 %, then a cosine down to zero."""
    warmup = max(1, steps // 50)
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def main():
    parser = argparse.ArgumentParser(description="Train tiny-llama; see the head of the file.")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("tiny-llama.pt"))
    parser.add_argument("--tokenizer", type=pathlib.Path, default=pathlib.Path(__file__).parent / "tokenizer.json")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--batch", type=int, default=8, help="windows in a step")
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--threads", type=int, default=1)
    for field in dataclasses.fields(llama.Config):
        if field.type is int:
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=int, default=field.default)
    options = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    tokenizer = data.train_tokenizer(options.vocabulary)
    tokenizer.save(options.tokenizer)
    sizes = {f.name: getattr(options, f.name) for f in dataclasses.fields(llama.Config) if f.type is int}
    config = llama.Config(**{**sizes, "vocabulary": len(tokenizer)})
    model = llama.Llama(config)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {json.dumps(dataclasses.asdict(config))}")

    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() != 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": options.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.95), fused=True)
    training = data.Windows(tokenizer, data.TRAINING_SEED, config.context)
    validation = data.validation_windows(tokenizer)

    start = time.monotonic()
    smooth = None
    for step in range(options.steps):
        windows = torch.from_numpy(training.take(options.batch)).long()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, options.steps, options.learning_rate)
        loss = llama.negative_log_likelihood(model(windows[:, :-1]), windows[:, 1:]).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if (step + 1) % 100 == 0:
            seconds = time.monotonic() - start
            print(f"step {step + 1}/{options.steps}  loss {smooth:.4f}  {seconds:.0f} s", flush=True)
        if (step + 1) % 500 == 0 or step + 1 == options.steps:
            print(f"held-out perplexity {llama.perplexity(model, validation):.4f}", flush=True)
            torch.save({"config": dataclasses.asdict(config), "state": model.state_dict()}, options.output)


if __name__ == "__main__":
    main()
