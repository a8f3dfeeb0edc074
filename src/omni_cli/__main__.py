"""`python -m omni_cli` is the same as `omni`."""

from omni_cli.main import run

if __name__ == "__main__":
    run()
