"""What a browser must never say or do, watched over everything a test does in it."""

import re
from collections import Counter
from typing import Final

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request, Response, WebError

# The browser tells a policy's breach in its console too, but not every kind of it.
_POLICY: Final = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
});
"""
# The browser and htmx both repeat in the console what the status of an answer said; statuses are watched for themselves.
# A request that gave way to a newer one is no failure; one that failed says `htmx:sendError` too.
_REPEATED: Final = re.compile(
    r"Failed to load resource: the server responded|Response Status Error Code |^htmx:(sendAbort|afterRequest), "
)


def leave(page: Page) -> None:
    """Take everything off a page that nobody needs any more: what it polls for stops, and all that it said is heard.

    To load an empty page instead would start another process, and the next page one more.
    """
    try:
        page.evaluate("document.documentElement?.remove()")
    except Error:
        # It was on its way to another address.
        page.goto("about:blank")


class Watch:
    """Errors in the console, breaches of the policy, failed answers, and every address that was asked for."""

    def __init__(self, context: BrowserContext) -> None:
        self.addresses: list[str] = []
        self._said: list[str] = []
        self._failed: Counter[int] = Counter()
        self._allowed: set[int] = set()
        context.add_init_script(_POLICY)
        context.on("console", self._hear)
        context.on("weberror", self._catch)
        context.on("request", self._note)
        context.on("response", self._judge)

    def expect(self, *statuses: int) -> None:
        """This test gets answers of these ``statuses``, each at least once."""
        self._allowed.update(statuses)

    def complaints(self) -> list[str]:
        """What was said that must not be, and what was expected and did not come."""
        surprises = [
            f"an answer of {status}, {times} ×" for status, times in self._failed.items() if status not in self._allowed
        ]
        absent = [f"no answer of {status}" for status in self._allowed - set(self._failed)]
        return [*self._said, *surprises, *absent]

    def breaches(self) -> list[str]:
        """What no answer excuses: errors that nobody caught, and breaches of the policy."""
        return [said for said in self._said if said.startswith(("uncaught: ", "error: policy: "))]

    def forget(self) -> None:
        """Start anew: what was heard so far has been looked at."""
        self.addresses.clear()
        self._said.clear()
        self._failed.clear()
        self._allowed.clear()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _REPEATED.search(message.text):
            self._said.append(f"{message.type}: {message.text}")

    def _catch(self, error: WebError) -> None:
        self._said.append(f"uncaught: {error.error}")

    def _note(self, request: Request) -> None:
        self.addresses.append(request.url)

    def _judge(self, response: Response) -> None:
        if response.status >= 400:
            self._failed[response.status] += 1
