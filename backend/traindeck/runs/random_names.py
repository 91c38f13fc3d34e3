"""Random names for runs without a name: two words that are easy to say."""

import random

ADJECTIVES = (
    "amber", "bold", "brave", "bright", "brisk", "calm", "clear", "clever", "cosy", "crisp", "curious", "daring",
    "deft", "eager", "early", "fair", "fleet", "fond", "gentle", "glad", "golden", "grand", "happy", "hardy",
    "honest", "humble", "jolly", "keen", "kind", "light", "lively", "lucky", "lunar", "mellow", "merry", "mild",
    "misty", "neat", "nimble", "noble", "patient", "plucky", "polite", "proud", "quick", "quiet", "rapid", "ready",
    "rosy", "royal", "sharp", "shiny", "silent", "silver", "sleek", "smart", "snowy", "solar", "spry", "steady",
    "sunny", "swift", "tidy", "true", "vivid", "warm", "wild", "wise", "witty", "young", "zesty",
)  # fmt: skip
ANIMALS = (
    "badger", "bear", "beaver", "bison", "bittern", "crane", "curlew", "deer", "dolphin", "dove", "eagle", "egret",
    "elk", "ermine", "falcon", "ferret", "finch", "fox", "gecko", "goose", "grouse", "hare", "hawk", "hedgehog",
    "heron", "ibex", "ibis", "jackdaw", "jay", "kestrel", "kite", "kiwi", "koala", "lark", "lemur", "lizard",
    "llama", "lynx", "magpie", "marten", "mole", "moose", "newt", "ocelot", "osprey", "otter", "owl", "panda",
    "pelican", "petrel", "pika", "plover", "puffin", "quail", "rabbit", "raven", "robin", "salmon", "seal",
    "shrew", "sparrow", "squid", "stoat", "stork", "swan", "tapir", "tern", "thrush", "toad", "trout", "vole",
    "walrus", "weasel", "whale", "wolf", "wombat", "wren", "yak", "zebra",
)  # fmt: skip


def random_name() -> str:
    """Return a name such as "quiet-otter". Names need not be unique, because numbers are."""
    return f"{random.choice(ADJECTIVES)}-{random.choice(ANIMALS)}"  # noqa: S311 (a name is no secret)
