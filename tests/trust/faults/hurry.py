"""The product in a hurry: what it waits for takes as long as it must, and the walk is not made to wait along."""

from datetime import timedelta

from providerkeys.models import check
from providerkeys.providers import http


def hurry() -> None:
    """A provider has three seconds to answer, and eight pass until an attempt is taken over from a dead worker."""
    http.TOTAL_SECONDS = 3.0  # type: ignore[misc]
    check.LEASE = timedelta(seconds=8)  # type: ignore[misc]
