"""What MkDocs does beyond its own for the site of the documents: links that hold in the repository hold there too.

README.md becomes a page (``readme.md``), and each other file of the repository that a page links to, as a manifest, is
copied beside the pages, under ``files/``. Comments, which say to the tests what becomes of a block, are left out.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
README = "readme.md"

_LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")
_COMMENT = re.compile(r"^<!--.*?-->\n?", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README, and the files that pages link to."""
    texts = {file.src_uri: file.content_string for file in files if file.is_documentation_page()}
    texts[README] = (ROOT / "README.md").read_text("utf-8")
    files.append(File.generated(config, README, content=texts[README]))
    for page, text in texts.items():
        for found in _LINK.finditer(_without_code(text)):
            source = _in_repository(page, found[2])
            if source is not None and _copy_of(source) not in files.src_uris:
                files.append(File.generated(config, _copy_of(source), abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page's text with its links out of the folder of documents led to what stands for their targets."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    text = _COMMENT.sub("", _CODE.sub(keep, markdown))
    text = _LINK.sub(lambda found: f"{found[1]}{_on_the_site(page.file.src_uri, found[2])}{found[3]}", text)
    return re.sub(r"\0(\d+)\0", lambda found: kept[int(found[1])], text)


def _on_the_site(page: str, target: str) -> str:
    """Where a link of a page leads on the site: its own target, but for what lies outside of the documents."""
    place = _place(page, target)
    if place.startswith("docs/"):
        found = place.removeprefix("docs/")
    elif place == "README.md":
        found = README
    elif _in_repository(page, target) is not None:
        found = _copy_of(place)
    else:
        return target
    return posixpath.relpath(found, posixpath.dirname(page) or ".")


def _in_repository(page: str, target: str) -> str | None:
    """The linked file's path from the root of the repository, where it is one of no other page's."""
    place = _place(page, target)
    is_other = place.startswith(("docs/", "..")) or place == "README.md" or not (ROOT / place).is_file()
    return None if is_other else place


def _place(page: str, target: str) -> str:
    folder = "" if page == README else posixpath.dirname(f"docs/{page}")
    return posixpath.normpath(posixpath.join(folder, target))


def _copy_of(source: str) -> str:
    """Markdown is copied as text, for it is no page of the site."""
    return f"files/{source}" + (".txt" if source.endswith(".md") else "")


def _without_code(text: str) -> str:
    return _CODE.sub("", text)
