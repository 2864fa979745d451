"""SECRET_KEY and CREDENTIAL_KEYS: read, judged, and generated for a private data folder."""

from byok_site.environment import Environment


def secret_key(env: Environment) -> str:
    return env.text("SECRET_KEY")


def credential_keys(env: Environment) -> list[str]:
    return env.items("CREDENTIAL_KEYS")
