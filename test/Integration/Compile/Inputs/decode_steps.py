"""A decoder with caches that are updated in place, against the same one with the exporter's
interface: logits and caches have the same bits in a prefill, a chunk and single tokens.

    decode_steps.py <in-place.so> <as-is.so> <tokens.npy> <logits of the first sequence>
"""

import sys

import numpy as np

from lowbit.model import Model, ModelError

in_place, as_is = Model(sys.argv[1]), Model(sys.argv[2])
tokens = np.load(sys.argv[3]).astype(np.int64)
capacity, chunks = 48, (13, 1, 5, 1, 1, 16)
assert [info.name for info in in_place.inputs if info.updated] == [
    info.name for info in as_is.inputs if info.name.startswith("past")]
assert [info.name for info in in_place.outputs] == ["logits"]
assert not any(info.updated for info in as_is.inputs)


def make_caches(model, batch, rows):
    # What is beyond the past is never read.
    return {info.name: np.full((batch, info.shape[1], rows, info.shape[3]), np.nan, info.dtype)
            for info in model.inputs if info.name.startswith("past_key")}


def make_inputs(ids, past, columns):
    batch, count = ids.shape
    return {"input_ids": ids, "attention_mask": np.ones((batch, columns), np.int64),
            "position_ids": np.tile(np.arange(past, past + count), (batch, 1))}


for batch in (1, 3):
    caches, pasts = make_caches(in_place, batch, capacity), make_caches(as_is, batch, 0)
    begin, logits = 0, []
    for step, count in enumerate(chunks):
        ids = tokens[:batch, begin:begin + count]
        in_place.set_threads(1 + step % 3)
        expected = as_is.run({**make_inputs(ids, begin, begin + count), **pasts})
        # A mask that is longer is cut.
        columns = capacity if step % 2 else begin + count
        actual = in_place.run({**make_inputs(ids, begin, columns), "past_length": np.array(begin), **caches})
        begin += count
        assert (actual["logits"].view(np.int32) == expected["logits"].view(np.int32)).all(), (batch, step)
        for name, cache in caches.items():
            present = expected[name.replace("past_key_values", "present")]
            assert (cache[:, :, :begin].view(np.int32) == present.view(np.int32)).all(), (batch, step, name)
            assert np.isnan(cache[:, :, begin:]).all(), (batch, step, name)
            pasts[name] = present
        logits.append(actual["logits"])
    if batch == 1:
        np.concatenate(logits, axis=1).tofile(sys.argv[4])
print("all agree")


def fails(what, **changed):
    ids = tokens[:1, :4]
    inputs = {**make_inputs(ids, 45, 49), "past_length": np.array(45), **make_caches(in_place, 1, capacity), **changed}
    before = {info.name: inputs[info.name].copy() for info in in_place.inputs if info.updated}
    try:
        in_place.run(inputs)
    except ModelError as error:
        print(f"{what}: {error}")
    else:
        raise AssertionError("nothing was raised")
    past = int(np.clip(inputs["past_length"], 0, capacity))
    for name, cache in before.items():
        assert np.array_equal(cache[:, :, :past], inputs[name][:, :, :past], equal_nan=True)


last = in_place.inputs[-2].name
fails("full")
fails("negative", past_length=np.array(-1))
fails("huge", past_length=np.array(2**63 - 1))
fails("one smaller", past_length=np.array(1), **{last: make_caches(in_place, 1, 8)[last]})
fails("short mask", **make_inputs(tokens[:1, :4], 20, 22), past_length=np.array(20))
fails("read-only", **{last: np.broadcast_to(np.float32(0), make_caches(in_place, 1, capacity)[last].shape)})
