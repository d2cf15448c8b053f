"""Pruning by magnitude, and the storage of N of every M weights.

Magnitudes are sorted; of equal ones those that come first, row by row, are pruned, or kept by a pattern. A pattern
cuts each row into blocks of M columns, of which the last one may be shorter.
"""

import math

import numpy as np

from .packing import pack, unpack


def prune_least(weights, sparsity):
    """Copies of some matrices in which the part `sparsity` of all elements, those nearest to zero, is zero."""
    magnitudes = np.concatenate([np.abs(np.asarray(weight, np.float32)).ravel() for weight in weights])
    pruned = np.zeros(magnitudes.size, bool)
    pruned[np.argsort(magnitudes, kind="stable")[:int(sparsity * magnitudes.size)]] = True
    ends = np.cumsum([weight.size for weight in weights])
    return [np.where(part.reshape(weight.shape), 0, weight).astype(weight.dtype)
            for part, weight in zip(np.split(pruned, ends[:-1]), weights)]


def find_kept(weight, kept, block):
    """Where the `kept` greatest magnitudes of every `block` columns are: [M, blocks, kept], ascending in a block.

    Places behind the end of a row come after all others.
    """
    rows, columns = weight.shape
    magnitudes = np.full((rows, -(-columns // block) * block), -1, np.float32)
    magnitudes[:, :columns] = np.abs(weight)
    order = np.argsort(-magnitudes.reshape(rows, -1, block), axis=2, kind="stable")
    return np.sort(order[..., :kept], axis=2)


def place(values, places, columns, block):
    """The [M, columns] matrix that has the values [M, blocks * kept] at these places, and zeros elsewhere."""
    rows, blocks, _ = places.shape
    matrix = np.zeros((rows, blocks * block), values.dtype)
    np.put_along_axis(matrix, (places + block * np.arange(blocks)[:, None]).reshape(rows, -1), values, axis=1)
    return np.ascontiguousarray(matrix[:, :columns])


def gather(weight, places, block):
    """The values [M, blocks * kept] at these places of a matrix; zeros behind the end of a row."""
    rows, blocks, _ = places.shape
    padded = np.pad(weight, ((0, 0), (0, blocks * block - weight.shape[1])))
    return np.take_along_axis(padded, (places + block * np.arange(blocks)[:, None]).reshape(rows, -1), axis=1)


def prune_pattern(weight, kept, block):
    """A copy with zeros except the `kept` greatest magnitudes of every `block` columns."""
    places = find_kept(weight, kept, block)
    return place(gather(weight, places, block), places, weight.shape[1], block)


def index_bits(block):
    """The bits of a place in a block."""
    return math.ceil(math.log2(block))


def pack_places(places, block):
    """The component `indices`."""
    return pack(places.reshape(len(places), -1), index_bits(block))


def unpack_places(packed, kept, block, columns):
    """The inverse of `pack_places`."""
    blocks = -(-columns // block)
    return unpack(packed, index_bits(block), blocks * kept).reshape(len(packed), blocks, kept)
