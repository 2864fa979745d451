"""`python -m byok_site.web`: console and gateway behind uvicorn, with the options that are part of the product.

`python -m byok_site.web gateway` serves the gateway alone.
"""

import os
import sys

import uvicorn
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# Seconds given to requests in flight when the process is told to leave.
GRACE = 5


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "byok_site.settings")
    try:
        host, port, proxies = settings.HOST, settings.PORT, settings.TRUSTED_PROXIES
    except ImproperlyConfigured as refusal:
        sys.exit(f"byok: {refusal}")
    uvicorn.run(
        "byok_site.asgi:gateway_application" if sys.argv[1:] == ["gateway"] else "byok_site.asgi:application",
        host=host,
        port=port,
        http="byok_site.protocol:Protocol",
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=GRACE,
        # uvicorn's access log prints query strings, and its own logging configuration would bypass LOGGING.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
    )


if __name__ == "__main__":
    main()
