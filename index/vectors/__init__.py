"""Vectors by which photos are compared: made from the catalogue, and again where they are lost."""
