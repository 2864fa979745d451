"""`python -m byok_site.web`: console and gateway behind uvicorn, with the options that are part of the product.

`python -m byok_site.web gateway` serves the gateway alone.
"""

import gc
import os
import resource
import sys
from contextlib import suppress

import uvicorn
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# Seconds given to requests in flight when the process is told to leave.
GRACE = 5
# A thread that renders a page or writes records keeps the interpreter for so long before a stream gets its turn. Beside a
# busy thread a request takes 15 ms with Python's own 5 ms, and 5 ms with this.
TURN_SECONDS = 0.0005


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "byok_site.settings")
    try:
        host, port, proxies = settings.HOST, settings.PORT, settings.TRUSTED_PROXIES
    except ImproperlyConfigured as refusal:
        sys.exit(f"byok: {refusal}")
    from byok_site import asgi  # noqa: PLC0415 -- it needs settings that can be read.

    # Each stream takes two descriptors, and many systems grant no more than 1,024 unless they are asked.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems call unlimited what they do not grant.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # What was imported stays. A full collection that walked through it would stop every stream for 50 ms.
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(TURN_SECONDS)
    uvicorn.run(
        asgi.gateway_application if sys.argv[1:] == ["gateway"] else asgi.application,
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
