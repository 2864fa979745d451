"""The regions where Bedrock is, as the installed botocore knows them: a closed list, for a region becomes a host name.

``global`` is no region of AWS: it is an organization's one fallback, and signs for a region that this server chooses.
"""

import re
from typing import Final

from botocore.loaders import Loader
from botocore.regions import EndpointResolver

GLOBAL: Final = "global"
GOVERNMENT: Final = "us-gov-"
_PARTITIONS: Final = ("aws", "aws-us-gov")
# Its list also holds names of other hosts, e.g. "bedrock-runtime-eu-west-1".
_REGION: Final = re.compile(r"\A(?!bedrock)[a-z]{2}(-[a-z]+)+-\d+\Z")


def _known_to_botocore() -> tuple[str, ...]:
    # The files that came with the package alone: by default a file in somebody's home could add a region.
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    resolver = EndpointResolver(loader.load_data("endpoints"))
    found = (name for partition in _PARTITIONS for name in resolver.get_available_endpoints("bedrock", partition))
    return tuple(sorted(name for name in found if _REGION.match(name)))


REGIONS: Final = _known_to_botocore()
"""Every region, e.g. ``eu-central-1``, in alphabetical order."""

CHOICES: Final = (*REGIONS, GLOBAL)
"""What a row of credentials may name."""


def identity_region(region: str) -> str:
    """The region whose STS knows the access keys of ``region``: GovCloud is a world of its own."""
    return region if region.startswith(GOVERNMENT) else "us-east-1"
