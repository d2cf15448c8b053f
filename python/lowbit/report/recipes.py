"""Recipes: flags of quant-opt under a name."""

import dataclasses
import json
import re

from lowbit.commands import CommandError


@dataclasses.dataclass(frozen=True)
class Recipe:
    """`flags` is what the user wrote, such as "--rotate --gptq=bits=4 group-size=64"."""

    name: str
    flags: str

    def arguments(self):
        """The flags one by one. A flag begins with two hyphens behind a blank."""
        return [flag.strip() for flag in re.split(r"\s+(?=--)", self.flags.strip())]


def make(name, flags):
    """A recipe; CommandError if the flags are none."""
    recipe = Recipe(name, flags)
    if not all(flag.startswith("--") and len(flag) > 2 for flag in recipe.arguments()):
        raise CommandError(f"recipe '{flags}' must be flags of quant-opt, such as --nf4")
    # They would make quant-opt do something else than transform and quantize.
    for flag in recipe.arguments():
        if re.match(r"--(help|version|o|emit-bytecode)\b", flag):
            raise CommandError(f"recipe '{flags}': {flag} is no pass")
    return recipe


def read(flags, path=None):
    """The recipes of the command line, then those of a JSON file; CommandError if there are none or two alike."""
    recipes = [make(text.strip(), text) for text in flags]
    if path is not None:
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CommandError(f"{path} is no JSON: {error}") from None
        if not isinstance(entries, list):
            raise CommandError(f"{path} must hold a list of recipes")
        for entry in entries:
            if isinstance(entry, str):
                entry = {"name": entry, "flags": entry}
            if not isinstance(entry, dict) or set(entry) != {"name", "flags"} \
                    or not all(isinstance(value, str) for value in entry.values()):
                raise CommandError(f'{path}: a recipe is a string of flags or {{"name": ..., "flags": ...}}, '
                                   f"not {json.dumps(entry)}")
            recipes.append(make(entry["name"], entry["flags"]))
    if not recipes:
        raise CommandError("there is nothing to try: give --recipe or --recipes")
    names = [recipe.name for recipe in recipes]
    for name in names:
        if names.count(name) > 1:
            raise CommandError(f"recipe '{name}' is given twice")
    return recipes


def pass_options(help_text):
    """{pass: names of its options}, from what quant-opt --help prints: options stand below their pass, indented."""
    passes, current = {}, None
    for line in help_text.splitlines():
        match = re.match(r"( +)--?([\w-]+)", line)
        if match is None:
            continue
        indent, name = len(match.group(1)), match.group(2)
        if indent == 6:
            current = passes.setdefault(name, set())
        elif indent == 8 and current is not None:
            current.add(name)
        else:
            current = None
    return passes


def add_option(flag, key, value):
    """The flag of a pass with one option more."""
    text = f'{key}="{value}"' if re.search(r"\s", str(value)) else f"{key}={value}"
    name, equals, options = flag.partition("=")
    return f"{name}={options} {text}" if equals and options else f"{name}={text}"


def has_option(flag, key):
    """Whether a flag sets an option already."""
    return re.search(rf"[=\s]{re.escape(key)}=", flag) is not None
