"""One reader for all text files: what is no text of ours ends in an error of ours, and soon."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from autoprune.compress.space import load_space
from autoprune.config import find_file, read_toml
from autoprune.errors import FileError, InputError, UnreadableError
from autoprune.files import TEXT_BYTES, parse_json, read_json, read_text, user_path
from autoprune.workload.workload import Workload

SECONDS = 1.0
ODD = {
    "brackets": ("a = " + "[" * 100_000, "nested too deeply"),
    "tables": ("a = " + "{ a = " * 100_000, "nested too deeply"),
    "dotted": (".".join(["a"] * 50_000) + " = 1", "nested too deeply"),
    "a header": ("[" + ".".join(["a"] * 50_000) + "]", "nested too deeply"),
    "quoted parts": (".".join(['"a"'] * 50_000) + " = 1", "nested too deeply"),
    "digits": ("a = " + "9" * 5000, "not valid TOML"),
    "hexadecimal digits": ("a = 0x" + "f" * 5000, "an integer of more than 1000 digits"),
    "a long title": (f'title = "{"x" * 2**20}"', "larger than 1 MiB"),
    "one word": ("x" * 2**19, "not valid TOML"),
    "quotes": ('"' * 2**19, "not valid TOML"),
    "latin": (b"title = '\xe9'", "not UTF-8"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_hostile_toml_file_is_refused_within_a_second(tmp_path, name):
    text, said = ODD[name]
    file = tmp_path / "x.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    start = time.perf_counter()
    with pytest.raises(InputError, match=rf"x\.toml: {said}"):
        read_toml(file)
    assert time.perf_counter() - start < SECONDS


@pytest.mark.parametrize("line", ['title = "{}"', "{} = 1", 'title = "a"\nbranch = "{}"'])
def test_what_fills_a_file_fills_no_terminal(tmp_path, line):
    file = tmp_path / "x.toml"
    file.write_text(line.format("x" * 10**6), encoding="utf-8")
    with pytest.raises(InputError, match=r"x\.toml: .*xxx") as refused:
        load_space(str(file))
    assert len(str(refused.value)) < 2000 + len(str(file))


def test_what_looks_deep_and_is_not_is_read(tmp_path):
    file = tmp_path / "x.toml"
    text = '\ufefftitle = "see [1], [2]"\nvalues = [' + ", ".join(["0.5"] * 2000) + "]\n"
    file.write_text(text + "".join(f"[a.b{i}.c]\nd.e = 1\n" for i in range(500)), encoding="utf-8")
    assert read_toml(file)["title"] == "see [1], [2]"


@pytest.mark.parametrize("reader", [read_toml, Workload.read, read_text, read_json])
@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "absent", "nul"])
def test_no_regular_file_is_waited_for_or_read_to_its_end(tmp_path, reader, kind):
    file = tmp_path / "x"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind != "absent":
        file = Path({"device": "/dev/zero", "nul": "a\0b"}[kind])
    said = "no such file" if kind == "absent" else "no regular file|not readable"
    start = time.perf_counter()
    with pytest.raises(FileError, match=said):
        reader(file)
    assert time.perf_counter() - start < SECONDS


def test_a_text_that_is_larger_than_all_of_ours_is_not_read(tmp_path):
    file = tmp_path / "x.json"
    with file.open("wb") as stream:
        stream.truncate(TEXT_BYTES + 1)
    with pytest.raises(FileError, match="larger than 16 MiB"):
        read_text(file)


def test_a_file_behind_another_is_not_readable(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(UnreadableError, match="not readable .Not a directory"):
        read_text(tmp_path / "x" / "y")


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, "", "{'a': 1}", '{"a": 1'])
def test_what_is_no_json_is_damaged(text):
    with pytest.raises(FileError, match="here: damaged"):
        parse_json(text, "here")


@pytest.mark.parametrize("text", ["~nouser-of-this-name/x.toml", "", "a\0b"])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(InputError, match="here: given"):
        user_path(text, "here")
    with pytest.raises(InputError):
        find_file("studies", text)
