"""`python -m photosearch` does what `photosearch` does."""

from photosearch.cli import main

# The processes that decode pictures import this file under another name.
if __name__ == "__main__":
    main(prog_name="photosearch")
