"""`manage.py demo_seed`: example people, API keys and provider keys; run by `manage.py demo` on its own data folder."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from byok_site import demo


class Command(BaseCommand):
    help = "Fill the demo's database with examples and say who can log in."
    requires_system_checks: tuple[str, ...] = ()

    def handle(self, *_: Any, **__: Any) -> None:
        if settings.DATA_DIR.name != "demo":
            raise CommandError("Examples are for the demo alone: run `./dev demo`.")
        for line in demo.introduction(demo.seed()):
            self.stdout.write(line)
