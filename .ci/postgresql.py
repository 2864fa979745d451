"""`create` prints the URL of a fresh database on this machine's PostgreSQL, or nothing; `drop URL` removes it."""

import getpass
import secrets
import sys
from urllib.parse import urlsplit

import psycopg

USERS = (getpass.getuser(), "postgres")


def connect(user: str) -> psycopg.Connection:
    return psycopg.connect(host="127.0.0.1", user=user, dbname="postgres", connect_timeout=2, autocommit=True)


def create() -> None:
    name = f"byok_ci_{secrets.token_hex(4)}"
    for user in dict.fromkeys(USERS):
        try:
            with connect(user) as connection:
                connection.execute(f"CREATE DATABASE {name}")
        except psycopg.Error:
            continue
        print(f"postgresql://{user}@127.0.0.1/{name}")
        return


def drop(url: str) -> None:
    if url:
        parts = urlsplit(url)
        with connect(parts.username or "") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {parts.path[1:]}")


if __name__ == "__main__":
    create() if sys.argv[1] == "create" else drop(sys.argv[2])
