"""What is secret in names, values and arguments is masked; what only looks like it is not."""

import re
import time
from pathlib import Path

import pytest

from traindeck.provenance.masking import (
    NO_SECRETS,
    SECRET_FLAGS,
    SECRET_NAMES,
    is_secret_name,
    mask_arguments,
    mask_text,
    mask_variable,
)

SECRET = [
    "GITHUB_PAT", "GH_PAT", "JWT", "DB_PW", "PIN", "SIM_PIN", "SESSION", "SESSION_ID", "PHPSESSIONID_SESSION", "PRIVATE_DATA",
    "PRIVATEKEY", "LOGIN", "AZURE_LOGIN", "MYLOGIN_X", "DB_CONN", "CONN_STR", "SQLCONNSTR_MAIN", "SQLCONN", "SENTRY_DSN", "DSN",
    "STORAGE_SAS", "SAS_URL", "OPENAI_API", "API_BASE", "CONNECTION_STRING", "AZURE_STORAGE_CONNECTION_STRING",
    "HF_TOKEN", "HF_TOKENS", "WANDB_API_KEY", "client_secret", "PGPASSFILE", "AWS_CREDENTIALS", "BASIC_AUTH", "clientSecret",
    "dbConn", "githubPat", "GitHubPAT", "apiKey", "MYSQL_PWD", "dbPwd", "userPwd", "OTP", "creds", "my-token", "a.token", "ToKen",
    "SLACK_WEBHOOK",
]  # fmt: skip
PLAIN = [
    "SPINNER", "PINNED", "PIN_MEMORY", "pinMemory", "CONNECT_TIMEOUT", "CONNECTIONS", "MAX_CONNECTIONS", "CONNECTOR", "PATH",
    "PATIENCE", "LD_LIBRARY_PATH", "COMPAT", "TOKENIZERS_PARALLELISM", "TOKENIZER", "PWD", "OLDPWD", "SPWEIGHT", "RAPID",
    "CAPITAL", "SASSY", "KANSAS", "LR_SCHEDULE", "HOME", "OBSESSION", "DEPRIVATE", "UPWARD", "JWTX", "HOPPING", "SHIPPING",
    "OMP_NUM_THREADS", "PINK", "RAPIDS_VERSION",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET)
def test_a_variable_of_a_secret_name_is_masked(name):
    assert mask_variable(name, "value") == "***"
    assert mask_variable(name.lower() if name.isupper() else name, "value") == "***"
    assert mask_variable(name, "") == ""


@pytest.mark.parametrize("name", PLAIN)
def test_a_variable_that_only_looks_like_it_is_shown(name):
    assert mask_variable(name, "value") == "value"
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://me:s3cret@db/x", "postgres://***@db/x"),
        ("me:s3cret@db.example/x", "***@db.example/x"),
        ("amqp me:s3cr@db:5672 me:s3cr@[::1]", "amqp ***@db:5672 ***@[::1]"),
        ("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=s3cret==;X=1",
         "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=***;X=1"),
        ("Server=db;User Id=me;Password=s3cret;Pwd=s3cret", "Server=db;User Id=me;Password=***;Pwd=***"),
        ("host=db password='s3 cret' user=me", "host=db password=*** user=me"),
        ("https://x.blob/a?sv=1&sig=s3cret%3D&se=2", "https://x.blob/a?sv=1&sig=***&se=2"),
        ("https://x/a?X-Amz-Signature=s3cret&X-Amz-Date=1", "https://x/a?X-Amz-Signature=***&X-Amz-Date=1"),
        ("https://x/a?access_token=s3cret#f", "https://x/a?access_token=***"),
        ("https://x/a?key=s3cret&b=1", "https://x/a?key=***&b=1"),
        ("Bearer s3cret.abc-def", "Bearer ***"),
        ("bearer s3cret", "bearer ***"),
        ("Authorization: Basic czNjcmV0", "Authorization: ***"),
        ('{"password": "s3cret", "user": "me", "api_key":"s3cret"}', '{"password": ***, "user": "me", "api_key":***}'),
        ("use ghp_0123456789abcdefghij now", "use *** now"),
        ("hf_abcdefghijklmnopqrstuvwxyz", "***"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abc-def_g", "***"),
    ],
)  # fmt: skip
def test_what_is_secret_in_a_value_is_masked(text, shown):
    assert mask_variable("NOTES", text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:me/project.git", "pytorch/pytorch:2.1@sha256:0123abcd", "https://example.org/a?page=1", "lr=0.1,wd=0.2",
        "max_tokens=512", "pad_token=<pad>", "num_key_value_heads=8", "12:30", "a@b.example", "bearers of news",
        '{"tokenizer": "bpe", "pad_token": "[PAD]"}', "/data/a:/data/b", "passes=3", "signal=9", "token_dim=8", "keyboard=x",
        "",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_secret_is_shown(text):
    assert mask_text(text) == text


def test_arguments_of_secret_flags_are_masked():
    given = [
        "python", "train.py", "--hf-token", "s3cret", "--api-key=s3cret", "--lr", "0.1", "-p", "db_password=s3cret",
        "--url", "https://me:s3cret@host/x", "--token", "--verbose", "--wandb_api_key", "s3cret", "--githubPat", "s3cret",
    ]  # fmt: skip
    assert mask_arguments(given) == [
        "python", "train.py", "--hf-token", "***", "--api-key=***", "--lr", "0.1", "-p", "db_password=***",
        "--url", "https://***@host/x", "--token", "--verbose", "--wandb_api_key", "***", "--githubPat", "***",
    ]  # fmt: skip


def test_arguments_of_training_are_shown():
    given = [
        "--max-tokens", "512", "--pad-token", "<pad>", "--eos_token=</s>", "--tokenizer", "bpe", "--key-dim", "64", "--pin-memory",
        "true", "--num-passes", "3", "--author", "me", "--patience", "5", "--path", "x", "--tokens-per-batch", "4", "--api", "rest",
        "--session", "3", "--primary-key", "id",
    ]  # fmt: skip
    assert mask_arguments(given) == given


@pytest.mark.parametrize(
    "piece", ["a:", "a=", "x@", "://", "a:b@", '"a":', "eyJ", "?key=", "-----BEGIN ", "Bearer ", " ", "A"]
)
def test_masking_takes_time_in_proportion_to_the_text(piece):
    def seconds(times: int) -> float:
        began = time.process_time()
        mask_text(piece * times)
        return time.process_time() - began

    assert seconds(40_000) < 40 * max(seconds(4_000), 0.002)


def test_the_docs_list_the_names_that_the_code_has():
    text = (Path(__file__).parents[2] / "docs/security.md").read_text().partition("## Secrets")[2]
    names, flags = (
        re.findall(r"`([^`]+)`", text.partition(begin)[2].partition(end)[0])
        for begin, end in (("is one of", "In the record"), ("ends in one of", "(a `--pad-token`"))
    )

    assert names == [*SECRET_NAMES, *NO_SECRETS]
    assert flags == list(SECRET_FLAGS)
