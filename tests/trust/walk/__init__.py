"""A walk through the whole product that leaves a secret of its own at every step, and keeps every answer."""
