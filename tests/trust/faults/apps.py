from django.apps import AppConfig

from tests.trust.faults.layers import plant


class Faults(AppConfig):
    name = "tests.trust.faults"

    def ready(self) -> None:
        plant()
