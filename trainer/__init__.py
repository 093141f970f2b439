"""MobileCLIP trainer: models, teachers, distillation, evaluation and export of model bundles."""
