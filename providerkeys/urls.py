"""The console's addresses: nouns, and every object by its public id."""

from django.urls import include, path

from providerkeys import views

_provider_keys = [
    path("", views.provider_key_list, name="provider_key_list"),
    path("new/", views.provider_key_new, name="provider_key_new"),
    path("api-key-names/", views.api_key_names, name="api_key_names"),
    path("outlook/", views.outlook, name="outlook"),
    path("revoked/", views.replaced_is_revoked, name="replaced_is_revoked"),
    path("checks/", views.check_create, name="check_create"),
    path("checks/<slug:chk>/", views.check_detail, name="check_detail"),
    path("<slug:pk>/", views.provider_key_edit, name="provider_key_edit"),
    path("<slug:pk>/delete/", views.provider_key_delete, name="provider_key_delete"),
    path("<slug:pk>/outlook/", views.outlook, name="provider_key_outlook"),
    path("<slug:pk>/activation/", views.provider_key_activation, name="provider_key_activation"),
    path("<slug:pk>/position/", views.provider_key_position, name="provider_key_position"),
    path("<slug:pk>/checks/", views.provider_key_check_create, name="provider_key_check_create"),
]
_api_keys = [
    path("", views.api_key_list, name="api_key_list"),
    path("new/", views.api_key_new, name="api_key_new"),
    path("<slug:key>/", views.api_key_detail, name="api_key_detail"),
    path("<slug:key>/edit/", views.api_key_edit, name="api_key_edit"),
    path("<slug:key>/rotation/", views.api_key_rotation, name="api_key_rotation"),
    path("<slug:key>/former/", views.api_key_former, name="api_key_former"),
    path("<slug:key>/activation/", views.api_key_activation, name="api_key_activation"),
    path("<slug:key>/delete/", views.api_key_delete, name="api_key_delete"),
]
urlpatterns = [
    path("orgs/<slug:slug>/provider-keys/", include(_provider_keys)),
    path("orgs/<slug:slug>/api-keys/", include(_api_keys)),
]
