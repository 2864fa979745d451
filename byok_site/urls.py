"""The console's addresses. Everything under /v1/ and the health routes are rows of byok_site.asgi's table."""

from django.contrib import admin
from django.urls import include, path

from organizations.views import LogoutView

urlpatterns = [
    # The administration's own would leave in the browser what it keeps.
    path("admin/logout/", LogoutView.as_view()),
    path("admin/", admin.site.urls),
    path("", include("organizations.urls")),
    path("", include("providerkeys.urls")),
]

handler400 = "byok_site.errors.bad_request"
handler403 = "byok_site.errors.permission_denied"
handler404 = "byok_site.errors.page_not_found"
handler500 = "byok_site.errors.server_error"
