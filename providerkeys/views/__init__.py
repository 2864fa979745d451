"""The console's pages of provider keys and API keys. Each is one typed function for page and fragment alike."""

from providerkeys.views.api_key_actions import (
    api_key_activation,
    api_key_delete,
    api_key_edit,
    api_key_former,
    api_key_rotation,
)
from providerkeys.views.api_keys import api_key_detail, api_key_list, api_key_new
from providerkeys.views.checks import check_create, check_detail, provider_key_check_create
from providerkeys.views.key_list import api_key_names, provider_key_list
from providerkeys.views.provider_keys import outlook, provider_key_edit, provider_key_new
from providerkeys.views.revoked import replaced_is_revoked
from providerkeys.views.row_actions import provider_key_activation, provider_key_delete, provider_key_position

__all__ = [
    "api_key_activation",
    "api_key_delete",
    "api_key_detail",
    "api_key_edit",
    "api_key_former",
    "api_key_list",
    "api_key_names",
    "api_key_new",
    "api_key_rotation",
    "check_create",
    "check_detail",
    "outlook",
    "provider_key_activation",
    "provider_key_check_create",
    "provider_key_delete",
    "provider_key_edit",
    "provider_key_list",
    "provider_key_new",
    "provider_key_position",
    "replaced_is_revoked",
]
