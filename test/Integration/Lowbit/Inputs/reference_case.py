"""A function to run on the reference lowering, and what numpy says that it returns."""

import dataclasses

import numpy as np

MLIR_TYPES = {"int8": "i8", "uint8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "float16": "f16",
              "uint16": "bf16", "float32": "f32"}


def mlir_type(array):
    return f"tensor<{'x'.join(map(str, array.shape))}x{MLIR_TYPES[str(array.dtype)]}>"


@dataclasses.dataclass
class Case:
    """A function body with inputs %a0, %a1, ..., and the array %r0 that it should compute."""

    name: str
    inputs: list
    body: str
    expected: np.ndarray
    tolerance: float = 0.0


def round_trip_case(name, value, quant, expected, op="quantize"):
    """Encodes and decodes."""
    kind = mlir_type(value)
    return Case(name, [value], f"%q = lowbit.{op} %a0 : {kind} -> {quant}\n"
                               f"%r0 = lowbit.dequantize %q : {quant} -> {kind}", expected)


@dataclasses.dataclass
class Weight:
    """A weight's components as they are stored, the type that they are of, and the values that they stand for."""

    name: str
    stored: list
    quant: str
    values: np.ndarray

    def assemble(self):
        arguments = ", ".join(f"%a{i}" for i in range(len(self.stored)))
        return f"%w = lowbit.assemble {arguments} : ({', '.join(map(mlir_type, self.stored))}) -> {self.quant}\n"

    def decode_case(self):
        body = f"%r0 = lowbit.dequantize %w : {self.quant} -> {mlir_type(self.values)}"
        return Case(f"decode_{self.name}", self.stored, self.assemble() + body, self.values)

    def product(self, x):
        return x.astype(np.float64) @ self.values.T.astype(np.float64)

    def matmul_case(self, x, bias=None, tolerance=1e-5):
        """The product with x, within a tolerance relative to its norm: the order of sums is not defined."""
        added = [] if bias is None else [bias]
        product = (self.product(x) + (0 if bias is None else bias)).astype(np.float32)
        n = len(self.stored)
        operands = ", ".join([f"%a{n}", "%w", *(f"%a{n + 1}" for _ in added)])
        types = ", ".join([mlir_type(x), self.quant, *map(mlir_type, added)])
        body = f"%r0 = lowbit.matmul {operands} : ({types}) -> {mlir_type(product)}"
        return Case(f"matmul_{self.name}", [*self.stored, x, *added], self.assemble() + body, product, tolerance)

    def gather_case(self, tokens):
        rows = self.values[tokens]
        body = (f"%r0 = lowbit.gather %w[%a{len(self.stored)}] : ({self.quant}, {mlir_type(tokens)}) "
                f"-> {mlir_type(rows)}")
        return Case(f"gather_{self.name}", [*self.stored, tokens], self.assemble() + body, rows)
