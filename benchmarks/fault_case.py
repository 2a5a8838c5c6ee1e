"""A command that faults are injected into: what is there before, and what must be after."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable
from pathlib import Path

from recbole_imn import checkpoints

Result = dict[str, str]
SMALL = """
use_gpu: False
embedding_size: 8
hidden_size: 8
inner_size: 8
train_batch_size: 64
"""


class Case:
    """A command on something that was there before.

    Attributes
    ----------
    name : str
    folder : str
        Where its files go, below the working folder.
    is_stopped : bool
        Whether files are damaged of a command that was killed, not of one that has ended.
    is_fast : bool
        Whether it takes less than a second.
    """

    name: str
    folder: str
    is_stopped = is_fast = False

    def prepare(self) -> None:
        """Make what is there before, in the working folder."""

    def command(self) -> int:
        """Run the command in the working folder."""
        raise NotImplementedError

    def again(self) -> int:
        """Go on after a fault, as a person would."""
        return self.command()

    def result(self, folder: Path) -> Result:
        """Give what the command is for, in a form that equal runs agree in."""
        raise NotImplementedError

    def whole(self, folder: Path) -> Result:
        """Give what must be there after a fault, or else be what the command makes."""
        raise NotImplementedError

    def damaged(self, folder: Path) -> list[Path]:
        """Give the files that the command reads again, for damage."""
        return [path for path in sorted((folder / self.folder).rglob("*")) if path.is_file()]

    def reads(self, path: Path) -> Callable[[], int] | None:
        """Give what else reads a file; it must fail in one line, or read the same."""
        return None


def log_rows(seed: int, n_events: int = 300) -> list[tuple]:
    """Rows of a small log in order of time."""
    draw = random.Random(seed)
    time, rows = 0, []
    for _ in range(n_events):
        time += draw.randrange(500)
        action = "buy" if draw.random() < 0.2 else "view"
        item = f"i{min(int(draw.expovariate(0.15)) + 1, 24)}"
        rows.append((f"u{draw.randrange(12)}", item, time, action, int(action == "buy")))
    return rows


def write_toy() -> None:
    """Write the data set ``toy`` and settings that make everything small."""
    header = "user_id:token\titem_id:token\ttimestamp:float\tbehavior:token\tpurchase:float"
    lines = [header, *("\t".join(map(str, row)) for row in log_rows(0))]
    Path("data/toy").mkdir(parents=True)
    Path("data/toy/toy.inter").write_text("\n".join(lines) + "\n")
    Path("small.yaml").write_text(SMALL)


def sums(files) -> Result:
    """Give the SHA-256 of each file, by its name."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)}


def weights(checkpoint: Path) -> str:
    """Give the SHA-256 of a checkpoint's weights, read as the product reads them."""
    state = checkpoints.load_checkpoint(str(checkpoint))["state_dict"]
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(name.encode() + tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def in_one_line(read: Callable[[], None]) -> Callable[[], int]:
    """Read as the commands do, which turn errors for people into a line."""

    def command() -> int:
        try:
            read()
        except (ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        return 0

    return command
