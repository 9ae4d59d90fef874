"""IO managers: how values of assets are stored and loaded."""
