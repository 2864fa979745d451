"""What a provider serves to the gateway: which protocols its callers may speak, and the way in for one credential."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from providerkeys.providers.http import Endpoint


class Api(StrEnum):
    """A protocol of inference, by the route under which the gateway offers it."""

    CHAT_COMPLETIONS = "/v1/chat/completions"
    RESPONSES = "/v1/responses"
    EMBEDDINGS = "/v1/embeddings"
    MESSAGES = "/v1/messages"
    COUNT_TOKENS = "/v1/messages/count_tokens"


@dataclass(frozen=True, slots=True)
class Inference:
    """Where a provider serves inference. ``paths`` are behind the way in's ``base_path``; what is missing isn't served.

    ``models`` is the path of its list of models; ``model_prefixes`` is how the ids of its models begin, for a caller who
    forgot to name the provider; ``example_model`` is one of them, for who writes a first program.
    """

    paths: Mapping[Api, str] = field(default_factory=dict)
    models: str = ""
    model_prefixes: tuple[str, ...] = ()
    example_model: str = ""


@dataclass(frozen=True, slots=True)
class WayIn:
    """How one credential reaches inference: ``headers`` hold the ``secret`` that is sent. It may be kept for ``seconds``."""

    endpoint: Endpoint
    headers: Mapping[str, str] = field(repr=False)
    secret: str = field(repr=False)
    base_path: str = ""
    seconds: float = 0


class NoWayIn(Exception):
    """The provider did not let the credential in. ``reason`` is a code of the provider's; there is no other content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
