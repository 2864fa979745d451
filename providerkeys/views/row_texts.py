"""What the rows of the lists say, as texts: their templates lay them out and look nothing up."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.text import get_text_list

from providerkeys import badges
from providerkeys.providers.verdicts import Verdict

_BADGES: Final = 3
"""How many badges of API keys the template shows; the others are told when asked for."""


def texts_of(row: Any) -> Mapping[str, str | bool]:
    """The texts of a row of the BYOK list: a provider key with its rank and its open check."""
    return {
        "id": row.id,
        "provider": row.provider_label,
        "name": row.name,
        "hint": row.hint,
        "more": str(len(row.assignment_badges) - _BADGES) if len(row.assignment_badges) > _BADGES else "",
        "enabled": row.enabled,
        "may_move_up": row.may_move_up,
        "may_move_down": row.may_move_down,
        "open_url": row.open_check.url if row.open_check else "",
        "rank": str(row.rank.number) if row.rank else "",
        "rank_sentence": row.rank.sentence if row.rank else "",
        "not_routed": f"once the gateway routes {row.provider_label}" if badges.not_routed(row.provider) else "",
        **_last_check(row.last_check),
        # What the badges say is older, or nothing. Where regions differ, one of them was judged.
        "learned_nothing": row.last_check_verdict == Verdict.UNREACHABLE and not row.last_check_region,
        # That some of several regions fail neither makes a key good nor bad.
        "tone": "" if not row.last_check or 0 < row.regions_failing < row.regions_count else row.last_check.tone,
    }


def _last_check(told: Any) -> Mapping[str, str]:
    step = told.step if told else None
    return {
        "verdict": told.word if told else "",
        "sentence": told.sentence if told else "",
        "step": f"{step.lead}{step.before}" if step else "",
        "link_text": step.link_text if step else "",
        "link_url": step.link_url if step else "",
        "step_after": step.after if step else "",
    }


def _further_names(answer: Any) -> list[str]:
    """Who is tried after the first one: those whose names are known, and how many there are besides."""
    known = [key.name for key in answer.keys[1:]]
    others = answer.further - len(known)
    return [*known, f"{others} more"] if others > 0 else known


def line_of(answer: Any) -> Mapping[str, str]:
    """The texts of a line of the API keys list: the provider key that is tried first, or why there is none."""
    first = answer.keys[0] if answer.keys else None
    return {
        "provider": answer.provider_label,
        "key_id": first.id if first else "",
        "key_name": first.name if first else "",
        "further": str(answer.further or ""),
        "further_names": get_text_list(_further_names(answer), "and"),
        "reason": answer.reason,
    }
