"""Run compiled models (what `quant-compile` writes as a shared library) in this process.

The library is opened as any C program would open it; the interface is that of
`lowbit/Runtime/model.h`. Neither Lowbit's tools nor LLVM are needed.
"""

import ctypes
import dataclasses
import pathlib

import numpy as np

VERSION = 2
MAX_RANK = 8
# In the order of lowbit_type. numpy has no bfloat16: its bits come as uint16.
DTYPES = tuple(map(np.dtype, ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
                              "float16", "uint16", "float32", "float64")))


class ModelError(RuntimeError):
    """A library is no compiled model, an input does not fit, or a run failed; the text is one line."""


class _Info(ctypes.Structure):
    """lowbit_tensor_info."""

    _fields_ = [("name", ctypes.c_char_p), ("type", ctypes.c_int), ("rank", ctypes.c_int32),
                ("shape", ctypes.c_int64 * MAX_RANK), ("dims", ctypes.c_char_p * MAX_RANK),
                ("updated", ctypes.c_int32)]


class _Tensor(ctypes.Structure):
    """lowbit_tensor."""

    _fields_ = [("data", ctypes.c_void_p), ("shape", ctypes.c_int64 * MAX_RANK), ("owner", ctypes.c_void_p)]


_Tensors = ctypes.POINTER(_Tensor)


class _Interface(ctypes.Structure):
    """lowbit_model."""

    _fields_ = [("version", ctypes.c_int32), ("num_inputs", ctypes.c_int32), ("num_outputs", ctypes.c_int32),
                ("inputs", ctypes.POINTER(_Info)), ("outputs", ctypes.POINTER(_Info)),
                ("run", ctypes.CFUNCTYPE(ctypes.c_int, _Tensors, _Tensors)),
                ("error", ctypes.CFUNCTYPE(ctypes.c_char_p)),
                ("release", ctypes.CFUNCTYPE(None, _Tensors)),
                ("set_threads", ctypes.CFUNCTYPE(None, ctypes.c_int))]


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """What an input or output is: `shape` has None where the size is known only when the model runs, and
    dimensions of one name in `dims` (None: no name) have one size. An input that is `updated`, such as a KV cache,
    is an array that a run changes."""

    name: str
    dtype: np.dtype
    shape: tuple
    dims: tuple
    updated: bool = False


def _read_infos(infos, count):
    def text(value):
        return None if value is None else value.decode()

    return tuple(TensorInfo(text(info.name), DTYPES[info.type],
                            tuple(None if size < 0 else size for size in info.shape[:info.rank]),
                            tuple(map(text, info.dims[:info.rank])), bool(info.updated))
                 for info in infos[:count])


class Call:
    """A model and inputs to run it on, converted once; for timing. `Model.prepare` makes it."""

    def __init__(self, model, arrays):
        self._model = model
        self._arrays = arrays  # keeps the memory that the tensors point to
        self._inputs = (_Tensor * len(arrays))()
        for tensor, array in zip(self._inputs, arrays):
            tensor.data = array.ctypes.data
            tensor.shape[:array.ndim] = array.shape
        self._outputs = (_Tensor * len(model.outputs))()

    def _run(self):
        if self._model._interface.run(self._inputs, self._outputs) != 0:
            raise ModelError(f"{self._model.path}: {self._model._interface.error().decode()}")

    def _release(self):
        for output in self._outputs:
            self._model._interface.release(ctypes.byref(output))

    def __call__(self):
        """Runs the model and drops what it gives."""
        self._run()
        self._release()

    def outputs(self):
        """Runs the model; {name: array} of its outputs."""
        self._run()
        results = {}
        for info, tensor in zip(self._model.outputs, self._outputs):
            shape = tuple(tensor.shape[:len(info.shape)])
            size = int(np.prod(shape, dtype=np.int64)) * info.dtype.itemsize
            data = ctypes.string_at(tensor.data, size) if size else b""
            results[info.name] = np.frombuffer(bytearray(data), info.dtype).reshape(shape)
        self._release()
        return results


class Model:
    """A compiled model.

        model = Model("model.so")
        logits = model.run({"input_ids": tokens})["logits"]

    `inputs` and `outputs` are tuples of TensorInfo. The library stays loaded until the process ends.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        if not self.path.is_file():
            raise ModelError(f"{path}: no such file")
        try:
            self._library = ctypes.CDLL(str(self.path.resolve()))
            get_model = self._library.lowbit_get_model
        except (OSError, AttributeError) as error:
            raise ModelError(f"{path} is not a compiled model: {error}") from None
        get_model.restype = ctypes.POINTER(_Interface)
        self._interface = get_model().contents
        if self._interface.version != VERSION:
            raise ModelError(f"{path} has version {self._interface.version} of the interface, not {VERSION}; "
                             "compile the model again")
        self.inputs = _read_infos(self._interface.inputs, self._interface.num_inputs)
        self.outputs = _read_infos(self._interface.outputs, self._interface.num_outputs)

    def set_threads(self, count):
        """The number of threads of all later runs; 0: OMP_NUM_THREADS, or all processors."""
        if count < 0:
            raise ModelError(f"{count} threads; 0 or more are possible")
        self._interface.set_threads(count)

    def prepare(self, inputs):
        """Checks and converts `inputs`, {name: array}, for any number of runs."""
        missing = [info.name for info in self.inputs if info.name not in inputs]
        unknown = sorted(set(inputs) - {info.name for info in self.inputs})
        if missing or unknown:
            parts = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"unknown: {', '.join(unknown)}"] * bool(unknown)
            raise ModelError(f"{self.path}: inputs {'; '.join(parts)}")
        arrays = []
        for info in self.inputs:
            array = np.asarray(inputs[info.name])
            if array.dtype != info.dtype:
                raise ModelError(f"{self.path}: input '{info.name}' must be {info.dtype}, got {array.dtype}")
            if array.ndim != len(info.shape):
                raise ModelError(f"{self.path}: input '{info.name}' must have {len(info.shape)} dimensions, "
                                 f"got {array.ndim}")
            if info.updated and not (array is inputs[info.name] and array.flags.c_contiguous
                                     and array.flags.writeable):
                raise ModelError(f"{self.path}: input '{info.name}' is updated and must be a contiguous array that can "
                                 "be written")
            arrays.append(np.ascontiguousarray(array))
        return Call(self, arrays)

    def run(self, inputs):
        """The outputs for `inputs`, both {name: array}."""
        return self.prepare(inputs).outputs()
