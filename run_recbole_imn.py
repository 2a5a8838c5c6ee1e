"""Train and test a model: ``python run_recbole_imn.py --model=IMNNet --dataset=czb``."""

import sys

from recbole_imn.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
