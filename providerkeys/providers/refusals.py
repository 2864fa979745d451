"""What is said of a paste that can't be used."""


class Refused(ValueError):
    """The text says what the paste is, or which of its fields is wrong, and what to do. It is never quoted."""
