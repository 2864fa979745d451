from typing import Any

from django.http import HttpRequest

from organizations.access import Access


def console(request: HttpRequest) -> dict[str, Any]:
    """Give the console's templates `access` (None outside of an organization) and the switcher's `organizations`."""
    access: Access | None = getattr(request, "access", None)
    return {"access": access, "organizations": access.organizations if access else ()}
