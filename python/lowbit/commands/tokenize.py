"""Cut text into windows of tokens to calibrate on: an int32 .npy file.

    python -m lowbit tokenize text.txt --tokenizer tokenizer.json --length 2048 -o calib.npy
"""

import pathlib

import numpy as np

from lowbit import tokenization
from lowbit.commands import CommandError


def add_arguments(parser):
    parser.add_argument("text", type=pathlib.Path, help="a file in UTF-8")
    parser.add_argument("--tokenizer", required=True, metavar="FILE",
                        help="tokenizer.json of Hugging Face, .model of SentencePiece or .bin of llama2.c")
    parser.add_argument("--length", type=int, default=128, help="tokens of a window (128)")
    parser.add_argument("-o", "--output", required=True, metavar="FILE")


def run(options):
    try:
        windows = tokenization.tokenize_file(options.text, options.tokenizer, options.length)
    except tokenization.TokenizationError as error:
        raise CommandError(str(error)) from None
    # By its name numpy would add an ending to another one.
    with open(options.output, "wb") as file:
        np.save(file, windows)
