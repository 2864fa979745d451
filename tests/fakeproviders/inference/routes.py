"""A route for inference: what its provider's dialect is, and what it does before it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from tests.fakeproviders.inference.question import Question, Unusable, read
from tests.fakeproviders.model import Ask, Reply, Route
from tests.fakeproviders.wire import Answer, Headers

_JSON: Final = (("content-type", r"application/json(?:;.*)?"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Where providers that speak the same protocol differ.

    ``complain`` makes an error of a status in the provider's envelope, with ``{whole}`` in its message for the key.
    ``usage`` stands in a stream's last chunk but one when it is ``asked`` for, there ``always``, or in the ``last`` chunk
    with a choice. ``waiting`` are comments before the first event. With ``publishers``, ids of models have one slash, else none.
    ``objects`` says what else is wrong with a request; nothing: the empty text.
    """

    complain: Callable[[int, str], Reply]
    usage: Literal["asked", "always", "last"] = "asked"
    more_usage: Mapping[str, Any] = field(default_factory=dict)
    waiting: tuple[bytes, ...] = ()
    publishers: bool = False
    objects: Callable[[Question, Ask], str] = field(default=lambda _question, _ask: "")
    headers: Headers = ()
    required: tuple[tuple[str, str], ...] = _JSON
    wrap: Callable[[Answer], Answer] = field(default=lambda answer: answer)


Speak = Callable[[Question, Dialect, Ask], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A protocol's request: ``messages`` is the field with what is asked, ``needs`` are others that must be there."""

    name: str
    messages: str
    speak: Speak
    needs: tuple[str, ...] = ()

    def at(self, path: str, dialect: Dialect) -> Route:
        """The route that serves it at ``path``, a regular expression."""

        def good(ask: Ask) -> Answer:
            try:
                question = read(ask.request.body, self.messages, *self.needs)
            except Unusable as error:
                return dialect.complain(400, str(error))(ask)
            if question.model.count("/") != int(dialect.publishers):
                return dialect.complain(404, f"The model `{question.model}` does not exist.")(ask)
            objection = dialect.objects(question, ask)
            if objection:
                return dialect.complain(400, objection)(ask)
            answer = self.speak(question, dialect, ask).with_headers(dialect.headers)
            return replace(answer, after=question.manner.after)

        return Route(
            name=self.name,
            method="POST",
            path=path,
            good=good,
            accept="",
            required=dialect.required,
            wrap=dialect.wrap,
            inference=True,
        )
