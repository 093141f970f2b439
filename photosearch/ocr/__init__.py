"""Text in photos, found by RapidOCR. An extra: off until it is installed and asked for."""
