"""How many inputs hypothesis makes up: the same few hundred in each run of the suite; many, and others each time, by
`--hypothesis-profile soak`.
"""

from typing import Final

from hypothesis import HealthCheck, Phase, settings

IN_THE_SUITE: Final = 500
IN_A_SOAK: Final = 20_000

PHASES: Final = tuple(Phase)

# Whoever makes a whole page of an input takes longer than hypothesis expects of a test.
_PATIENT: Final = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

settings.register_profile("suite", derandomize=True, database=None, deadline=None)
settings.load_profile("suite")
settings.register_profile("soak", max_examples=IN_A_SOAK, deadline=None, suppress_health_check=_PATIENT)


def one_of(shares: int) -> settings:
    """Settings for one of so many tests that share the number between them."""
    soaking = settings().max_examples == IN_A_SOAK
    return settings(
        max_examples=(IN_A_SOAK if soaking else IN_THE_SUITE) // shares,
        derandomize=not soaking,
        database=None,
        deadline=None,
        phases=PHASES,
        suppress_health_check=_PATIENT,
    )
