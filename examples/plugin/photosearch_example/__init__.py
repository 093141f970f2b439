"""Farbfeld pictures, weekdays and Esperanto for photosearch."""
