"""Where Vertex AI can be asked: a closed list, because a location becomes a part of a host name.

A region that Google opens later is one more word here.
"""

from typing import Final

from providerkeys.providers.base import Endpoint

DEFAULT: Final = "global"
_REGIONS: Final = {
    "africa": ("south1",),
    "asia": (
        "east1",
        "east2",
        "northeast1",
        "northeast2",
        "northeast3",
        "south1",
        "south2",
        "southeast1",
        "southeast2",
    ),
    "australia": ("southeast1", "southeast2"),
    "europe": (
        *("central2", "north1", "north2", "southwest1", "west1", "west2", "west3", "west4", "west6", "west8", "west9"),
        *("west10", "west12"),
    ),
    "me": ("central1", "central2", "west1"),
    "northamerica": ("northeast1", "northeast2", "south1"),
    "southamerica": ("east1", "west1"),
    "us": ("central1", "east1", "east4", "east5", "south1", "west1", "west2", "west3", "west4"),
}


def _endpoint(host: str) -> Endpoint:
    return Endpoint("google_vertex_ai", host)


def _regional() -> dict[str, Endpoint]:
    names = (f"{continent}-{place}" for continent, places in _REGIONS.items() for place in places)
    return {name: _endpoint(f"{name}-aiplatform.googleapis.com") for name in names}


ENDPOINTS: Final = {
    DEFAULT: _endpoint("aiplatform.googleapis.com"),
    "us": _endpoint("aiplatform.us.rep.googleapis.com"),
    "eu": _endpoint("aiplatform.eu.rep.googleapis.com"),
    **_regional(),
}
"""The endpoint of each location."""
