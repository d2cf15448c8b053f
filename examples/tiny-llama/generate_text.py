#!/usr/bin/env python3
"""Write the text that tiny-llama is trained on: short stories about a world of 400 people.

Who these people are never changes: a full name stands for a trade, a town, a
year of birth, an instrument and a fear, drawn once for all stories and without
any rule. A model has to keep these facts in its weights, and keeping them is
what coarse weights fail at first.

Every story takes a few of the people, gives them things and amounts, and tells
events that change those. Later sentences can only be predicted by a model that
remembers and combines earlier ones:

* facts: who somebody is follows from the full name, everywhere in the text;
* arithmetic: who gives how many things to whom, and how many are left;
* names: a question about a fact is answered with the name stated before;
* agreement: verbs agree with a subject that clauses separate from them;
* nesting: quotations inside quotations close in the right order;
* order: lists are repeated forwards and backwards, comparisons are chained;
* counting: up and down from a number, to a number.

The text depends on the seed and the story number alone (only
`random.Random.random` is used, whose sequence Python guarantees).

    python3 generate_text.py --stories 3 --seed 1
"""

import argparse
import random
import sys

NUMBERS = ("zero one two three four five six seven eight nine ten eleven twelve "
           "thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty").split()
MOST_THINGS = len(NUMBERS) - 1  # what one person can have at most
WOMEN = "Mara Tilda Ines Ruth Dora Hanna Lotte Wilma Sela Orla".split()
MEN = "Oto Ben Karl Ivo Janek Pelle Tomas Ulf Rolf Emil".split()
SURNAMES = ("Adler Birk Castel Dorn Ekman Falk Garn Holt Isker Jansen Kray Lund Moser Nagel Ostrow Pahl Quist Rieger "
            "Sand Thorn").split()
TRADES = ("baker smith tailor weaver miller hunter potter mason cooper brewer barber tanner glazier fisher shepherd "
          "carter scribe painter gardener carpenter saddler dyer hatter joiner").split()
TOWNS = ("Arnau Belm Culm Dresk Elbing Forst Glatz Hohenau Ilmen Jarrow Kolin Lauban Melnik Narva Olmen Plau Querim "
         "Ragnit Sorau Tilsit Uslar Velden Wismar Zittau").split()
INSTRUMENTS = "harp horn lute bells pipes organ zither cello oboe trumpet cymbals bassoon".split()
FEARS = "wolves thunder spiders ghosts bees snakes darkness storms bears rats heights fire".split()
FIRST_YEAR, YEARS = 1200, 700
WORLD_SEED = 0
COLOURS = "red blue green white black yellow".split()
THINGS = [("stone", "stones"), ("key", "keys"), ("apple", "apples"), ("coin", "coins"),
          ("feather", "feathers"), ("candle", "candles"), ("shell", "shells"), ("button", "buttons")]
TREASURES = "lantern drum map kettle ladder mirror violin saddle compass flute".split()
PLACES = "mill river bridge market forest harbour tower garden inn well".split()
NOUNS = [("dog", "dogs"), ("baker", "bakers"), ("sailor", "sailors"), ("child", "children"),
         ("goose", "geese"), ("farmer", "farmers"), ("fox", "foxes"), ("miller", "millers")]
ADJECTIVES = "old young tall quiet brave tired hungry clever".split()
# (singular, plural) forms of verbs with and without an object.
INTRANSITIVE = [("sleeps", "sleep"), ("waits", "wait"), ("sings", "sing"), ("runs", "run"), ("laughs", "laugh")]
TRANSITIVE = [("sees", "see"), ("follows", "follow"), ("feeds", "feed"), ("helps", "help"), ("fears", "fear")]
COMPARISONS = [("taller", "tallest"), ("older", "oldest"), ("faster", "fastest"), ("stronger", "strongest")]


class Dice:
    """Choices drawn from one generator through `random()` only."""

    def __init__(self, seed):
        self._random = random.Random(seed).random

    def below(self, bound):
        return int(self._random() * bound)

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def pick(self, items):
        return items[self.below(len(items))]

    def chance(self, probability):
        return self._random() < probability

    def sample(self, items, count):
        """`count` different items in random order."""
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in range(count)]


class Facts:
    """What is true of one full name in every story."""

    def __init__(self, name, surname, dice):
        self.name, self.full_name = name, f"{name} {surname}"
        self.trade, self.town = dice.pick(TRADES), dice.pick(TOWNS)
        self.year = FIRST_YEAR + dice.below(YEARS)
        self.instrument, self.fear = dice.pick(INSTRUMENTS), dice.pick(FEARS)


def population():
    """Every combination of a name and a surname, always with the same facts."""
    dice = Dice(WORLD_SEED)
    return [Facts(name, surname, dice) for name in WOMEN + MEN for surname in SURNAMES]


