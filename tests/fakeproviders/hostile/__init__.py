"""What a broken or malicious provider does, for every provider alike: chosen by the key's last token, like the rest.

A name is looked up in ``ACTS`` after its number and suffix are taken off: ``slow3``, ``redirect307other``, ``gatealice``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.fakeproviders.hostile import bodies, broken, floods, pacing, redirects, streams
from tests.fakeproviders.hostile.act import Act
from tests.fakeproviders.model import Verdict


@dataclass(frozen=True, slots=True)
class Hostile:
    """A hostile scenario. ``slow``: it lasts as long as the caller lets it."""

    name: str
    verdict: Verdict
    description: str
    slow: bool = False


ACTS: Final[dict[str, Act]] = {
    **pacing.ACTS,
    **bodies.ACTS,
    **floods.ACTS,
    **broken.ACTS,
    **streams.ACTS,
}

FAMILIES: Final[tuple[Callable[[str], Act | None], ...]] = (
    pacing.slow,
    streams.gate,
    pacing.gate,
    bodies.status,
    bodies.html,
    redirects.redirect,
)


def find(name: str) -> Act | None:
    """The hostile behaviour called ``name``, or ``None`` when that is no hostile scenario."""
    if name in ACTS:
        return ACTS[name]
    return next((act for family in FAMILIES if (act := family(name)) is not None), None)


ROWS: Final = (
    Hostile("slow2", "valid", "a good answer after 2 s"),
    Hostile("slow12", "unreachable", "a good answer after 12 s, too late", slow=True),
    Hostile("hang", "unreachable", "takes the request and never answers", slow=True),
    Hostile("dripheaders", "unreachable", "one byte a second from the status line on", slow=True),
    Hostile("dripbody", "unreachable", "headers at once, then one byte a second", slow=True),
    Hostile("html", "unreachable", "200 with a captive portal's page"),
    Hostile("html401", "unreachable", "401 with a proxy's page: the provider did not say it"),
    Hostile("html403", "unreachable", "403 with a firewall's page: the provider did not say it"),
    Hostile("html404", "unreachable", "404 with a proxy's page: the provider did not say it"),
    Hostile("html502", "unreachable", "502 with a gateway's page"),
    Hostile("empty", "unreachable", "200 with an empty body"),
    Hostile("text", "unreachable", "200 with the right list, called plain text"),
    Hostile("notjson", "unreachable", "200 called JSON that is HTML"),
    Hostile("wrongjson", "unreachable", "200 with JSON of another shape"),
    Hostile("wrongtype", "unreachable", "200 with the right name and the wrong type"),
    Hostile("array", "unreachable", "200 with a JSON array"),
    Hostile("errorinside", "unreachable", "200 with an error inside"),
    Hostile("truncated", "unreachable", "200 with JSON cut off, the length right"),
    Hostile("badutf8", "unreachable", "200 with bytes that are no UTF-8"),
    Hostile("deepjson", "unreachable", "200 with JSON 100,000 levels deep"),
    Hostile("hugenumber", "unreachable", "200 with a number of 10,000 digits"),
    Hostile("gzipbomb", "unreachable", "200 of 0.3 MB that unpacks to 320 MiB"),
    Hostile("big", "unreachable", "200 with a body of 10 MB"),
    Hostile("endless", "unreachable", "chunks without end"),
    Hostile("trailers", "unreachable", "the right list, then trailers without end", slow=True),
    Hostile("headerflood", "unreachable", "headers without end"),
    Hostile("longheader", "unreachable", "one header line without end"),
    Hostile("continues", "unreachable", "100 Continue without end", slow=True),
    Hostile("redirect301", "unreachable", "301 to another path of the same host"),
    Hostile("redirect302other", "unreachable", "302 to another provider"),
    Hostile("redirect307other", "unreachable", "307 to another provider"),
    Hostile("redirect302loop", "unreachable", "302 to a loopback listener"),
    Hostile("redirect308loop", "unreachable", "308 to a loopback listener"),
    Hostile("reset", "unreachable", "the connection is reset before an answer"),
    Hostile("resetbody", "unreachable", "the connection is reset in mid-body"),
    Hostile("close", "unreachable", "the connection is closed before an answer"),
    Hostile("cutbody", "unreachable", "the connection is closed in mid-body"),
    Hostile("badstatus", "unreachable", "a status line that is none, with the key in it"),
    Hostile("badlength", "unreachable", "a Content-Length that is none, with the key in it"),
    Hostile("badchunk", "unreachable", "a chunk size that is none, with the key in it"),
    Hostile("badgzip", "unreachable", "called gzip and is none"),
    Hostile("echo500", "unreachable", "500 with a debug page that shows the request's headers"),
)
"""One sample a row. The families take more names: ``slow<seconds>``, ``gate<anything>``, ``status<code>``,
``html<code>``, ``redirect<301|302|303|307|308>`` with nothing, ``other`` or ``loop`` behind."""
