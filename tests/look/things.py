"""Stand-ins for the console's records, with what its templates read: people, providers, keys in every state."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Thing
from typing import Any

from django.contrib import messages
from django.contrib.messages.storage.base import Message

from providerkeys.badges import Step
from providerkeys.providers import registry
from providerkeys.views.row_texts import texts_of

NOW = datetime.now(UTC)

ALICE = Thing(name="Alice Keller", email="alice@acme.test", is_staff=False)
DANA = Thing(name="Dana Rossi", email="dana@acme.test", is_staff=False)
ACME = Thing(name="Acme", slug="acme")
OTHER = Thing(name="Northwind Research", slug="northwind-research")

ADMIN = Thing(organization=ACME, user=ALICE, is_admin=True)
MEMBER = Thing(organization=ACME, user=DANA, is_admin=False)
SHELL: dict[str, Any] = {
    "access": ADMIN,
    "organizations": [ACME, OTHER],
    "messages": [],
    "unsaid": [Message(level, "") for level in (messages.SUCCESS, messages.WARNING, messages.ERROR)],
    "csrf_token": "t" * 64,
}


def provider(slug: str, label: str, credential: str = "api_key") -> Thing:
    return Thing(
        slug=slug,
        label=label,
        credential=credential,
        keys_url=f"https://{slug}.example/keys",
        billing_url=f"https://{slug}.example/billing",
        docs_url=f"https://{slug}.example/docs",
        name_suggestion="Production Key",
    )


ANTHROPIC = provider("anthropic", "Anthropic")
OPENAI = provider("openai", "OpenAI")
PROVIDERS = [
    ANTHROPIC,
    OPENAI,
    provider("google_vertex_ai", "Google Vertex AI", "service_account"),
    provider("mistral", "Mistral"),
    provider("deepseek", "DeepSeek"),
    provider("xai", "xAI"),
    provider("zai", "zAI"),
    provider("bedrock", "AWS Bedrock", "iam_regions"),
]

ACTIVE = Thing(word="Active", tone="green", icon="circle-check")
LIMITED = Thing(word="Limited", tone="amber", icon="gauge")
UNTESTED = Thing(word="Untested", tone="outline", icon="circle-dashed")
FAILING = Thing(word="Failing", tone="red", icon="circle-x")
DISABLED = Thing(word="Disabled", tone="grey", icon="circle-pause")

ORGANIZATION = Thing(label="Organization (all keys)", kind="organization")
UNASSIGNED = Thing(label="Unassigned", kind="unassigned")


def api_badges(*names: str) -> list[Thing]:
    return [Thing(label=name, kind="api-key") for name in names]


def checked(
    ago: timedelta, word: str = "Valid", sentence: str = "OpenAI accepted the key.", tone: str = "green"
) -> Thing:
    following = Step("create a new key at ", "OpenAI’s keys", "https://openai.example/keys", ".")
    step = None if tone == "green" else following
    return Thing(at=NOW - ago, word=word, sentence=sentence, tone=tone, step=step)


def provider_key(number: int, label: str, name: str, hint: str, **more: Any) -> Thing:
    given = {
        "provider": next(one.slug for one in registry.all() if one.label == label),
        "assignment_badges": [ORGANIZATION],
        "status_badges": [ACTIVE],
        "rank": None,
        "last_check": checked(timedelta(hours=3)),
        "last_check_verdict": "",
        "last_check_region": "",
        "enabled": True,
        "open_check": None,
        "regions_failing": 0,
        "regions_count": 0,
        "may_move_up": label == "OpenAI" and number == 3,
        "may_move_down": label == "OpenAI" and number == 2,
        "created_at": NOW - timedelta(days=30 * number),
        "created_by_name": ALICE.name,
        "last_used_at": NOW - timedelta(minutes=2) if number % 3 else None,
    }
    return told(Thing(id=f"pk_{number:022d}", name=name, hint=hint, provider_label=label, **{**given, **more}))


def told(key: Thing) -> Thing:
    """A row's key, with its texts as they are now."""
    key.last_check_at = key.last_check.at if key.last_check else None
    key.texts = texts_of(key)
    return key


KEYS = [
    provider_key(1, "Anthropic", "Production Key", "sk-ant-api03-…xQ4A"),
    provider_key(2, "OpenAI", "Production Key", "sk-proj-…AbCd", rank=Thing(number=1, sentence="tried first")),
    provider_key(
        3,
        "OpenAI",
        "Overflow account",
        "sk-proj-…9fTz",
        status_badges=[ACTIVE, LIMITED],
        rank=Thing(number=2, sentence="only when Production Key fails"),
        last_check=checked(
            timedelta(minutes=12), "Limited", "The key works, but its account has no credit left.", "amber"
        ),
    ),
    provider_key(
        4,
        "OpenAI",
        "CI account",
        "sk-svcacct-…Lm2P",
        assignment_badges=api_badges("ci", "playground"),
        status_badges=[FAILING],
        last_check=checked(timedelta(days=1), "Invalid", "OpenAI doesn’t recognize this key.", "red"),
    ),
    provider_key(
        5,
        "Google Vertex AI",
        "EU analytics",
        "byok@acme-eu-analytics.iam.gserviceaccount.com",
        assignment_badges=api_badges("batch-eu"),
        last_check=checked(timedelta(days=2)),
    ),
    provider_key(
        6,
        "Mistral",
        "Trial key",
        "…k7Wd",
        assignment_badges=[UNASSIGNED],
        status_badges=[DISABLED],
        enabled=False,
        last_check=checked(timedelta(days=60)),
    ),
    provider_key(
        7,
        "AWS Bedrock",
        "Bedrock fleet",
        "us-east-1, eu-central-1 +1",
        assignment_badges=api_badges("production", "batch-eu", "research", "nightly-evals", "staging"),
        rank=Thing(number=1, sentence="first for batch-eu"),
        open_check=Thing(url="/orgs/acme/provider-keys/checks/chk_open/"),
    ),
    provider_key(
        8,
        "AWS Bedrock",
        "A name that somebody made as long as the form would let them, to see what happens to it in a list",
        "eu-central-1",
        assignment_badges=api_badges("an-api-key-with-a-really-long-name-that-cannot-fit"),
        status_badges=[ACTIVE, UNTESTED],
        last_check=None,
        created_at=NOW,
    ),
]

API_KEYS = [
    Thing(id="key_1", name="batch-eu", checked=False, now="currently Production Key"),
    Thing(id="key_2", name="ci", checked=True, now="currently CI account"),
    Thing(id="key_3", name="playground", checked=False, now="currently CI account"),
    Thing(id="key_4", name="production", checked=False, now="currently Production Key"),
    Thing(id="key_5", name="research", checked=False, now=""),
    Thing(id="key_6", name="staging", checked=True, now="currently Production Key"),
    Thing(id="key_7", name="zz-nightly-evals", checked=False, now=""),
]
