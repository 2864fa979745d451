"""Provider keys and API keys: tested, rejected, saved, replaced, assigned, deleted; each time with a new secret."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from tests.fakeproviders import samples
from tests.processes import eventually
from tests.trust.canary import Canary
from tests.trust.walk.kinds import ACCOUNT, REGIONAL, Form, form_of, fresh, spoilt_accounts, spoilt_pairs
from tests.trust.walk.scene import ALICE, Scene, Typed
from tests.trust.walk.visitor import Answer, Visitor

KEYS: Final = "/orgs/acme/provider-keys/"
API_KEYS: Final = "/orgs/acme/api-keys/"
# Every verdict, and every answer that repeats the key where a library, a log or a page would quote it.
SCENARIOS: Final = {
    "openai": (
        *("good", "wrong", "echo", "scope", "deactivated", "quota", "error500", "html401", "errorinside", "truncated"),
        *("echo500", "badstatus", "badlength", "badchunk", "badgzip", "redirect302other", "resetbody", "hang"),
    ),
    "anthropic": (
        *("good", "wrong", "echo", "credit", "disabled", "overloaded"),
        *("echo500", "badstatus", "badlength", "badchunk", "redirect307loop", "dripbody"),
    ),
    "mistral": ("good", "wrong", "echo", "payment", "echo500", "badstatus", "redirect302other"),
    "deepseek": ("good", "wrong", "echo", "nocredit", "echo500", "badlength"),
    "xai": ("good", "wrong", "echo", "keyblocked", "echo500", "badchunk"),
    "zai": ("good", "wrong", "echo", "code1113", "echo500", "badstatus"),
    ACCOUNT: ("good", "wrong", "echo", "iam", "echo500", "thenecho500", "thenbadstatus", "hang"),
    REGIONAL: ("good", "wrong", "echo", "mistyped", "nolist", "echo500", "thenecho500", "thenbadchunk", "thenhang"),
}
_CHECK: Final = re.compile(r"check-(chk_\w+)")
_API_KEY: Final = re.compile(r"byok_[0-9A-Za-z]{50}")


def form(secret: str, provider: str = "openai", **more: str | list[str]) -> Form:
    """What the form posts for a new key of the whole organization."""
    return {
        "provider": provider,
        "name": "Production Key",
        "provider_key": secret,
        "assign_to_organization": "on",
        **more,
    }


# Checks.


def press(visitor: Visitor, secret: str, provider: str = "openai", *, of: str = "", at: str = KEYS) -> str:
    """Press "Test credentials", for the stored key ``of`` if one is named, and return the check's id."""
    return press_form(visitor, form(secret, provider), of=of, at=at)


def press_form(visitor: Visitor, fields: Form, *, of: str = "", at: str = KEYS) -> str:
    """The same with all ``fields`` of the form."""
    answer = visitor.post(f"{at}{of and of + '/'}checks/", fields, into="test-result")
    assert answer.status == 200, answer.place
    return str(_CHECK.findall(answer.text)[0])


def press_all(scene: Scene, visitor: Visitor, account: Typed) -> list[str]:
    """Test a credential for each answer, all service accounts with one private key."""

    def typed(provider: str, scenario: str) -> list[Typed]:
        what = "tested, not saved"
        is_account = provider == ACCOUNT
        return (
            [scene.secrets.renamed(account, scenario, what)] if is_account else fresh(scene, provider, scenario, what)
        )

    return [
        press_form(visitor, form_of(typed(provider, scenario)))
        for provider, scenarios in SCENARIOS.items()
        for scenario in scenarios
    ]


def await_done(scene: Scene, visitor: Visitor, checks: Iterable[str], seconds: float = 60) -> None:
    """Look at each check before it has its verdict, if it has none yet, and then. Fails after ``seconds``."""
    for check in checks:
        address = f"{KEYS}checks/{check}/"
        if not _is_done(scene, check):
            visitor.get(address, into="test-result")
            eventually(lambda check=check: _is_done(scene, check), seconds)  # type: ignore[misc]
        assert 'data-state="done"' in visitor.get(address, into="test-result").text


def _is_done(scene: Scene, check: str) -> bool:
    return bool(scene.one("SELECT state = 'done' FROM providerkeys_credentialcheck WHERE id = ?", check))


# What is refused.


