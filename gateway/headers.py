"""Which headers pass, in both directions: two closed lists. Whatever else a caller or a provider sends stays here."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from multidict import CIMultiDictProxy

from gateway.exchange import Exchange
from gateway.scrub import Scrubber

type Pairs = list[tuple[bytes, bytes]]
type Received = CIMultiDictProxy[str]

_TO_PROVIDER: Final = frozenset(
    {
        b"accept",
        b"anthropic-beta",
        b"anthropic-version",
        b"content-type",
        b"idempotency-key",
        b"openai-beta",
        b"traceparent",
        b"tracestate",
    }
)
_TO_CALLER: Final = frozenset(
    {
        "content-encoding",
        "content-type",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
    }
)
_LIMITS: Final = ("x-ratelimit-", "anthropic-ratelimit-")
# Some clients give up at a hundred headers; providers have about twenty of these.
_MOST: Final = 50
REQUEST_IDS: Final = ("x-request-id", "request-id", "x-goog-request-id", "mistral-correlation-id", "x-log-id")
"""Where providers say what they call a request."""
_LONGEST_ID: Final = 200
# A browser has no business here. One that is led here all the same, next to the console, runs nothing of what a provider said.
_FOR_BROWSERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
)
# No server sends them on, and a provider must not make ours fail.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def to_provider(sent: Iterable[tuple[bytes, bytes]], own: Mapping[str, str]) -> dict[str, str]:
    """The caller's headers that pass, over the provider's defaults; what authenticates is never the caller's."""
    passed: dict[str, str] = {}
    for name, value in sent:
        if name in _TO_PROVIDER:
            known, text = name.decode(), value.decode("latin-1")
            # A list may come in several lines.
            passed[known] = f"{passed[known]}, {text}" if known in passed else text
    # A provider's own file names what it needs: a version that the caller chose itself stays.
    secret = {name: value for name, value in own.items() if name.lower() not in passed}
    return {"accept-encoding": "identity", "user-agent": "byok-gateway", **passed, **secret}


def to_caller(received: Received, scrubber: Scrubber) -> Pairs:
    """The provider's headers that pass, without any part of the secret."""
    passing = (
        (name.lower().encode(), value.encode("latin-1", "replace"))
        for name, value in received.items()
        if (name.lower() in _TO_CALLER or name.lower().startswith(_LIMITS)) and not _CONTROL.search(value)
    )
    pairs = list(islice(passing, _MOST))
    if not scrubber.finds(b"\n".join(value for _, value in pairs)):
        return pairs
    return [(name, scrubber.whole(value)) for name, value in pairs]


def request_id(received: Received, scrubber: Scrubber) -> str:
    """The provider's own name for the request; empty when it gives none."""
    given = next((received[name] for name in REQUEST_IDS if name in received), "")
    shown = "" if _CONTROL.search(given) else given[:_LONGEST_ID]
    return scrubber.whole(shown.encode("latin-1", "replace")).decode("latin-1")


def of(exchange: Exchange) -> Pairs:
    """Our own: who served, at which try, and what this request is called."""
    pairs: Pairs = [(b"x-request-id", exchange.id.encode()), (b"cache-control", b"no-store"), *_FOR_BROWSERS]
    if exchange.served_by:
        pairs += [
            (b"x-byok-provider", exchange.provider.encode()),
            (b"x-byok-provider-key", exchange.served_by.id.encode()),
            (b"x-byok-attempts", str(len(exchange.attempts)).encode()),
        ]
    if exchange.provider_request_id:
        pairs.append((b"x-byok-provider-request-id", exchange.provider_request_id.encode("latin-1", "replace")))
    if exchange.stream:
        # For a proxy in front of us that would collect a stream.
        pairs.append((b"x-accel-buffering", b"no"))
    return pairs
