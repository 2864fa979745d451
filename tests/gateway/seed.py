"""``python -m tests.gateway.seed N``: makes the database that the environment names, with one organization that has a
provider key and N API keys. It prints them, one a line.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "byok_site.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 -- Django is set up from here on.

from organizations.access import access_for  # noqa: E402
from organizations.models import ApiKey, Organization, Role  # noqa: E402
from tests.cast import member_of  # noqa: E402
from tests.gateway.stand import keep  # noqa: E402

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    acme = Organization.objects.create(name="Acme")
    access = access_for(member_of(acme, "Alice", Role.ADMIN), acme.slug)
    keep(access)
    sys.stdout.write("\n".join(ApiKey.issue(access, f"program {n}")[1] for n in range(int(sys.argv[1]))))
