"""Writes a tokenizer in the format of llama2.c: make_tokenizer.py <file> <token> ...; later tokens merge first."""

import struct
import sys

with open(sys.argv[1], "wb") as file:
    tokens = [token.encode() for token in sys.argv[2:]]
    file.write(struct.pack("<i", max(map(len, tokens))))
    for score, token in enumerate(tokens):
        file.write(struct.pack("<fi", score, len(token)) + token)
