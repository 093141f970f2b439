"""When a photo shows what was asked for: fitting a bundle's calibration, and measuring it."""
