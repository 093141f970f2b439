"""From files to vectors: scan the folders, decode the pictures, encode them, record them."""
