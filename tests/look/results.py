"""Results of a test in every state that people can see."""

from types import SimpleNamespace as Thing
from typing import Any

from providerkeys.badges import Step


def result(word: str, sentence: str, parts: tuple[str, str, str], **more: Any) -> Thing:
    tones = {
        "Valid": ("green", "circle-check"),
        "Limited": ("amber", "gauge"),
        "Invalid": ("red", "circle-x"),
        "Forbidden": ("red", "circle-slash"),
        "Unreachable": ("grey", "cloud-off"),
    }
    tone, icon = tones[word]
    before, link, after = parts
    given = {
        "label": "",
        "state": "done",
        "verdict": word.lower(),
        "word": word,
        "sentence": sentence,
        "tone": tone,
        "icon": icon,
        "seconds": "0.4 s",
        "step": Step(before, link, "https://provider.example/" if link else "", after),
    }
    return Thing(**{**given, **more})


def waiting(state: str, label: str = "") -> Thing:
    return Thing(
        label=label, state=state, verdict="", word="", sentence="", tone="grey", icon="clock", seconds="", step=None
    )


def check(state: str, results: list[Thing], *, waiting_long: bool = False, elapsed: int = 0) -> Thing:
    return Thing(
        id="chk_sample",
        state_now=state,
        verdict=results[0].verdict,
        url="/orgs/acme/provider-keys/checks/chk_sample/",
        waiting_long=waiting_long,
        elapsed_seconds=elapsed,
        deadline_seconds=60,
        results_now=results,
    )


VALID = result(
    "Valid", "OpenAI accepted the key.", ("Save it. This test doesn’t check credit; see ", "your OpenAI billing", ".")
)
REGIONS = [
    result("Valid", "AWS accepted the key; Bedrock answers.", ("", "", ""), label="us-east-1", step=None),
    result("Valid", "AWS accepted the key; Bedrock answers.", ("", "", ""), label="eu-central-1", step=None),
]
OPTED_OUT = result(
    "Forbidden",
    "Your AWS account hasn’t opted in to this region.",
    ("Enable it under ", "AWS Account → Regions", ", or remove row 3."),
    label="eu-south-1",
    seconds="1.1 s",
)
CHECKS = {
    "queued": check("queued", [waiting("queued")]),
    "running": check("running", [waiting("running")], elapsed=2),
    "waiting-long": check("queued", [waiting("queued")], waiting_long=True, elapsed=6),
    "valid": check("done", [VALID]),
    "limited": check(
        "done",
        [
            result(
                "Limited",
                "The key works, but its account has no credit left.",
                ("", "Add credit at OpenAI", ". Saving is fine."),
            )
        ],
    ),
    "invalid": check(
        "done",
        [result("Invalid", "OpenAI doesn’t recognize this key.", ("Create a new key at ", "OpenAI’s API keys", "."))],
    ),
    "forbidden": check(
        "done",
        [
            result(
                "Forbidden",
                "OpenAI knows this key, but its project allows only listed IP addresses.",
                ("Add this server’s address at ", "your OpenAI organization", "."),
            )
        ],
    ),
    "unreachable": check(
        "done",
        [
            result(
                "Unreachable",
                "OpenAI didn’t answer in 10 s. The key was not judged.",
                ("Test again in a minute, or save it untested.", "", ""),
                seconds="10 s",
            )
        ],
    ),
    "regions-running": check("running", [*REGIONS, waiting("running", "eu-south-1")]),
    "regions-done": check("done", [*REGIONS, OPTED_OUT]),
}
