"""Takes secrets out of environment variables: what is recorded can be read by whoever may see the run."""

import re
from collections.abc import Mapping

MASK = "***"
SECRET_NAMES = re.compile(r"TOKEN|KEY|SECRET|PASS|CREDENTIAL|AUTH|COOKIE|WEBHOOK|_PWD$", re.IGNORECASE)
"""PASS stands for PASSWORD, PASSWD, PASSPHRASE and DB_PASS alike."""
USER_IN_URL = re.compile(r"(?<=://)[^/?#\s@]*(?:@[^/?#\s@]*)*(?=@)")
"""user:password, or a bare token, between the scheme and the host of a URL."""


def mask_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables by name, each secret one as `***`; of a URL only the user and the password are masked."""
    return {name: mask_variable(name, variables[name]) for name in sorted(variables)}


def mask_variable(name: str, value: str) -> str:
    """The value as it may be shown."""
    if SECRET_NAMES.search(name) and value:
        return MASK
    return mask_urls(value)


def mask_urls(text: str) -> str:
    """The text without the users and passwords of the URLs in it."""
    return USER_IN_URL.sub(MASK, text)
