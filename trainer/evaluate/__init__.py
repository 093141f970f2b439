"""Evaluation: what a bundle finds among captioned photos, and how far its text tower agrees."""
