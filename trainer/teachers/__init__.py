"""Teachers: frozen networks and the small head that joins them to a text space."""
