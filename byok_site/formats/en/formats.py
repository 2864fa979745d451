"""How the administration writes a moment: to the second, sortable by eye. The console says how long ago it was."""

from typing import Final

DATETIME_FORMAT: Final = "Y-m-d H:i:s"
DATE_FORMAT: Final = "Y-m-d"
