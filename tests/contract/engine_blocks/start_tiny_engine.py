"""The engine with the tests' own blocks instead of the built-in ones."""

import sys

from up42_jobs.plugin.engine.__main__ import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], blocks_module="tiny_blocks"))