def refuse(scene: Scene, visitor: Visitor, account: Typed, foreign_api_key: str) -> None:
    """Paste everything that can be wrong about a key or the form around it, to save it and to test it."""
    spoilt = {**_wrong_forms(scene, foreign_api_key), **spoilt_accounts(account), **spoilt_pairs(scene)}
    for what, fields in spoilt.items():
        answers = [visitor.post(f"{KEYS}new/", fields), visitor.post(f"{KEYS}new/", fields, into="sheet")]
        if what not in {"no name", "nobody to serve", "a foreign API key", "a key instead of an id"}:
            answers += [
                visitor.post(f"{KEYS}checks/", fields),
                visitor.post(f"{KEYS}checks/", fields, into="test-result"),
            ]
        assert {answer.status for answer in answers} == {422}, what


def _wrong_forms(scene: Scene, foreign_api_key: str) -> dict[str, Form]:
    def key(what: str, provider: str = "openai") -> str:
        return scene.secrets.key(provider, "good", f"refused, {what}", refused=True).value

    def cut(what: str, middle: str) -> Form:
        whole = key(what)
        return form(f"{whole[:80]}{middle}{whole[80:]}")

    admin_key = next(iter(samples.wrong_kinds("openai")))
    scene.secrets.add(Canary.hexadecimal("admin key", admin_key, "sk-admin-01-FAKE"))
    nobody = form(key("nobody to serve"))
    del nobody["assign_to_organization"]
    return {
        "a blank inside": cut("a blank inside", " "),
        "a line break inside": cut("a line break inside", "\r\n"),
        "an invisible character": cut("an invisible character", "\u200b"),
        "a foreign letter": cut("a foreign letter", "\u0430"),
        "a mask": cut("a mask", "…"),
        "far too long": form(key("far too long") * 8),
        "in a document": form(json.dumps({"key": key("in a document")})),
        "another provider's": form(key("another provider's", "anthropic")),
        "another kind": form(admin_key),
        "no such provider": form(key("no such provider"), "nobody"),
        "no name": form(key("no name"), name=""),
        "nobody to serve": nobody,
        "a foreign API key": {**nobody, "provider_key": key("a foreign API key"), "api_key_ids": [foreign_api_key]},
        "a key instead of an id": {**nobody, "api_key_ids": [key("a key instead of an id")]},
    }


def misuse(scene: Scene, alice: Visitor, dana: Visitor, charlie: Visitor) -> None:
    """Send a secret where or how it must not be sent."""

    def key(what: str) -> str:
        return scene.secrets.key("openai", "good", what, refused=True).value

    new, nobody = f"{KEYS}new/", scene.visitor("nobody")
    url_encoded = {"Content-Type": "application/x-www-form-urlencoded"}
    too_many = {"provider_key": key("among too many fields"), **{f"x{number}": "" for number in range(10_100)}}
    answers = {
        "by a Member": (dana.post(new, form(key("by a Member"))), 403),
        "by a stranger": (charlie.post(new, form(key("by a stranger"))), 404),
        "by nobody": (nobody.post(new, form(key("by nobody"))), 302),
        "by nobody, with htmx": (nobody.post(new, form(key("by nobody, with htmx")), into="sheet"), 200),
        "for another's key": (charlie.post(f"{KEYS}pk_0/", form(key("for another's key"))), 404),
        "without a token": (
            alice.send("POST", new, f"provider_key={key('without a token')}".encode(), url_encoded),
            403,
        ),
        "in a query": (alice.get(f"{new}?provider=openai&provider_key={key('in a query')}"), 200),
        "by another method": (alice.send("PUT", f"{KEYS}checks/", key("by another method").encode()), 403),
        "too large": (alice.send("POST", new, key("too large").encode() * 7000), 413),
        "among too many fields": (alice.post(new, too_many), 400),
        "as a file": (alice.upload(new, {"provider": "openai", "name": "x"}, "provider_key", key("as a file")), 400),
    }
    wrong = {what: answer.place for what, (answer, status) in answers.items() if answer.status != status}
    assert not wrong, wrong


@contextmanager
def half_a_form(scene: Scene) -> Iterator[None]:
    """Somebody's form is on its way in, its secret in the first half of it."""
    alice = scene.visitor("alice")
    alice.log_in(ALICE, scene.passwords[ALICE].value)
    secret = scene.secrets.key("openai", "good", "in half a form").value
    with alice.half_a_form(f"{KEYS}new/", form(secret)):
        yield


