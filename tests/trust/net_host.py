"""A machine that has an identity of its own in every place where the libraries of AWS and Google, and requests, look."""

import json
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import botocore

HOSTS_ID: Final = "AKIA" + "HOST" * 4
MARKS: Final = ("HOST", "host-", "ABSK", "x-amz-security-token", "x-goog-user-project")
"""What shows that a request speaks for the machine."""
EVIL_REGION: Final = "xx-evil-1"


def hostile_environment(home: Path, trap: str) -> dict[str, str]:
    """The variables, with their files in ``home``; whoever follows one of them ends at ``trap``, where nobody may come."""
    return {"HOME": str(home), **_of_aws(home, trap), **_of_google(home, trap), **_of_everybody(home, trap)}


def _of_aws(home: Path, trap: str) -> dict[str, str]:
    folder = home / ".aws"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "endpoints.json").write_text(_more_endpoints())
    (folder / "credentials").write_text(f"[default]\naws_access_key_id={HOSTS_ID}\naws_secret_access_key=host-secret\n")
    (folder / "config").write_text(f"[profile host]\nregion=us-west-1\nendpoint_url={trap}\n")
    return {
        "AWS_ACCESS_KEY_ID": HOSTS_ID,
        "AWS_SECRET_ACCESS_KEY": "host-secret",
        "AWS_SESSION_TOKEN": "host-session",
        "AWS_SECURITY_TOKEN": "host-session",
        "AWS_BEARER_TOKEN_BEDROCK": "ABSKhost",
        **dict.fromkeys(("AWS_PROFILE", "AWS_DEFAULT_PROFILE"), "host"),
        **dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), "us-west-1"),
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_DATA_PATH": str(folder / "models"),
        "AWS_CA_BUNDLE": "/nowhere.pem",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_STS_REGIONAL_ENDPOINTS": "legacy",
        "AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/host",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "credentials"),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{trap}/credentials",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": trap,
        **{f"AWS_ENDPOINT_URL{service}": trap for service in ("", "_STS", "_BEDROCK", "_BEDROCK_RUNTIME")},
    }


def _more_endpoints() -> str:
    """The regions that botocore brings along, and one more that only this machine knows of."""
    file = Path(botocore.__file__).parent / "data" / "endpoints.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    partition = document["partitions"][0]
    partition["regions"][EVIL_REGION] = {"description": "Nowhere"}
    partition["services"]["bedrock"]["endpoints"][EVIL_REGION] = {}
    return json.dumps(document)


def _of_google(home: Path, trap: str) -> dict[str, str]:
    config = home / ".config" / "gcloud"
    config.mkdir(parents=True)
    own = {"type": "authorized_user", "client_id": "host-", "client_secret": "host-", "refresh_token": "host-"}
    for file in (home / "adc.json", config / "application_default_credentials.json"):
        file.write_text(json.dumps({**own, "token_uri": trap}))
    return {
        "GOOGLE_APPLICATION_CREDENTIALS": str(home / "adc.json"),
        "CLOUDSDK_CONFIG": str(config),
        **dict.fromkeys(("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_QUOTA_PROJECT"), "host-project"),
        "GOOGLE_CLOUD_UNIVERSE_DOMAIN": "evil.example",
        "GOOGLE_API_USE_CLIENT_CERTIFICATE": "true",
        "GOOGLE_API_USE_MTLS_ENDPOINT": "always",
        "GOOGLE_AUTH_TRUST_BOUNDARY_ENABLED": "true",
        **dict.fromkeys(("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"), urlsplit(trap).netloc),
    }


def _of_everybody(home: Path, trap: str) -> dict[str, str]:
    hosts = ("127.0.0.1", "api.openai.com", "oauth2.googleapis.com")
    (home / ".netrc").write_text("".join(f"machine {host} login host-login password host-password\n" for host in hosts))
    (home / ".netrc").chmod(0o600)
    proxies = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
    keys = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "MISTRAL_API_KEY", "DEEPSEEK_API_KEY", "XAI_API_KEY", "ZAI_API_KEY")
    return {
        **{name: trap for proxy in proxies for name in (proxy, proxy.lower())},
        **dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "/nowhere.pem"),
        **dict.fromkeys(keys, "host-key"),
        **{f"{name.partition('_')[0]}_BASE_URL": trap for name in keys},
    }
