"""A byte-pair-encoding tokenizer of its own: trained, saved and used without other packages.

Text is cut into words (with the space before them), single digits and marks;
inside such a piece, characters are merged in the order in which the merges were
learned (Sennrich, Haddow, Birch: "Neural Machine Translation of Rare Words with
Subword Units", 2016). A character outside the alphabet becomes `<unk>`.

The file is JSON: `{"tokens": [...], "merges": [[left, right], ...]}`, where the
index of a token is its id, ids 0 and 1 are `<unk>` and `<bos>`, and each merge
joins two tokens (by id) into the next id after the alphabet.
"""

import collections
import json
import re

UNK, BOS = 0, 1
_PIECE = re.compile(r" ?[A-Za-z]+|[0-9]| ?[^A-Za-z0-9\s]|\s")


class Tokenizer:
    """Maps text to lists of token ids and back."""

    def __init__(self, tokens, merges):
        if len(tokens) < len(merges) + 2 or tokens[:2] != ["<unk>", "<bos>"]:
            raise ValueError("a tokenizer starts with <unk>, <bos> and has one token for each merge")
        self.tokens = tokens
        self.merges = [tuple(merge) for merge in merges]
        first = len(tokens) - len(merges)
        self._rank = {pair: first + i for i, pair in enumerate(self.merges)}
        self._alphabet = {token: i for i, token in enumerate(tokens[2:first], start=2)}
        self._cache = {}

    def __len__(self):
        return len(self.tokens)

    @classmethod
    def train(cls, text, size):
        """Learns merges from `text` until there are `size` tokens; ties go to the smaller ids."""
        words = collections.Counter(_PIECE.findall(text))
        tokens = ["<unk>", "<bos>"] + sorted(set(text) - {"\n"})
        ids = {token: i for i, token in enumerate(tokens)}
        pieces = [([ids.get(c, UNK) for c in word], count) for word, count in sorted(words.items())]
        merges = []
        while len(tokens) < size:
            pairs = collections.Counter()
            for piece, count in pieces:
                for pair in zip(piece, piece[1:]):
                    pairs[pair] += count
            if not pairs:
                break
            best = min(pairs, key=lambda pair: (-pairs[pair], pair))
            merges.append(best)
            tokens.append(tokens[best[0]] + tokens[best[1]])
            pieces = [(_merge(piece, best, len(tokens) - 1), count) for piece, count in pieces]
        return cls(tokens, merges)

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        return cls(data["tokens"], data["merges"])

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"tokens": self.tokens, "merges": [list(m) for m in self.merges]}, file)
            file.write("\n")

    def encode(self, text, bos=True):
        ids = [BOS] if bos else []
        for word in _PIECE.findall(text):
            if word not in self._cache:
                self._cache[word] = self._encode_word(word)
            ids += self._cache[word]
        return ids

    def decode(self, ids):
        return "".join(self.tokens[i] for i in ids if i > BOS)

    def _encode_word(self, word):
        piece = [self._alphabet.get(c, UNK) for c in word]
        while len(piece) > 1:
            # The merge that was learned first goes first.
            rank, pair = min((self._rank.get(pair, len(self.tokens)), pair) for pair in zip(piece, piece[1:]))
            if rank == len(self.tokens):
                break
            piece = _merge(piece, pair, rank)
        return piece


def _merge(piece, pair, merged):
    """`piece` with every occurrence of `pair`, from the left, replaced by `merged`."""
    out, i = [], 0
    while i < len(piece):
        if tuple(piece[i:i + 2]) == pair:
            out.append(merged)
            i += 2
        else:
            out.append(piece[i])
            i += 1
    return out
