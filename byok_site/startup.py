"""What web, worker and beat ask before their first piece of work: can these keys read this database?"""

from django.db import DatabaseError, connection

from providerkeys import vault


def refusal() -> str:
    """Why this process must not start, in one sentence that names no key; empty when it may."""
    try:
        vault.verify_keys()
    except vault.WrongKeys as wrong:
        return str(wrong)
    except DatabaseError:
        return "The database cannot be read: is DATABASE_URL right, and has `manage.py migrate` run?"
    finally:
        connection.close()
    return ""
