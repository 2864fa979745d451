from django.apps import AppConfig
from django.conf import settings

from tests.trust.faults import slips
from tests.trust.faults.layers import asked, fault_file, plant


class Faults(AppConfig):
    name = "tests.trust.faults"

    def ready(self) -> None:
        # Both are models' business, and there are no models yet when this module is read.
        from tests.trust.faults.hurry import hurry  # noqa: PLC0415

        plant()
        slips.plant(asked(fault_file(settings.DATA_DIR), slips.SLIPS))
        hurry()
