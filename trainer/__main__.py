"""`python -m trainer`, for torchrun and wherever the script is not on the path."""

from trainer.cli import main

if __name__ == "__main__":
    main(prog_name="photosearch-trainer")
