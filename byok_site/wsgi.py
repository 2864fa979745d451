"""The console alone, for tools that speak WSGI. The gateway needs ASGI: run byok_site.asgi in production."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "byok_site.settings")

application = get_wsgi_application()
