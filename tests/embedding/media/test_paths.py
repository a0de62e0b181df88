import os
from pathlib import Path

import pytest

from sidecar.embedding.media.paths import read_path
from sidecar.embedding.media.unreadable import Unreadable


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An open folder, `below/x.png` in it, beside a closed `secret.png`."""
    (tmp_path / "open" / "below").mkdir(parents=True)
    (tmp_path / "open" / "below" / "x.png").write_bytes(b"inside")
    (tmp_path / "secret.png").write_bytes(b"outside")
    return (tmp_path / "open").resolve()


def refusal(pointer: str, *roots: Path, max_bytes: int = 100) -> str:
    with pytest.raises(Unreadable) as refused:
        read_path(pointer, roots, max_bytes)
    return str(refused.value)


def test_read_path_reads_what_lies_under_a_root(root: Path) -> None:
    (root / "below" / "a b.png").write_bytes(b"inside")
    for pointer in (
        f"{root}/below/x.png",
        f"{root}/below/../below/x.png",
        f"file://{root}/below/x.png",
        f"FILE://localhost{root}/below/a%20b.png",
        "below/x.png",
        "below/a b.png",
    ):
        assert read_path(pointer, [root.parent / "none", root], 100) == b"inside"


def test_read_path_follows_a_link_that_stays_inside(root: Path) -> None:
    (root / "link.png").symlink_to(root / "below" / "x.png")
    (root / "folder").symlink_to("below")
    assert read_path("link.png", [root], 100) == b"inside"
    assert read_path(f"{root}/folder/x.png", [root], 100) == b"inside"


def test_read_path_says_the_same_of_files_outside_whether_they_are_there_or_not(root: Path) -> None:
    (root / "link.png").symlink_to(root.parent / "secret.png")
    (root / "up").symlink_to("..")
    closed = refusal("/etc/passwd")
    assert "SIDECAR_MEDIA_ROOTS" in closed
    for pointer in (
        f"{root.parent}/secret.png",
        f"{root.parent}/none.png",
        f"{root}/../secret.png",
        "../secret.png",
        "../none.png",
        f"file://{root.parent}/secret.png",
        f"file://{root}/%2e%2e/secret.png",
        f"{root}2/x.png",
    ):
        assert refusal(pointer, root) == refusal(pointer) == closed
    # What a link leads to is as closed as what is not there.
    assert refusal("link.png", root) == refusal("no.png", root)
    assert refusal("up/secret.png", root) == refusal("up/none.png", root)


def test_read_path_tells_a_file_that_is_not_there_or_has_no_rights(root: Path) -> None:
    assert "no such file" in refusal("below/y.png", root)
    assert "no such file" in refusal("below/x.png/y.png", root)
    assert refusal("nul\0.png", root)
    (root / "ring.png").symlink_to("ring.png")
    assert "no such file" in refusal("ring.png", root)


def test_read_path_refuses_all_that_is_no_file(root: Path) -> None:
    os.mkfifo(root / "pipe.png")
    assert "not a file" in refusal("pipe.png", root)
    assert "not a file" in refusal("below", root)
    assert "not a file" in refusal(str(root), root)
    assert "not a file" in refusal("/dev/zero", Path("/dev"))


def test_read_path_refuses_another_machines_file_url(root: Path) -> None:
    assert "another machine" in refusal(f"file://server{root}/below/x.png", root)


def test_read_path_refuses_large_and_empty_files(root: Path) -> None:
    (root / "large.png").write_bytes(bytes(101))
    (root / "fits.png").write_bytes(bytes(100))
    (root / "empty.png").touch()
    assert "101 bytes; the limit is 100" in refusal("large.png", root)
    assert "empty" in refusal("empty.png", root)
    assert read_path("fits.png", [root], 100) == bytes(100)
