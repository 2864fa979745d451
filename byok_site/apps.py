"""The wiring as a Django app: it brings system checks and the serve command."""

from importlib import import_module

from django.apps import AppConfig


class ByokSiteConfig(AppConfig):
    name = "byok_site"

    def ready(self) -> None:
        import_module("byok_site.checks")
