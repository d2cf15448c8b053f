"""The Hessian of a linear layer's squared output error, from the layer's inputs."""

import numpy as np


class Hessian:
    """`value` is H = 2/N sum X^T X, [K, K] float64, over N sequences.

    N counts sequences and not tokens, as in the published GPTQ code; it is a
    scale that no result of GPTQ but the reported loss depends on.
    """

    def __init__(self, columns):
        self.value = np.zeros((columns, columns))
        self.sequences = 0

    def update(self, inputs):
        """Adds inputs [K], [T, K] (one sequence) or [n, T, K] (n sequences)."""
        inputs = np.asarray(inputs, dtype=np.float64)
        columns = self.value.shape[0]
        if not 1 <= inputs.ndim <= 3 or inputs.shape[-1] != columns:
            raise ValueError(f"inputs of shape {list(inputs.shape)} do not end in the {columns} columns of the layer")
        if not np.isfinite(inputs).all():
            raise ValueError("the inputs have values that are not finite")
        count = inputs.shape[0] if inputs.ndim == 3 else 1
        rows = inputs.reshape(-1, columns)
        total = self.sequences + count
        if total:
            self.value *= self.sequences / total
            self.value += 2.0 / total * (rows.T @ rows)
        self.sequences = total

    def merge(self, other):
        """Adds what another Hessian of the same layer has seen."""
        if other.value.shape != self.value.shape:
            raise ValueError(f"cannot merge Hessians of {self.value.shape[0]} and {other.value.shape[0]} columns")
        total = self.sequences + other.sequences
        if total:
            self.value = (self.sequences * self.value + other.sequences * other.value) / total
        self.sequences = total
