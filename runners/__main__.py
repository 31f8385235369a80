"""Run parent/cli.py."""

import sys

if __name__ == "__main__":
    try:
        from runners.parent.cli import main
    except KeyboardInterrupt:  # Ctrl-C before anything was started
        sys.exit(130)
    sys.exit(main())
