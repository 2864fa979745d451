"""What people type: cleaned, judged and turned into what the models take. A secret is never rendered again."""

from providerkeys.forms.api_key import ApiKeyEditForm, ApiKeyForm, DeletionForm, RotationForm, StopForm
from providerkeys.forms.credentials import CredentialsForm
from providerkeys.forms.provider_key import ProviderKeyForm

__all__ = [
    "ApiKeyEditForm",
    "ApiKeyForm",
    "CredentialsForm",
    "DeletionForm",
    "ProviderKeyForm",
    "RotationForm",
    "StopForm",
]
