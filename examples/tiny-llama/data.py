"""The texts of tiny-llama as tokens: which stories each part takes, and how windows are cut."""

import numpy

import generate_text
import tokenizer as bpe

TRAINING_SEED, HELD_OUT_SEED, CALIBRATION_SEED = 1, 2, 3
TOKENIZER_STORIES = 3000
# The first held-out windows are those that train.py looks at while it trains.
VALIDATION_WINDOWS, HELD_OUT_WINDOWS, CALIBRATION_WINDOWS, LENGTH = 32, 64, 128, 256


class Windows:
    """Token windows of one length: each starts with a story, and stories follow until it is full."""

    def __init__(self, tokenizer, seed, length):
        self.tokenizer, self.seed, self.length = tokenizer, seed, length
        self.number = 0

    def take(self, count):
        """The next `count` windows, int32 [count, length]."""
        windows = numpy.empty((count, self.length), dtype=numpy.int32)
        for window in windows:
            ids = []
            while len(ids) < self.length:
                ids += self.tokenizer.encode(generate_text.story(self.seed, self.number))
                self.number += 1
            window[:] = ids[:self.length]
        return windows


def train_tokenizer(size):
    text = "\n".join(generate_text.story(TRAINING_SEED, i) for i in range(TOKENIZER_STORIES))
    return bpe.Tokenizer.train(text, size)


def validation_windows(tokenizer):
    return Windows(tokenizer, HELD_OUT_SEED, LENGTH).take(VALIDATION_WINDOWS)


def held_out_windows(tokenizer):
    """The content of eval.npy."""
    return Windows(tokenizer, HELD_OUT_SEED, LENGTH).take(VALIDATION_WINDOWS + HELD_OUT_WINDOWS)[VALIDATION_WINDOWS:]


def calibration_windows(tokenizer):
    """The content of calib.npy."""
    return Windows(tokenizer, CALIBRATION_SEED, LENGTH).take(CALIBRATION_WINDOWS)
