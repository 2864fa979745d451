"""All stand-ins in one event loop: a port a name, a trap that redirects lead to, one journal."""

import asyncio

from tests.fakeproviders import providers
from tests.fakeproviders.gates import Gates
from tests.fakeproviders.journal import Journal, Violation
from tests.fakeproviders.place import Place, Shared
from tests.fakeproviders.port import Mode, Port

_TRAP = "trap"
_TRAP_SAYS = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"data": []}'


class Fakes:
    """Every name of PROVIDER_BASE_URLS on its own port, and the trap: a listener that nobody has any business with."""

    def __init__(self) -> None:
        self._shared = Shared(targets=self._redirect_targets)
        self._places = {
            name: Place(provider, service, self._shared) for name, (provider, service) in providers.served().items()
        }
        self._trap = Port(self._spring)

    @property
    def journal(self) -> Journal:
        return self._shared.journal

    @property
    def gates(self) -> Gates:
        return self._shared.gates

    @property
    def base_urls(self) -> dict[str, str]:
        """The value for PROVIDER_BASE_URLS."""
        return {name: place.port.url for name, place in self._places.items()}

    @property
    def trap_url(self) -> str:
        return self._trap.url

    async def start(self) -> None:
        for port in self._ports:
            await port.set("up")

    async def stop(self) -> None:
        for port in self._ports:
            await port.close()

    async def set(self, name: str, mode: Mode) -> None:
        """Take the provider ``name`` down, or up again. Raises ``KeyError`` for an unknown name."""
        await self._places[name].port.set(mode)

    async def reset(self) -> None:
        """Cut every connection, bring everything up, forget everything."""
        self._shared.journal, self._shared.gates = Journal(), Gates()
        for port in self._ports:
            port.cut()
            await port.set("up")

    @property
    def _ports(self) -> list[Port]:
        return [*(place.port for place in self._places.values()), self._trap]

    def _redirect_targets(self, name: str) -> dict[str, str]:
        another = next(url for other, url in self.base_urls.items() if other != name)
        return {"other": another, "loop": self.trap_url}

    async def _spring(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.journal.violations.append(Violation("trap_reached", _TRAP, "a connection to the loopback listener"))
        if await reader.read(65536):
            writer.write(_TRAP_SAYS)
            await writer.drain()
