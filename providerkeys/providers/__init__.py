"""Everything known about the providers: one file each, ending in a constant ``PROVIDER``; see ``registry``."""
