"""``python -m parlons``."""

from parlons.cli import main

if __name__ == "__main__":
    main()
