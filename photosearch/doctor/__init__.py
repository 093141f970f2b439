"""What is wrong with a library, in plain words, and mending it."""

from photosearch.doctor.examination import examine
from photosearch.doctor.finding import Finding

__all__ = ["Finding", "examine"]
