"""Training does not pay for what only describing needs."""

import subprocess
import sys


def test_the_commands_are_there_without_plotly():
    code = (
        "import sys, recbole_imn.__main__, recbole_imn.data.dataset; "
        "assert 'plotly.offline' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
