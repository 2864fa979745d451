"""What the verdicts of a key's regions amount to: stored on the key, so that a list of keys costs what it costs."""

from collections.abc import Sequence
from typing import Any, Final

from providerkeys.models.bedrock_region import BedrockRegion
from providerkeys.providers.verdicts import Verdict

_WORST_FIRST: Final = (
    *(Verdict.INVALID, Verdict.FORBIDDEN, Verdict.UNREACHABLE),
    "",
    *(Verdict.LIMITED, Verdict.VALID),
)
_FAILING: Final = (Verdict.INVALID, Verdict.FORBIDDEN)


def of(regions: Sequence[BedrockRegion]) -> dict[str, Any]:
    """The columns of a key with these ``regions``. It fails only when all of them do; of the others the worst one speaks."""
    failing = [region for region in regions if region.verdict in _FAILING]
    serving = [region for region in regions if region not in failing]
    judged = min(serving or failing, key=lambda region: _WORST_FIRST.index(region.verdict))
    return {
        "regions_count": len(regions),
        "regions_failing": len(failing),
        "verdict": judged.verdict,
        "reason": judged.reason,
        "verdict_at": judged.verdict_at,
        **_last_check([region for region in regions if region.last_check_at]),
    }


def _last_check(checked: Sequence[BedrockRegion]) -> dict[str, Any]:
    if not checked:
        return {"last_check_verdict": "", "last_check_reason": "", "last_check_at": None, "last_check_region": ""}
    worst = min(checked, key=lambda region: _WORST_FIRST.index(region.last_check_verdict))
    alike = len({region.last_check_verdict for region in checked}) == 1
    return {
        "last_check_verdict": worst.last_check_verdict,
        "last_check_reason": worst.last_check_reason,
        "last_check_at": max(region.last_check_at for region in checked if region.last_check_at),
        "last_check_region": "" if alike else worst.region,
    }
