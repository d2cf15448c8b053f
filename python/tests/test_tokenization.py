import json
import re
import struct

import numpy as np
import pytest

from lowbit import __main__, tokenization


def write_bin(path, tokens):
    """A tokenizer of llama2.c from pairs of text (or bytes) and score."""
    with open(path, "wb") as file:
        file.write(struct.pack("<i", 16))
        for token, score in tokens:
            token = token if isinstance(token, bytes) else token.encode()
            file.write(struct.pack("<fi", score, len(token)) + token)
    return path


def plain_merges(pieces, scores):
    """llama2.c's loop as it stands there: look at all pairs, merge the best one, begin again."""
    pieces = list(pieces)
    while True:
        best = None
        for i in range(len(pieces) - 1):
            joint = pieces[i] + pieces[i + 1]
            if joint in scores and (best is None or scores[joint] > scores[best[1]]):
                best = i, joint
        if best is None:
            return pieces
        pieces[best[0]:best[0] + 2] = [best[1]]


def test_llama2c_merges_as_its_loop(tmp_path):
    generator = np.random.default_rng(0)
    alphabet = "ab c"
    words = sorted({"".join(generator.choice(list(alphabet), size)) for size in (2, 2, 3, 4, 5) for _ in range(12)})
    scores = {word: float(generator.integers(-6, 0)) for word in words}
    tokens = [("<unk>", 0), ("<s>", 0), ("</s>", 0)] + [(c, -100) for c in alphabet] + list(scores.items())
    tokenizer = tokenization.load_tokenizer(write_bin(tmp_path / "t.bin", tokens))
    assert tokenizer.vocabulary == len(tokens)
    for _ in range(50):
        text = "".join(generator.choice(list(alphabet), 40))
        ids = tokenizer.encode(text)
        assert ids[0] == 1
        assert [tokens[i][0] for i in ids[1:]] == plain_merges(" " + text, scores)


def test_llama2c_falls_back_to_bytes(tmp_path):
    tokens = [("<unk>", 0), ("<s>", 0), ("</s>", 0)] + [(f"<0x{i:02X}>", 0) for i in range(256)] + [(" ", -1), ("x", -2)]
    tokenizer = tokenization.load_tokenizer(write_bin(tmp_path / "t.bin", tokens))
    assert tokenizer.encode("xé") == [1, 259, 260, 3 + 0xC3, 3 + 0xA9]
    assert tokenizer.encode("") == [1]


def test_windows(tmp_path):
    write_bin(tmp_path / "t.bin", [("<unk>", 0), ("<s>", 0), (" ", 0), ("a", 0)])
    (tmp_path / "text.txt").write_text("aaaaaaa")
    windows = tokenization.tokenize_file(tmp_path / "text.txt", tmp_path / "t.bin", 4)
    assert windows.dtype == np.int32
    assert windows.tolist() == [[1, 2, 3, 3], [3, 3, 3, 3]]
    __main__.main(["tokenize", str(tmp_path / "text.txt"), "--tokenizer", str(tmp_path / "t.bin"), "--length", "3",
                   "-o", str(tmp_path / "out.npy")])
    assert np.load(tmp_path / "out.npy").shape == (3, 3)


@pytest.mark.parametrize("text, tokenizer, length, message", [
    (b"aaaa", "t.bin", 1, "length is 1, but must be at least 2"),
    (b"aaaa", "t.bin", 9, "has only 6 tokens, but a window has 9"),
    (b" \n", "t.bin", 4, "is empty"),
    (b"", "t.bin", 4, "is empty"),
    (b"aaba", "t.bin", 4, "has no token for the character 'b'"),
    (b"a\xff", "t.bin", 4, "is not UTF-8 at byte 1"),
    (None, "t.bin", 4, "cannot read text"),
    (b"aaaa", "t.txt", 4, "is neither .json"),
    (b"aaaa", "absent.bin", 4, "there is no tokenizer"),
    (b"aaaa", "cut.bin", 4, "is no tokenizer.bin of llama2.c, or damaged"),
    (b"aaaa", "bad.json", 4, "is no JSON"),
    (b"aaaa", "own.json", 4, 'it has no "model"'),
])
def test_errors(tmp_path, capsys, text, tokenizer, length, message):
    whole = write_bin(tmp_path / "t.bin", [("<unk>", 0), ("<s>", 0), (" ", 0), ("a", 0)]).read_bytes()
    (tmp_path / "cut.bin").write_bytes(whole[:-3])
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "own.json").write_text(json.dumps({"tokens": []}))
    if text is not None:
        (tmp_path / "text.txt").write_bytes(text)
    with pytest.raises(tokenization.TokenizationError, match=message):
        tokenization.tokenize_file(tmp_path / "text.txt", tmp_path / tokenizer, length)
    assert __main__.main(["tokenize", str(tmp_path / "text.txt"), "--tokenizer", str(tmp_path / tokenizer), "--length",
                          str(length), "-o", str(tmp_path / "out.npy")]) == 1
    assert re.search("lowbit: error: .*" + message, capsys.readouterr().err)
    assert not (tmp_path / "out.npy").exists()


def test_hugging_face(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.models.WordLevel({"[UNK]": 0, "a": 1, "b": 2}, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    loaded = tokenization.load_tokenizer(tmp_path / "tokenizer.json")
    assert loaded.vocabulary == 3
    assert loaded.encode("a b c a") == [1, 2, 0, 1]


def test_sentencepiece(tmp_path):
    sentencepiece = pytest.importorskip("sentencepiece")
    (tmp_path / "text.txt").write_text("ab ab abc\n" * 20)
    sentencepiece.SentencePieceTrainer.train(input=str(tmp_path / "text.txt"), model_prefix=str(tmp_path / "m"),
                                             vocab_size=8, hard_vocab_limit=False, minloglevel=2)
    loaded = tokenization.load_tokenizer(tmp_path / "m.model")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "m.model"))
    assert loaded.encode("abc ab") == [processor.bos_id()] + processor.encode("abc ab")
