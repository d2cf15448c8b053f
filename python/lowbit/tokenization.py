"""Text to windows of tokens, with the tokenizers that language models come with.

`load_tokenizer` reads
  `.json`   tokenizer.json of Hugging Face, with the package `tokenizers`
  `.model`  SentencePiece, with the package `sentencepiece`
  `.bin`    llama2.c, by itself
and returns an object with `vocabulary`, the number of tokens, and `encode(text)`, which returns a list of token ids
that begins as the tokenizer has sequences begin (with <s>, say).
"""

import heapq
import json
import pathlib
import struct

import numpy as np


class TokenizationError(ValueError):
    """A text or tokenizer that cannot be used; the message is one line that says why."""


def load_tokenizer(path):
    """The tokenizer in a file, whose kind its name tells; TokenizationError if it has none."""
    path = pathlib.Path(path)
    kinds = {".json": HuggingFaceTokenizer, ".model": SentencePieceTokenizer, ".bin": Llama2cTokenizer}
    kind = kinds.get(path.suffix)
    if kind is None:
        raise TokenizationError(f"tokenizer '{path}' is neither .json (Hugging Face), nor .model (SentencePiece), "
                                "nor .bin (llama2.c)")
    if not path.is_file():
        raise TokenizationError(f"there is no tokenizer '{path}'")
    return kind(path)


def _need(module, path):
    try:
        return __import__(module)
    except ImportError:
        raise TokenizationError(f"tokenizer '{path}' needs the Python package {module} "
                                f"(pip install {module})") from None


class HuggingFaceTokenizer:
    """tokenizer.json; its post-processor decides about special tokens."""

    def __init__(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
        except ValueError as error:
            raise TokenizationError(f"tokenizer '{path}' is no JSON: {error}") from None
        if not isinstance(content, dict) or "model" not in content:
            raise TokenizationError(f"tokenizer '{path}' is no tokenizer.json of Hugging Face: it has no \"model\"")
        tokenizers = _need("tokenizers", path)
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing more special
            raise TokenizationError(f"tokenizer '{path}' cannot be read: {error}") from None
        # Files may ask for what training wants: windows are cut here.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.vocabulary = self._tokenizer.get_vocab_size()

    def encode(self, text):
        return self._tokenizer.encode(text).ids


class SentencePieceTokenizer:
    """A model of SentencePiece; sequences begin with its <s>, if it has one."""

    def __init__(self, path):
        sentencepiece = _need("sentencepiece", path)
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
        except (RuntimeError, OSError) as error:
            raise TokenizationError(f"tokenizer '{path}' cannot be read: {error}") from None
        self.vocabulary = self._processor.get_piece_size()

    def encode(self, text):
        first = self._processor.bos_id()
        return ([first] if first >= 0 else []) + self._processor.encode(text)


class Llama2cTokenizer:
    """tokenizer.bin of llama2.c: an int32, then for each token a float32 score, an int32 length and the bytes.

    Encodes as llama2.c does: <s>, a space before the text, its characters (bytes where there is no token of a
    character), and then, again and again, the pair of neighbours whose joint token has the greatest score, the first
    of several, is replaced by that.
    """

    BOS, FIRST_BYTE = 1, 3

    def __init__(self, path):
        content = pathlib.Path(path).read_bytes()
        self._ids, self._scores = {}, []
        offset = 4
        while offset < len(content):
            if offset + 8 > len(content):
                break
            score, length = struct.unpack_from("<fi", content, offset)
            offset += 8 + length
            if length < 0 or offset > len(content):
                break
            # The first of equal tokens counts: bytes such as <0x0A> come before characters.
            self._ids.setdefault(content[offset - length:offset], len(self._scores))
            self._scores.append(score)
        if offset != len(content) or len(self._scores) <= self.FIRST_BYTE:
            raise TokenizationError(f"tokenizer '{path}' is no tokenizer.bin of llama2.c, or damaged")
        self.vocabulary = len(self._scores)

    def encode(self, text):
        tokens = []
        for character in " " + text if text else "":
            piece = character.encode()
            known = self._ids.get(piece)
            if known is None and self.vocabulary < self.FIRST_BYTE + 256:
                raise TokenizationError(f"the tokenizer has no token for the character {character!r}")
            tokens += [known] if known is not None else [byte + self.FIRST_BYTE for byte in piece]
        return [self.BOS] + self._merge(tokens)

    def _merge(self, tokens):
        pieces = [None] * self.vocabulary
        for piece, token in self._ids.items():
            pieces[token] = piece
        following = list(range(1, len(tokens) + 1))
        preceding = list(range(-1, len(tokens) - 1))
        candidates = []

        def consider(left):
            right = following[left]
            if right >= len(tokens):
                return
            first, second = pieces[tokens[left]], pieces[tokens[right]]
            if first is None or second is None:
                return
            joint = self._ids.get(first + second)
            if joint is not None:
                heapq.heappush(candidates, (-self._scores[joint], left, tokens[left], tokens[right], right, joint))

        for left in range(len(tokens)):
            consider(left)
        while candidates:
            _, left, first, second, right, joint = heapq.heappop(candidates)
            # Other merges may have changed the neighbours meanwhile.
            if tokens[left] != first or following[left] != right or tokens[right] != second:
                continue
            tokens[left], tokens[right] = joint, None
            following[left] = following[right]
            if following[left] < len(tokens):
                preceding[following[left]] = left
            consider(left)
            if preceding[left] >= 0:
                consider(preceding[left])
        return [token for token in tokens if token is not None]


def tokenize_file(text, tokenizer, length):
    """The tokens of a text file [windows, length], int32, in consecutive windows; the rest of the text is left out.

    `tokenizer` is the path of one. TokenizationError if the text is empty, no UTF-8 or shorter than a window.
    """
    if length < 2:
        raise TokenizationError(f"length is {length}, but must be at least 2")
    try:
        content = pathlib.Path(text).read_bytes().decode("utf-8")
    except OSError as error:
        raise TokenizationError(f"cannot read text '{text}': {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise TokenizationError(f"text '{text}' is not UTF-8 at byte {error.start}") from None
    if not content.strip():
        raise TokenizationError(f"text '{text}' is empty")
    tokens = load_tokenizer(tokenizer).encode(content)
    if len(tokens) < length:
        raise TokenizationError(f"text '{text}' has only {len(tokens)} tokens, but a window has {length}; ask for shorter ones")
    count = len(tokens) // length
    return np.asarray(tokens[:count * length], dtype=np.int32).reshape(count, length)
