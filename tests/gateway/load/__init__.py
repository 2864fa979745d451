"""A bounded run of mixed requests, with faults of all kinds at the providers, against one process of the gateway."""
