"""How much of request bodies one process holds at once: 32 MiB each are little, and hundreds of them are all there is."""

from collections import defaultdict
from http import HTTPStatus
from types import TracebackType
from typing import ClassVar, Final, Self

from gateway.refusals import Refusal

MOST_BYTES: Final = 512 * 1024 * 1024
MOST_BYTES_OF_ONE: Final = MOST_BYTES // 2
"""Of one organization: it takes more than one to leave no room for the others."""


class Room:
    """What one request of an organization holds, from its first byte until nobody may have to be sent it any more."""

    taken: ClassVar[int] = 0
    """Bytes that are held in this process."""
    _taken_by: ClassVar[defaultdict[str, int]] = defaultdict(int)

    def __init__(self, organization_id: str) -> None:
        self._organization_id, self._mine = organization_id, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def take(self, count: int) -> None:
        """Hold ``count`` bytes more. Raises ``Refusal`` (503) where there is no room for them."""
        if Room.taken + count > MOST_BYTES or self._taken_by[self._organization_id] + count > MOST_BYTES_OF_ONE:
            sentence = "Too many large requests are under way. Try again in a moment."
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", sentence, retry_after=1)
        self._add(count)

    def leave(self) -> None:
        """Nothing is held any more."""
        self._add(-self._mine)
        if not self._taken_by[self._organization_id]:
            del self._taken_by[self._organization_id]

    def _add(self, count: int) -> None:
        self._mine += count
        Room.taken += count
        self._taken_by[self._organization_id] += count
