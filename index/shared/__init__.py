"""A catalogue that several machines share: PostgreSQL has it, and each machine keeps a copy."""
