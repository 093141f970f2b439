"""What keeps a library whole: its lock, its health, and what can be saved of a damaged one."""
