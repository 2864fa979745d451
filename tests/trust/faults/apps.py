from django.apps import AppConfig

from tests.trust.faults.layers import plant


class Faults(AppConfig):
    name = "tests.trust.faults"

    def ready(self) -> None:
        # Both are models' business, and there are no models yet when this module is read.
        from tests.trust.faults.hurry import hurry  # noqa: PLC0415

        plant()
        hurry()