# API keys.


def issue(scene: Scene, visitor: Visitor, name: str, *, into: str | None = None, at: str = API_KEYS) -> str:
    """Make an API key and return its id. Its plaintext may be in that one answer."""
    answer = visitor.post(f"{at}new/", {"name": name, "expiration": ""}, into=into)
    assert answer.status == 200, answer.place
    take_api_key(scene, answer, name)
    pk: str = scene.one("SELECT id FROM organizations_apikey WHERE name = ?", name)
    visitor.get(f"{at}{pk}/")
    visitor.get(at)
    return pk


def take_api_key(scene: Scene, answer: Answer, name: str) -> None:
    """The one answer in which the plaintext may be."""
    (plaintext,) = _API_KEY.findall(answer.text)
    scene.secrets.allow(scene.secrets.add(Canary.api_key(f"API key {name}", plaintext)), answer.place)


# The life of a key.


def save(scene: Scene, visitor: Visitor, canary: Canary, *, at: str = KEYS, api_key: str = "") -> str:
    """Save a new key, of the whole organization or for one API key, and return its id."""
    fields = form(canary.value, canary.name.partition(" ")[0])
    if api_key:
        del fields["assign_to_organization"]
        fields["api_key_ids"] = [api_key]
    return save_form(scene, visitor, fields, at=at)


def save_form(scene: Scene, visitor: Visitor, fields: Form, *, at: str = KEYS) -> str:
    """The same with all ``fields`` of the form, but for a name of its own."""
    name = f"Key {len(scene.record.answers)}"
    answer = visitor.post(f"{at}new/", {**fields, "name": name}, into="sheet")
    assert answer.status == 200, answer.place
    pk: str = scene.one("SELECT id FROM providerkeys_providerkey WHERE name = ?", name)
    return pk


def edit(scene: Scene, visitor: Visitor, pk: str, secret: str = "", *, behind: int = 0, **more: str | list[str]) -> int:
    """Save an edit and return the status. Blank keeps the secret; ``behind``: how many saves the form has missed."""
    fields = {**form(secret), "name": f"Edited {pk[-6:]}", **more}
    return edit_form(scene, visitor, pk, fields, behind=behind).status


def edit_form(scene: Scene, visitor: Visitor, pk: str, fields: Form, *, behind: int = 0) -> Answer:
    """The same with all ``fields`` of the form."""
    return visitor.post(f"{KEYS}{pk}/", {**fields, "version": str(version_of(scene, pk) - behind)})


def version_of(scene: Scene, pk: str) -> int:
    version: int = scene.one("SELECT version FROM providerkeys_providerkey WHERE id = ?", pk)
    return version


def live(scene: Scene, visitor: Visitor, api_key: str) -> None:
    """A key is saved, looked at, tested again, replaced, kept, fought over, assigned, and deleted."""

    def key(scenario: str, what: str, provider: str = "openai") -> Canary:
        return scene.secrets.key(provider, scenario, what)

    def tested(canary: Canary) -> Canary:
        await_done(scene, visitor, [press(visitor, canary.value)])
        return canary

    pk = save(scene, visitor, tested(key("good", "saved after a test")))
    for path in (KEYS, f"{KEYS}{pk}/", f"{KEYS}{pk}/delete/", f"{KEYS}?q=openai"):
        assert visitor.get(path).status == 200
    checks = [press(visitor, "", of=pk), press(visitor, key("scope", "tested over a stored key").value, of=pk)]
    assert visitor.post(f"{KEYS}{pk}/checks/", {}, into=f"row-{pk}").status == 200
    statuses = [
        edit(scene, visitor, pk, key("rate", "replacement").value),
        edit(scene, visitor, pk),
        edit(scene, visitor, pk, key("good", "typed into a conflict").value, behind=1),
        edit(scene, visitor, pk, key("good", "of an edit without a name").value, name=""),
        edit(scene, visitor, pk, assign_to_organization="", api_key_ids=[api_key]),
    ]
    assert statuses == [302, 302, 409, 422, 302]
    save(scene, visitor, key("good", "saved for an API key", "anthropic"), api_key=api_key)
    save(scene, visitor, tested(key("wrong", "saved though it is wrong")))
    await_done(scene, visitor, checks)
    assert visitor.post(f"{KEYS}{pk}/delete/", {}).status == 302