class Person:
    """A name, its pronouns, and what the story has said about it so far."""

    def __init__(self, facts, thing, colour, amount, treasure, place):
        self.facts, self.name = facts, facts.name
        name = facts.name
        woman = name in WOMEN
        self.subject = "she" if woman else "he"
        self.possessive = "her" if woman else "his"
        self.thing, self.colour, self.amount = thing, colour, amount
        self.treasure, self.place = treasure, place


def join(names):
    """'A', 'A and B', 'A , B and C'."""
    if len(names) == 1:
        return names[0]
    return ", ".join(names[:-1]) + " and " + names[-1]


def amount_of(number, colour, thing):
    return f"{NUMBERS[number]} {colour} {thing[0] if number == 1 else thing[1]}"


class Story:
    """The world of one story and the sentences about it."""

    def __init__(self, seed):
        self.dice = dice = Dice(seed)
        # No two of one name, so that the name alone says who is meant from then on.
        names = dice.sample(range(len(WOMEN + MEN)), dice.between(2, 3))
        people = [PEOPLE[name * len(SURNAMES) + dice.below(len(SURNAMES))] for name in names]
        treasures = dice.sample(TREASURES, len(names))
        places = dice.sample(PLACES, len(names))
        # All people own the same kind of thing, so that gifts add up.
        thing, colour = dice.pick(THINGS), dice.pick(COLOURS)
        self.people = [Person(facts, thing, colour, dice.between(1, 12), treasure, place)
                       for facts, treasure, place in zip(people, treasures, places)]
        self.lines = []

    def say(self, sentence):
        self.lines.append(sentence[0].upper() + sentence[1:])

    def introduce(self):
        dice = self.dice
        for person in self.people:
            self.describe(person.facts)
            has = f"has {amount_of(person.amount, person.colour, person.thing)}"
            lives = f"lives near the {person.place}"
            if dice.chance(0.5):
                self.say(f"{person.name} {lives} and {has}.")
            else:
                self.say(f"{person.name} {has} and {lives}.")
            self.say(f"{person.subject} keeps a {person.treasure} in {person.possessive} house.")

    def describe(self, facts):
        """A sentence of what is always true of somebody."""
        name, trade, town, year = facts.full_name, facts.trade, facts.town, facts.year
        kind = self.dice.below(4)
        if kind == 0:
            self.say(f"{name} is a {trade} from {town}, born in {year}, and plays the {facts.instrument}.")
        elif kind == 1:
            self.say(f"{name} was born in {year} in {town}, works as a {trade} and fears {facts.fear}.")
        elif kind == 2:
            self.say(f"{name} plays the {facts.instrument}, fears {facts.fear} and is a {trade} from {town}.")
        else:
            self.say(f"{name} fears {facts.fear}, plays the {facts.instrument} and was born in {year}.")

    def rumour(self):
        """The same about somebody who is not in the story."""
        self.describe(self.dice.pick(PEOPLE))

    def gift(self):
        """One person gives some things to another; both new amounts follow."""
        giver, taker = self.dice.sample(self.people, 2)
        most = min(giver.amount, MOST_THINGS - taker.amount)
        if most == 0:
            return
        count = self.dice.between(1, most)
        giver.amount -= count
        taker.amount += count
        self.say(f"{giver.name} gives {amount_of(count, giver.colour, giver.thing)} to {taker.name}.")
        self.say(f"now {giver.name} has {NUMBERS[giver.amount]} and {taker.name} has {NUMBERS[taker.amount]}.")

    def find_or_lose(self):
        """The amount of one person changes; the new one follows."""
        person = self.dice.pick(self.people)
        if self.dice.chance(0.5) and person.amount < MOST_THINGS:
            count = self.dice.between(1, min(8, MOST_THINGS - person.amount))
            person.amount += count
            verb = "finds"
        elif person.amount > 0:
            count = self.dice.between(1, person.amount)
            person.amount -= count
            verb = "loses"
        else:
            return
        place = self.dice.pick(PLACES)
        self.say(f"{person.name} {verb} {amount_of(count, person.colour, person.thing)} near the {place}, "
                 f"so {person.subject} has {NUMBERS[person.amount]} now.")

    def trade(self):
        """Two people exchange what they keep."""
        one, other = self.dice.sample(self.people, 2)
        self.say(f"{one.name} trades {one.possessive} {one.treasure} for the {other.treasure} of {other.name}.")
        one.treasure, other.treasure = other.treasure, one.treasure

    def question(self):
        """A question about a stated fact, with its answer in quotation marks."""
        asker, teller = self.dice.sample(self.people, 2)
        about = self.dice.pick(self.people)
        kind = self.dice.below(4)
        if kind == 0:
            question, answer = f"Who keeps the {about.treasure}?", f"{about.name} keeps the {about.treasure}"
        elif kind == 1:
            question, answer = f"Who lives near the {about.place}?", f"{about.name} lives near the {about.place}"
        elif kind == 2:
            question, answer = f"What does {about.name} keep?", f"{about.name} keeps a {about.treasure}"
        else:
            plural = about.thing[1]
            question = f"How many {plural} does {about.name} have?"
            answer = f"{about.name} has {amount_of(about.amount, about.colour, about.thing)}"
        if self.dice.chance(0.3):
            # A quotation inside a quotation: the marks must close inside out.
            self.say(f'"{asker.name} asked me \'{question}\' and I said \'{answer}\'", says {teller.name}.')
        else:
            self.say(f'"{question}" asks {asker.name}. "{answer}", says {teller.name}.')

    def noun_phrase(self, depth):
        """A noun phrase with up to `depth` relative clauses, and whether it is plural."""
        dice = self.dice
        noun = dice.pick(NOUNS)
        plural = dice.chance(0.5)
        phrase = "the " + (dice.pick(ADJECTIVES) + " " if dice.chance(0.4) else "") + noun[plural]
        if depth > 0 and dice.chance(0.75):
            if dice.chance(0.5):
                inner, inner_plural = self.noun_phrase(depth - 1)
                phrase += f" that {inner} {dice.pick(TRANSITIVE)[inner_plural]}"
            else:
                inner, _ = self.noun_phrase(depth - 1)
                phrase += f" that {dice.pick(TRANSITIVE)[plural]} {inner}"
        elif depth > 0 and dice.chance(0.5):
            phrase += f" near the {dice.pick(PLACES)}"
        return phrase, plural

    def scenery(self):
        """A sentence whose verb agrees with a subject that may be far away."""
        subject, plural = self.noun_phrase(2)
        if self.dice.chance(0.5):
            verb = self.dice.pick(INTRANSITIVE)[plural]
            self.say(f"{subject} {verb} near the {self.dice.pick(PLACES)}.")
        else:
            thing, _ = self.noun_phrase(1)
            self.say(f"{subject} {self.dice.pick(TRANSITIVE)[plural]} {thing}.")

    def call(self):
        """A list of names, then the same list again, or from the end."""
        person = self.dice.pick(self.people)
        names = self.dice.sample(WOMEN + MEN, self.dice.between(3, 6))
        backwards = self.dice.chance(0.5)
        self.say(f"{person.name} calls {join(names)}.")
        if backwards:
            self.say(f"from last to first they are {join(names[::-1])}.")
        else:
            self.say(f"they come in this order: {join(names)}.")

    def count(self):
        """Counting up or down between two stated numbers."""
        person = self.dice.pick(self.people)
        low = self.dice.between(0, 14)
        high = low + self.dice.between(3, 6)
        up = self.dice.chance(0.5)
        first, last = (low, high) if up else (high, low)
        numbers = NUMBERS[low:high + 1][::1 if up else -1]
        self.say(f"{person.name} counts from {NUMBERS[first]} to {NUMBERS[last]}: {' '.join(numbers)}.")

    def sum(self):
        """An addition or subtraction in digits."""
        first, second = self.dice.between(0, 49), self.dice.between(0, 49)
        person = self.dice.pick(self.people)
        if self.dice.chance(0.5):
            self.say(f"{person.name} writes {first} + {second} = {first + second}.")
        else:
            first, second = max(first, second), min(first, second)
            self.say(f"{person.name} writes {first} - {second} = {first - second}.")

    def compare(self):
        """A chain of comparisons and what follows from it."""
        names = self.dice.sample(WOMEN + MEN, 3)
        more, most = self.dice.pick(COMPARISONS)
        first, second, third = names
        facts = [f"{first} is {more} than {second}", f"{second} is {more} than {third}"]
        if self.dice.chance(0.5):
            facts.reverse()
        self.say(f"{facts[0]} and {facts[1]}, so {first} is {more} than {third} and {first} is the {most}.")

    def conclude(self):
        """The final state of everybody, in the order of introduction."""
        for person in self.people:
            self.say(f"in the end {person.name} has {amount_of(person.amount, person.colour, person.thing)} "
                     f"and keeps the {person.treasure}.")

    def tell(self):
        self.introduce()
        events = [self.gift, self.gift, self.find_or_lose, self.trade, self.question, self.question,
                  self.scenery, self.call, self.count, self.sum, self.compare]
        for _ in range(self.dice.between(2, 4)):
            self.rumour()
            self.dice.pick(events)()
        self.conclude()
        return " ".join(self.lines)


PEOPLE = population()


def story(seed, number):
    """Story `number` of the text with this seed: one line of ASCII text without a newline."""
    return Story(seed * 1_000_003 + number).tell()


def main():
    parser = argparse.ArgumentParser(description="Print stories, one a line, to standard output.")
    parser.add_argument("--stories", type=int, default=10, help="how many (default 10)")
    parser.add_argument("--seed", type=int, default=1, help="which text (default 1)")
    options = parser.parse_args()
    if options.stories < 0:
        parser.error("--stories must not be negative")
    for number in range(options.stories):
        sys.stdout.write(story(options.seed, number) + "\n")


if __name__ == "__main__":
    main()
