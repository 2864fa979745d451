"""Where the pages of API keys are."""

import re

from django.http import HttpRequest
from django.urls import reverse

from organizations.access import Access, page_behind
from organizations.models import ApiKey


def list_url(access: Access) -> str:
    return reverse("api_key_list", kwargs={"slug": access.organization.slug})


def detail_url(access: Access, pk: str) -> str:
    return reverse("api_key_detail", kwargs={"slug": access.organization.slug, "key": pk})


def detail_behind(request: HttpRequest, access: Access) -> str:
    """The page of an API key, where that is what stands behind a dialog; else empty."""
    page = page_behind(request).partition("?")[0]
    of_one = re.fullmatch(re.escape(list_url(access)) + r"(key_[0-9A-Za-z]{1,40})/", page)
    return page if of_one and access.all(ApiKey).filter(pk=of_one[1]).exists() else ""


def origin_url(request: HttpRequest, access: Access, pk: str) -> str:
    """The page behind a dialog about one API key: the list or its own; where there is no dialog, its own."""
    page = page_behind(request).partition("?")[0]
    return list_url(access) if page == list_url(access) else detail_url(access, pk)
