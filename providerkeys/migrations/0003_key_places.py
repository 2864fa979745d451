from django.conf import settings
from django.db import migrations, models

import providerkeys.models.key_order


class Migration(migrations.Migration):
    """The column begins with one constant, so no table is rewritten; after each migration keys are put in their places.

    See ``ProviderKeysConfig.arrange_keys``. What the previous version stores meanwhile stands last until then.
    """

    dependencies = [
        ("organizations", "0002_api_key_rotation"),
        ("providerkeys", "0002_bedrock_region"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="providerkey",
            name="place",
            field=providerkeys.models.key_order.PlaceField(db_default=32767, editable=False),
        ),
        migrations.AddIndex(
            model_name="providerkey",
            index=models.Index(fields=["organization", "place", "provider", "position"], name="provider_key_in_order"),
        ),
        migrations.AddIndex(
            model_name="providerkey",
            index=models.Index(
                condition=models.Q(("scope", "organization")),
                fields=["organization", "provider", "position"],
                name="provider_key_wide",
            ),
        ),
    ]
