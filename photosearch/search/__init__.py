"""From what a person typed to the photos that match."""
