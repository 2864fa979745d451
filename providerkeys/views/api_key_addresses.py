"""Where the pages of API keys are."""

from django.http import HttpRequest
from django.urls import reverse

from organizations.access import Access, page_behind


def list_url(access: Access) -> str:
    return reverse("api_key_list", kwargs={"slug": access.organization.slug})


def detail_url(access: Access, pk: str) -> str:
    return reverse("api_key_detail", kwargs={"slug": access.organization.slug, "key": pk})


def origin_url(request: HttpRequest, access: Access, pk: str) -> str:
    """The page behind a dialog about one API key: the list or its own; where there is no dialog, its own."""
    page = page_behind(request).partition("?")[0]
    return list_url(access) if page == list_url(access) else detail_url(access, pk)
