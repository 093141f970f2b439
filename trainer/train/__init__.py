"""Training: one loop, and the distillation tasks that run in it."""
