"""Everything behind the public names. Nothing here is for users; it may change at any time."""
