from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.db.models.signals import post_migrate


class ProviderKeysConfig(AppConfig):
    name = "providerkeys"
    verbose_name = "Provider keys"

    def ready(self) -> None:
        post_migrate.connect(self.arrange_keys, sender=self)

    def arrange_keys(self, using: str, apps: Apps | None = None, **_: Any) -> None:
        """Put the keys where the registry of this version has their providers: a deployment may have changed that.

        ``apps`` are the models that a migration has led to, perhaps from before there were places; ``flush`` names none.
        """
        there = apps.all_models["providerkeys"].get("providerkey") if apps else None
        if there and any(field.name == "place" for field in there._meta.fields):
            from providerkeys.models import ProviderKey  # noqa: PLC0415 -- models are loaded after this module.

            ProviderKey.objects.using(using).arrange()
