"""Fine-tuning a model on pictures with captions, from a folder to a bundle."""
