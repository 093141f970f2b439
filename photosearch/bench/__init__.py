"""How fast photosearch is on this machine and with this library."""
