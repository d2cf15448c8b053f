"""Reference implementations in numpy.

They are written for being read: one obvious loop where the C++ code has blocks
and threads, float64 where it has float32. Everything uses these names:

* `weight`: [M, K] float, M output channels (rows), K input channels (columns);
* `group`: `group_size` consecutive columns of one row; the last one may be
  shorter; `None` means the whole row. G is the number of groups in a row;
* `codes`: [M, K] int32; unsigned, 0 .. 2^bits-1, or signed when symmetric,
  -2^(bits-1) .. 2^(bits-1)-1;
* `scales`: [M, G], `zeros`: [M, G] int32 (0 when symmetric);
* the value of a code is `scale * (code - zero)`; in `codebook`, `scale * levels[code]`,
  in `bcq` a sum of scales with signs.
"""

from . import bcq, codebook, sparsity
from .gptq import GptqResult, factor_inverse, gptq
from .hessian import Hessian
from .packing import pack, packed_width, unpack
from .uniform import QuantizedWeight, Scheme, find_params, quantize_rtn, round_scales

__all__ = [
    "bcq", "codebook", "GptqResult", "Hessian", "QuantizedWeight", "Scheme", "factor_inverse", "find_params", "gptq",
    "pack", "packed_width", "quantize_rtn", "round_scales", "sparsity", "unpack",
]
