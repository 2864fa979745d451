"""Gates: a request with a ``gate…`` credential waits here until the test lets it go on."""

import asyncio


class Gates:
    """A gate that is opened before anyone waits stays open. Opening says which scenario is answered then."""

    def __init__(self) -> None:
        self._passages: dict[str, asyncio.Future[str]] = {}

    def open(self, credential: str, scenario: str) -> None:
        """Let every request with ``credential``, waiting or still to come, go on to ``scenario``."""
        passage = self._passage(credential)
        if passage.done():
            passage = self._passages[credential] = asyncio.get_running_loop().create_future()
        passage.set_result(scenario)

    async def wait(self, credential: str) -> str:
        """Wait for the gate of ``credential``; returns the scenario to answer."""
        # Shielded: a client that leaves must not take the gate with it.
        return await asyncio.shield(self._passage(credential))

    def _passage(self, credential: str) -> asyncio.Future[str]:
        return self._passages.setdefault(credential, asyncio.get_running_loop().create_future())
