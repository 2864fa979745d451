"""`python -m bench.seed N`: makes the database of a run, with one organization that has a provider key and N API keys.

It prints the API keys, one a line: they open nothing but the fake provider of this run.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "byok_site.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 -- Django is set up from here on.
from django.db import transaction  # noqa: E402

from bench.messages import PROVIDER_KEY  # noqa: E402
from organizations.access import access_for  # noqa: E402
from organizations.actors import Actor  # noqa: E402
from organizations.models import ApiKey, Membership, Organization, Role, User  # noqa: E402
from providerkeys.models import Draft, ProviderKey  # noqa: E402
from providerkeys.providers.base import Credential  # noqa: E402
from providerkeys.resolver import Scope  # noqa: E402


@transaction.atomic
def seed(api_keys: int) -> list[str]:
    """The API keys, in plain text."""
    organization = Organization.objects.create(name="Bench")
    user = User.objects.create_user("bench@byok.example")
    Membership.grant(organization, user, Role.ADMIN, Actor.system("bench"))
    access = access_for(user, organization.slug)
    ProviderKey.create(access, "openai", Draft("Bench", Scope.ORGANIZATION, frozenset(), Credential(PROVIDER_KEY)))
    return [ApiKey.issue(access, f"bench {number}")[1] for number in range(api_keys)]


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    sys.stdout.write("\n".join(seed(int(sys.argv[1]))) + "\n")
