"""What every test of the suite shares."""

from importlib.util import find_spec

# The cast: Alice, admin; Dana, member; Charlie, admin of another organization; Sam, staff.
pytest_plugins = ["tests.cast"] if find_spec("tests.cast") else []
