"""`autoprune export`: a network of a run as a folder that loads without autoprune."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoprune.cli import complete
from autoprune.cli.options import PATH, import_option

if TYPE_CHECKING:
    from rich.console import Console

    from autoprune.deploy.export import Exported


@click.command()
@click.argument("run", type=PATH)
@click.argument("trial", shell_complete=complete.trials)
@click.option("--out", type=PATH, required=True, help="Folder to make.")
@click.option("--fold", "folded", is_flag=True, help="Fold batch norm; outputs move by rounding.")
@click.option("--onnx", is_flag=True, help="Write network.onnx, too; needs autoprune[onnx].")
@click.option("--nir", is_flag=True, help="Write network.nir, too; needs autoprune[nir].")
@click.option("--nir-extension", is_flag=True, help="Let it hold nodes that NIR does not have.")
@import_option
def export(  # noqa: PLR0913 - the options of the command line
    run: Path,
    trial: str,
    out: Path,
    *,
    folded: bool,
    onnx: bool,
    nir: bool,
    nir_extension: bool,
    imports: bool,
) -> None:
    """Export a network of a run, and prove that it is the one that was searched.

    TRIAL is a number, or a baseline: parent, fine-tuned, "without blocks.0.mlp". The folder holds
    weights, plan, manifest and a loader that needs torch, safetensors and spikingjelly. Before it
    is there, it was loaded in a fresh process and measured again; where anything differs, nothing
    is kept. A trial whose weights were not kept is trained again first.

    \b
    autoprune export runs/digits 46 --out my_network
    autoprune export runs/digits 46 --out my_network --fold --onnx
    autoprune export runs/digits 46 --out my_network --nir --nir-extension
    """
    from autoprune.cli.console import plain_console

    console = plain_console()
    from autoprune.api import open_run

    def say(line: str) -> None:
        console.print(line)

    with console.status("Exporting"):
        opened = open_run(run, imports=imports)
        exported = opened.export(
            trial, out, folded=folded, onnx=onnx, nir=nir, nir_extension=nir_extension, say=say
        )
    _print(console, exported)


def _print(console: Console, exported: Exported) -> None:
    from rich import box
    from rich.table import Table

    table = Table("file", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("bytes", "ratio"):
        table.add_column(column, justify="right")
    table.add_row("parent.safetensors of the run", str(exported.parent_bytes), "1.000")
    code = {name: size for name, size in exported.sizes.items() if name.endswith(".py")}
    for name, size in exported.sizes.items():
        if name not in code:
            whole = name.endswith((".safetensors", ".onnx", ".nir"))
            ratio = f"{size / exported.parent_bytes:.3f}" if whole else "-"
            table.add_row(name, str(size), ratio)
    table.add_row(f"{len(code)} files of code", str(sum(code.values())), "-")
    console.print(table)
    formats = ", ".join(f"{count} {name}" for name, count in sorted(exported.formats.items()))
    console.print(
        f"Matrices: {formats}; {exported.stored_bytes} bytes of tensors, "
        f"{exported.dense_bytes} if all were dense."
    )
    for proof in exported.proofs:
        console.print(f"Proved: {proof}.")
    took = f"{exported.seconds:.1f} s"
    console.print(f"{exported.folder}: exported in {took}", soft_wrap=True)
