"""Models from elsewhere: which are offered, how they get here, and how they become bundles."""
