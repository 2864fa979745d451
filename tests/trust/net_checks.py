"""Checks that are timed and weighed, and those of several requests of which a later one never ends."""

import resource
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from providerkeys.providers import http, registry
from providerkeys.providers.base import Answer, Credential, Endpoint, Request
from tests.fakeproviders import samples
from tests.trust.net import Step


@dataclass(frozen=True)
class Outcome:
    """``mebibytes`` is by how much the process has grown in the run that it was a part of."""

    reason: str
    seconds: float
    mebibytes: float = 0.0


class Memory:
    """By how much this process has grown, at most, since it was made."""

    def __init__(self) -> None:
        self._status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
        if reset.exists():
            # The mark of the most that the process ever had, put back to what it has.
            reset.write_text("5")
        self._before = self._most()

    @property
    def mebibytes(self) -> float:
        return self._most() - self._before

    def _most(self) -> float:
        if self._status.exists():
            lines = self._status.read_text().splitlines()
            return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ask(slug: str, key: str, via: str = "") -> Outcome:
    """Check ``key`` and time it; its requests go to the origin that is called ``via``, if one is."""
    carry, started = http.sender(), time.monotonic()

    def send(request: Request) -> Answer:
        return carry(replace(request, endpoint=Endpoint(via, request.endpoint.host)) if via else request)

    try:
        reason = registry.get(slug).check(Credential(key, samples.destination(slug, key)), send)
    except http.Unreachable as unreachable:
        reason = unreachable.reason
    return Outcome(reason, time.monotonic() - started)


# Each later request of a check, met with a drip after what comes before it took its time: apart, they would take too long.


@dataclass(frozen=True)
class Later:
    """A check of which an answer that comes in time leads to a request that is never answered to its end."""

    slug: str
    name: str
    before: tuple[Step, ...]
    reason: str = "timeout"

    @property
    def id(self) -> str:
        return f"{self.slug}-{self.name}"


def _json(status: int, body: str) -> Step:
    return Step(status, body.encode(), seconds=4.0)


_SCOPES: Final = _json(403, '{"error": {"message": "Missing scopes: api.model.read."}}')
_TOKEN: Final = _json(200, '{"access_token": "ya29.FAKE", "token_type": "Bearer"}')
_NO_MODEL: Final = replace(_json(404, '{"error": {"code": 404, "status": "NOT_FOUND"}}'), seconds=2.0)
_REFUSED: Final = replace(_json(401, '{"error": {"code": 401, "status": "UNAUTHENTICATED"}}'), seconds=2.0)
_ABOUT_THE_KEY: Final = _json(200, '{"acls": ["api-key:model:*", "api-key:endpoint:*"], "team_blocked": false}')
_ACCOUNT: Final = Step(
    200,
    b"<GetCallerIdentityResponse ><Arn>arn:aws:iam::000000000000:user/one</Arn></GetCallerIdentityResponse>",
    seconds=4.0,
    content_type="text/xml",
)
_MISMATCH: Final = replace(
    _ACCOUNT, status=403, body=b"<Error><Code>SignatureDoesNotMatch</Code><Message>No.</Message></Error>"
)
LATER: Final = (
    *(Later(slug, "again after a 503", (_json(503, "{}"),)) for slug in samples.PROVIDERS),
    Later("openai", "again for its scopes", (_SCOPES,)),
    Later("google_vertex_ai", "the question after the sign-in", (_TOKEN,)),
    Later("google_vertex_ai", "another model", (_TOKEN, _NO_MODEL)),
    Later("google_vertex_ai", "another token", (_TOKEN, _REFUSED)),
    # What xAI has said of the key itself stands.
    Later("xai", "the models after the key", (_ABOUT_THE_KEY,), "accepted"),
    Later("zai", "a request for nothing instead of the models", (_json(404, "{}"),)),
    Later("bedrock", "the region after the account", (_ACCOUNT,)),
    Later("bedrock", "again after a mismatch", (_MISMATCH,)),
)
