"""Faults that are made on purpose, one at a time, while photosearch writes."""
