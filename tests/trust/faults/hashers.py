from django.contrib.auth.hashers import PBKDF2PasswordHasher


class CheapHasher(PBKDF2PasswordHasher):
    """The product's own hasher in a hurry: a walk logs in two dozen times."""

    iterations = 1000
