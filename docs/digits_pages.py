"""Write what README and pages show of the bundled study anew, from a run of it.

    autoprune run digits && python docs/digits_pages.py runs/digits

Pictures, the printed front with its marks, the table of branches, and the number of the trial that
is taken for `loihi1`. What a sentence says of the run it prints, for whoever writes the sentence.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

import autoprune
from autoprune.opened_run import OpenedRun
from autoprune.report.tables.branches import branch_table

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
NUMBERED = (
    *("README.md", "docs/first_sweep.md", "docs/in_python.md", "docs/paper_to_chip.md"),
    "tests/docs/test_blocks.py",
)
"""Files with the number of the trial that is taken."""
MARKS = {
    "①": r"loihi1: front of",
    "②": r"Taken:",
    "③": r"trial  val",
    "④": r"Fine-tuned parent:",
    "⑤": r"By all trials",
    "⑥": r"\d+ of \d+ beat",
    "⑦": r"A host does",
    "⑧": r"Not modelled:",
    "⑨": r"validation accuracy %",
    "⑩": r"plan: T time steps",
    "⑪": r"What removing each branch loses",
}
"""Of the printed front, which the page explains: how the line begins; the first that does."""


def printed_front(folder: Path) -> str:
    """What the command prints on 80 columns, with the marks behind its lines."""
    command = ["autoprune", "front", str(folder), "--machine", "loihi1"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line.rstrip() for line in text.rstrip().splitlines()]
    for mark, begins in MARKS.items():
        place = next(i for i, line in enumerate(lines) if re.match(begins, line))
        lines[place] = f"{lines[place]:81}{mark}"
    return "\n".join(lines)


def branches(run: OpenedRun) -> str:
    """The table of branches without its title."""
    shown = io.StringIO()
    Console(file=shown, width=80).print(branch_table(run.folder.read_baselines()))
    lines = [line.rstrip() for line in shown.getvalue().splitlines()]
    return "\n".join(lines[next(i for i, line in enumerate(lines) if "network" in line) :]).rstrip()


def replace_text_block(page: Path, after: str, text: str) -> None:
    """Put a text in place of the first block of text behind some words of a page."""
    head, found, tail = page.read_text(encoding="utf-8").partition(after)
    assert found, f"{page}: {after}"
    block = re.sub(
        r"```text\n.*?\n```", lambda _: f"```text\n{text}\n```", tail, count=1, flags=re.DOTALL
    )
    page.write_text(head + found + block, encoding="utf-8")


def renumber(new: str) -> None:
    """Put the number of a trial in place of the one that README exports."""
    exported = re.search(r"export runs/digits (\d+) ", (ROOT / "README.md").read_text("utf-8"))
    assert exported is not None
    for name in NUMBERED:
        text = (ROOT / name).read_text(encoding="utf-8")
        again = re.sub(rf"(?<![\d.]){exported[1]}(?!\d)", new, text)
        (ROOT / name).write_text(again, encoding="utf-8")


def main() -> None:
    """See the module."""
    folder = Path(sys.argv[1])
    run = autoprune.open_run(folder)
    shutil.copy(folder / "fronts.png", DOCS / "fronts.png")
    shutil.copy(folder / "fronts" / "loihi1" / "front.png", DOCS / "front_loihi1.png")
    for one in run.answers():
        assert one.row is not None
        parent, row = run.machine_front(one.machine).parent, one.row
        lost = 100 * (parent.accuracy - row.validation.accuracy)
        sys.stdout.write(
            f"{one.machine}: trial {row.trial}, {one.less_than_parent} times less energy than the "
            f"parent at {lost:.1f} points, {one.less_than_uniform} times less than uniform\n"
        )
        if one.machine == "loihi1":
            renumber(str(row.key.whole))
    # Printed numbers are no trial's, so they come after trials have their new ones.
    front = printed_front(folder)
    replace_text_block(DOCS / "reading_a_front.md", "--machine loihi1` prints", front)
    replace_text_block(DOCS / "first_sweep.md", "fine-tuned alike:", branches(run))


if __name__ == "__main__":
    main()
