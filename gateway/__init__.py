"""The data plane: authenticate → resolve → forward → record. A plain ASGI callable, never Django's request handler."""
