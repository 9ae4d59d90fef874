"""Choices of assets: built in Python, read from and printed as the selection language."""

from arco_flow._internal.selection.ast import AssetSelection

__all__ = ["AssetSelection"]
