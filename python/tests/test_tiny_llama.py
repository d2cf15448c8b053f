"""The bundled model's text, tokenizer and tokens: what is in the tree is what the scripts make."""

import importlib
import pathlib
import re

import numpy as np
import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "tiny-llama"


@pytest.fixture
def module(monkeypatch):
    """Imports a script of examples/tiny-llama."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


@pytest.fixture
def tokenizer(module):
    return module("tokenizer").Tokenizer.load(FOLDER / "tokenizer.json")


def test_story_depends_on_seed_and_number_alone(module):
    story = module("generate_text").story
    assert story(1, 0) == story(1, 0)
    assert len({story(seed, number) for seed in (1, 2) for number in range(50)}) == 100


def test_facts_never_change(module):
    """What a full name stands for is the same in every text and agrees with the population."""
    text = module("generate_text")
    facts = {person.full_name: person for person in text.PEOPLE}
    assert len(facts) == len(text.PEOPLE) == 400
    lived = 0
    for number in range(100):
        for match in re.finditer(r"([A-Z][a-z]+ [A-Z][a-z]+) was born in (\d{4}) in ([A-Z][a-z]+), works as a ([a-z]+)",
                                 text.story(number, number)):
            person = facts[match[1]]
            assert match.groups()[1:] == (str(person.year), person.town, person.trade)
            lived += 1
    assert lived > 50


def test_amounts_add_up(module):
    """The last sentence about each person agrees with the world."""
    text = module("generate_text")
    for number in range(200):
        story = text.Story(number)
        told = story.tell()
        for person in story.people:
            amount = text.amount_of(person.amount, person.colour, person.thing)
            assert f"In the end {person.name} has {amount} and keeps the {person.treasure}." in told
            assert 0 <= person.amount <= text.MOST_THINGS


def test_tokenizer_is_the_trained_one(module, tokenizer):
    trained = module("data").train_tokenizer(len(tokenizer))
    assert trained.tokens == tokenizer.tokens and trained.merges == tokenizer.merges


def test_decoding_undoes_encoding(module, tokenizer):
    story = module("generate_text").story
    for number in range(20):
        text = story(7, number)
        ids = tokenizer.encode(text)
        assert ids[0] == 1 and 0 not in ids and max(ids) < len(tokenizer)
        assert tokenizer.decode(ids) == text


def test_unknown_characters(tokenizer):
    assert tokenizer.encode("\u00e9", bos=False) == [0]
    assert tokenizer.encode("", bos=False) == []


@pytest.mark.parametrize("tokens, merges", [(["a"], []), (["<unk>", "<bos>"], [[0, 1]])])
def test_bad_tokenizer(module, tokens, merges):
    with pytest.raises(ValueError, match="<unk>, <bos>"):
        module("tokenizer").Tokenizer(tokens, merges)


def test_token_files_are_current(module, tokenizer):
    data = module("data")
    for name, windows in (("eval.npy", data.held_out_windows(tokenizer)),
                          ("calib.npy", data.calibration_windows(tokenizer))):
        committed = np.load(FOLDER / name)
        assert committed.dtype == np.int32 and np.array_equal(committed, windows)
