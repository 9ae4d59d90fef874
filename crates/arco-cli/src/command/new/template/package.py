"""The assets of PROJECT."""
