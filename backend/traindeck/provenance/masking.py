"""Mask secrets in records, because every user who can see a run can read its record.

Secret variables are recognized by name, secret arguments by their flag, and both by their values.
"""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

MASK = "***"
SECRET_NAMES = (
    "*TOKEN*", "*KEY*", "*SECRET*", "*PASS*", "*CREDENTIAL*", "*AUTH*", "*COOKIE*", "*WEBHOOK*", "*LOGIN*", "PRIVATE*",
    "SESSION*", "*PWD", "PW", "PIN", "PAT", "JWT", "OTP", "CRED", "CREDS", "API", "SAS", "*DSN", "*CONN", "*CONNSTR",
    "CONNECTIONSTRING",
)  # fmt: skip
"""Words in the names of variables that hold secrets; docs/security.md has the same list."""
NO_SECRETS = ("TOKENIZER*", "TOKENIZATION", "PWD", "OLDPWD", "PINMEMORY")
"""Words that match by accident: a tokenizer, the working folder, and how batches are copied to a GPU."""
SECRET_FLAGS = (
    "TOKEN", "SECRET", "PASS", "PASSWORD", "PASSWD", "PASSPHRASE", "PWD", "PW", "PIN", "PAT", "JWT", "OTP", "DSN",
    "SAS", "CREDENTIAL", "CREDENTIALS", "CREDS", "COOKIE", "WEBHOOK", "CONNSTR", "CONNECTIONSTRING", "*APIKEY",
    "*ACCESSKEY",
    "*SECRETKEY", "*PRIVATEKEY", "*ACCOUNTKEY", "*AUTHKEY", "SIG", "SIGNATURE", "AUTHORIZATION",
)  # fmt: skip
"""Last words in the names of secret flags and of fields in values. They are fewer than those of variables, because many
flags of training programs contain the words "token" and "key"."""
SPECIAL_TOKENS = frozenset({
    "PAD", "EOS", "BOS", "UNK", "MASK", "CLS", "SEP", "SPECIAL", "IMAGE", "VIDEO", "AUDIO", "START", "END", "STOP",
    "PER", "NEXT", "LAST", "FIRST", "PREFIX", "DECODER", "ENCODER",
})  # fmt: skip
"""A "pad token" is part of a vocabulary, and no secret."""
TWO_WORDS = frozenset({"PINMEMORY", "CONNECTIONSTRING", "APIKEY", "ACCESSKEY", "SECRETKEY", "PRIVATEKEY", "ACCOUNTKEY",
                       "AUTHKEY"})  # fmt: skip

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
USER_IN_URL = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*(?=@)")
"""user:password, or a token alone, between the scheme and the host of a URL."""
USER_WITH_PASSWORD = re.compile(r"(?<![\w/@.:+%-])[\w.+%-]+:[^\s:/@\"']+(?=@(?!sha\d+:)[\w\[])")
"""The same without a scheme, but not the digest of a container image."""
FIELD = re.compile(
    r"""(?<![\w.-])(?P<head>(?P<name>[A-Za-z][\w.-]{0,80}) ?= ?)(?P<value>"[^"]*"|'[^']*'|[^&;\s,"']+)"""
)
JSON_FIELD = re.compile(r"""(?P<head>(?P<quote>["'])(?P<name>[A-Za-z][\w.-]{0,80})(?P=quote)\s?:\s?)"""
                        r"""(?P<value>"[^"]*"|'[^']*')""")  # fmt: skip
QUERY_KEY = re.compile(r"(?<=[?&]key=)[^&\s#]+")
HEADER = re.compile(
    r"(?i)(?P<head>\b(?:proxy-)?authorization\s?[:=]\s?)[^\r\n\"']+|(?P<bearer>\bbearer )[\w.~+/=-]{4,}"
)
SHAPES = re.compile(
    r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{24,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}"
    r"|AKIA[0-9A-Z]{16}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+)"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*"
)
"""Tokens of GitHub, GitLab, Hugging Face, OpenAI, Slack and AWS, JSON Web Tokens, private keys."""


def mask_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by name, with secrets as `***`, also inside values of other variables."""
    return {name: mask_variable(name, variables[name]) for name in sorted(variables)}


def mask_variable(name: str, value: str) -> str:
    """Return the value with secrets masked."""
    return MASK if value and is_secret_name(name) else mask_text(value)


def mask_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of a program with the values of secret flags masked."""
    masked, secret = [], False
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        is_flag = flag.startswith("-") and is_secret_flag(flag)
        if secret and not argument.startswith("-"):
            masked.append(MASK)
        elif is_flag and value:
            masked.append(f"{flag}={MASK}")
        else:
            masked.append(mask_text(argument))
        secret = is_flag and not equals
    return masked


def mask_text(text: str) -> str:
    """Return the text with recognized passwords, tokens and keys masked."""
    text = USER_IN_URL.sub(MASK, text)
    text = USER_WITH_PASSWORD.sub(MASK, text)
    text = HEADER.sub(lambda found: (found["head"] or found["bearer"]) + MASK, text)
    for fields in (FIELD, JSON_FIELD):
        text = fields.sub(_mask_field, text)
    return SHAPES.sub(MASK, QUERY_KEY.sub(MASK, text))


def is_secret_name(name: str) -> bool:
    """Return whether a variable of this name holds a secret."""
    words = _words(name)
    if len(words) == 1 and words[0] in NO_SECRETS:
        return False
    if any(_matches(word, SECRET_NAMES) and (word == "PWD" or not _matches(word, NO_SECRETS)) for word in words):
        return True
    # In any capitalization.
    parts = [part for part in re.split(r"[\W_]+", name.upper()) if not _matches(part, NO_SECRETS)]
    return any(_matches(part, [one for one in SECRET_NAMES if one[0] == one[-1] == "*"]) for part in parts)


def is_secret_flag(name: str) -> bool:
    """Return whether a flag, or a field in a value, holds a secret."""
    words = _words(name)
    if not words or not _matches(words[-1], SECRET_FLAGS):
        return False
    return not (words[-1] == "TOKEN" and len(words) > 1 and words[-2] in SPECIAL_TOKENS)


def _words(name: str) -> list[str]:
    """Split a name at underscores and capitals into words in capitals; the pairs in `TWO_WORDS` stay together."""
    words: list[str] = []
    for word in WORD.findall(name):
        if words and words[-1] + word.upper() in TWO_WORDS:
            words[-1] += word.upper()
        else:
            words.append(word.upper())
    return words


def _matches(word: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(word, pattern) for pattern in patterns)


def _mask_field(found: re.Match[str]) -> str:
    return found["head"] + MASK if is_secret_flag(found["name"]) else found[0]
