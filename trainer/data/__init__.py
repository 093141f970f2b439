"""Training data: photo tars, augmentation views and the text corpus."""
