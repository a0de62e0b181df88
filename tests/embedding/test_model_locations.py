"""Where models' files come from: folders, archives, URLs, buckets, private repositories of the hub."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.load import Access, LoadContext, ModelLoading
from sidecar.embedding.model_files import files_of, with_local_files
from sidecar.embedding.model_spec import ModelAuth, ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.errors import ModelLoadError
from tests.random_models import WIDTH, mean_normalized, random_bert

TABLE = ModelTable()
FILES = {"model/config.json": b"{}", "model/nested/weights.bin": b"weights"}
S3_KEYS = ModelAuth("s3", (("aws_access_key_id", "ID"), ("aws_secret_access_key", "SECRET")))
HUB_TOKEN = ModelAuth("hf", (("token", "hf_right"),))
COMMIT = "c" * 40


def text_model(**properties: Any) -> ModelSpec:
    return TABLE.resolve("mine", {"type": "hf", "dimensions": WIDTH, **properties})


def clip_model(**properties: Any) -> ModelSpec:
    return TABLE.resolve("mine", {"type": "open_clip", "name": "ViT-B-32", "dimensions": 512, **properties})


@pytest.fixture
def context(tmp_path: Path) -> LoadContext:
    return LoadContext(ConversionCache(tmp_path / "models"), "auto", Access(tmp_path / "downloads", allow_private=True))


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def tarred(files: dict[str, bytes], *, link: str = "", mode: str = "w:gz") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        if link:
            member = tarfile.TarInfo("model/link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
    return content.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


class FileStore:
    """A web server, bucket and hub in one: what is at a path, behind the credentials it wants."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.wants = ""
        self.asked: list[tuple[str, str]] = []
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(is_head=False)

            def do_HEAD(self) -> None:
                self._answer(is_head=True)

            def _answer(self, *, is_head: bool) -> None:
                path = self.path.partition("?")[0]
                store.asked.append((self.command, path))
                is_allowed = self.headers.get("Authorization", "").startswith(store.wants)
                body = store.files.get(path) if is_allowed else b"<Error><Code>AccessDenied</Code></Error>"
                self.send_response(404 if body is None else 200 if is_allowed else 403)
                content = body or b""
                self.send_header("Content-Length", str(len(content)))
                self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
                self.send_header("X-Repo-Commit", COMMIT)
                if body is None:
                    self.send_header("X-Error-Code", "EntryNotFound")
                elif not is_allowed:
                    self.send_header("X-Error-Message", "Invalid credentials")
                self.end_headers()
                if not is_head:
                    self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def gets(self) -> int:
        """How many files were asked for."""
        return sum(method == "GET" for method, _ in self.asked)


@pytest.fixture
def store() -> Iterator[FileStore]:
    made = FileStore()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def bucket(store: FileStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FileStore:
    """The store as S3, on a machine without credentials of its own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", store.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    store.wants = "AWS4-HMAC-SHA256 Credential=ID/"
    return store


@pytest.fixture
def hub(store: FileStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FileStore:
    """The store as the hub, with a private repository of a checkpoint, an archive, and the files of a small model."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", store.url)
    template = store.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    store.wants = "Bearer hf_right"
    files = {"model.safetensors": b"checkpoint", "model.zip": zipped(FILES), "config.json": b"{}"}
    for name, data in files.items():
        store.files[f"/org/private/resolve/{COMMIT}/{name}"] = data
        store.files[f"/org/private/resolve/main/{name}"] = data
    facts = {"id": "org/private", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
    store.files["/api/models/org/private/revision/main"] = orjson.dumps(facts)
    tree = [{"type": "file", "path": name, "size": len(data), "oid": "0" * 40} for name, data in files.items()]
    store.files[f"/api/models/org/private/tree/{COMMIT}"] = orjson.dumps(tree)
    return store


@pytest.mark.parametrize(
    "content",
    [zipped(FILES), tarred(FILES), tarred(FILES, mode="w"), tarred(FILES, mode="w:xz")],
    ids=["zip", "gz", "tar", "xz"],
)
def test_archive_is_unpacked_down_to_the_models_folder(content: bytes, tmp_path: Path, context: LoadContext) -> None:
    archive = tmp_path / "model.tar"
    archive.write_bytes(content)
    spec = text_model(localpath=str(archive))
    folder = files_of(spec, context).path
    assert contents(folder) == {"config.json": b"{}", "nested/weights.bin": b"weights"}
    assert with_local_files(spec, context).repository == str(folder)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (zipped({"../evil": b"x"}), "would lie outside"),
        (zipped({"/etc/evil": b"x"}), "would lie outside"),
        (tarred({"model/../../evil": b"x"}), "would lie outside"),
        (tarred(FILES, link="/etc/passwd"), "has a link"),
        (tarred(FILES, link="nested/weights.bin"), "has a link"),
        (tarred({"model/weights.bin": bytes(2000)}, mode="w")[:1000], "is broken"),
        (zipped({"model/a": b"x", "model/a/b": b"x"}), "is broken"),
        (b"\x80\x02 a pickle", "no zip or tar archive"),
    ],
    ids=["zip up", "zip root", "tar up", "link out", "link within", "cut short", "file and folder", "no archive"],
)
def test_archive_that_no_model_has_is_refused_and_leaves_nothing(
    content: bytes, told: str, tmp_path: Path, context: LoadContext
) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(content)
    with pytest.raises(ModelLoadError, match=rf"model 'mine' can't be had.*{told}"):
        files_of(text_model(localpath=str(archive)), context)
    assert not list(tmp_path.rglob("evil"))
    assert [path for path in context.access.downloads.rglob("*") if path.is_dir()] == []


def test_archive_that_unpacks_to_far_more_than_its_size_is_refused(
    tmp_path: Path, context: LoadContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.embedding.archives.MIN_ALLOWED_BYTES", 1000)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights.bin", bytes(10_000_000))
    (tmp_path / "bomb.zip").write_bytes(content.getvalue())
    with pytest.raises(ModelLoadError, match="more bytes than any model"):
        files_of(text_model(localpath=str(tmp_path / "bomb.zip")), context)


def test_changed_archive_is_unpacked_anew(tmp_path: Path, context: LoadContext) -> None:
    archive = tmp_path / "model.zip"
    archive.write_bytes(zipped(FILES))
    before = files_of(text_model(localpath=str(archive)), context)
    archive.write_bytes(zipped({**FILES, "model/more": b"x"}))
    after = files_of(text_model(localpath=str(archive)), context)
    assert before.revision != after.revision
    assert "more" in contents(after.path)


def test_path_that_is_not_there_is_told() -> None:
    spec = clip_model(localpath="/nowhere/model.pt")
    with pytest.raises(ModelLoadError, match=r"no /nowhere/model.pt.*'localpath'"):
        ModelLoading(ConversionCache(Path("unused")), "auto").load(spec)


def test_clip_checkpoint_is_taken_as_it_is_or_found_in_its_folder(tmp_path: Path, context: LoadContext) -> None:
    checkpoint = tmp_path / "epoch.pt"
    checkpoint.write_bytes(zipped(FILES))
    assert files_of(clip_model(localpath=str(checkpoint)), context).path == checkpoint
    assert files_of(clip_model(localpath=str(tmp_path)), context).path == checkpoint
    (tmp_path / "other.pt").touch()
    with pytest.raises(ModelLoadError, match="2 files of weights"):
        files_of(clip_model(localpath=str(tmp_path)), context)


def test_packed_folder_of_a_clip_model_is_unpacked(tmp_path: Path, context: LoadContext) -> None:
    archive = tmp_path / "clip.zip"
    archive.write_bytes(zipped({"clip/open_clip_config.json": b"{}", "clip/clip.zip": b"weights"}))
    folder = files_of(clip_model(localpath=str(archive)), context).path
    assert contents(folder) == {"open_clip_config.json": b"{}", "clip.zip": b"weights"}


def test_url_is_fetched_once_and_kept_for_all_processes(store: FileStore, context: LoadContext) -> None:
    store.files["/some/model.pt"] = b"checkpoint"
    spec = clip_model(url=f"{store.url}/some/model.pt")
    fetched = files_of(spec, context)
    assert (fetched.path.name, fetched.path.read_bytes()) == ("model.pt", b"checkpoint")
    store.files.clear()
    assert files_of(spec, replace(context)) == fetched
    assert store.gets() == 1
    assert with_local_files(spec, context).location == f'{{"path":"{fetched.path}"}}'


def test_two_threads_that_want_the_same_model_fetch_it_once(store: FileStore, context: LoadContext) -> None:
    store.files["/model.zip"] = zipped(FILES)
    spec = text_model(url=f"{store.url}/model.zip")
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(files_of(spec, context).path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert store.gets() == 1


def test_fetch_that_was_killed_leaves_nothing_that_is_taken_for_a_model(store: FileStore, context: LoadContext) -> None:
    store.files["/model.pt"] = b"checkpoint"
    spec = clip_model(url=f"{store.url}/model.pt")
    whole = files_of(spec, context).path
    left = whole.parent.with_name(f".{whole.parent.name}-left")
    whole.parent.rename(left)
    assert files_of(spec, context).path.read_bytes() == b"checkpoint"
    assert not left.exists()


def test_url_that_gives_nothing_is_told_and_asked_again_the_next_time(store: FileStore, context: LoadContext) -> None:
    spec = clip_model(url=f"{store.url}/model.pt")
    for _ in range(2):
        with pytest.raises(ModelLoadError, match=r"model.pt.* 404"):
            files_of(spec, context)
    store.files["/model.pt"] = b"checkpoint"
    assert files_of(spec, context).path.read_bytes() == b"checkpoint"


def test_private_address_is_refused_unless_the_operator_allows_it(store: FileStore, context: LoadContext) -> None:
    store.files["/model.pt"] = b"checkpoint"
    closed = replace(context, access=replace(context.access, allow_private=False))
    with pytest.raises(ModelLoadError, match="not public"):
        files_of(clip_model(url=f"{store.url}/model.pt"), closed)
    assert store.asked == []


S3 = {"s3": {"Bucket": "models", "Key": "some/model.pt"}}


def test_object_in_s3_is_fetched_with_the_clients_keys(bucket: FileStore, context: LoadContext) -> None:
    bucket.files["/models/some/model.pt"] = b"checkpoint"
    spec = clip_model(model_location={**S3, "auth_required": True})
    fetched = files_of(replace(spec, auth=S3_KEYS), context)
    assert fetched.path.read_bytes() == b"checkpoint"
    # They are needed for the first load only.
    assert files_of(spec, context) == fetched


def test_object_in_s3_is_fetched_with_the_machines_keys_where_the_client_has_none(
    bucket: FileStore, context: LoadContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.files["/models/some/model.pt"] = b"checkpoint"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    assert files_of(clip_model(model_location=S3), context).path.read_bytes() == b"checkpoint"


def test_public_object_in_s3_needs_no_keys(bucket: FileStore, context: LoadContext) -> None:
    bucket.wants = ""
    bucket.files["/models/some/model.pt"] = b"checkpoint"
    assert files_of(clip_model(model_location=S3), context).path.read_bytes() == b"checkpoint"


@pytest.mark.parametrize("auth", [None, ModelAuth("s3", (*S3_KEYS.values[1:], ("aws_access_key_id", "OTHER")))])
def test_refusal_of_s3_is_told_with_bucket_key_and_reason(
    auth: ModelAuth | None, bucket: FileStore, context: LoadContext
) -> None:
    with pytest.raises(ModelLoadError, match=r"s3://models/some/model.pt.*AccessDenied.*modelAuth.s3") as refused:
        files_of(replace(clip_model(model_location=S3), auth=auth), context)
    assert "SECRET" not in refused.value.message


def test_missing_credentials_are_told_before_anything_is_asked(bucket: FileStore, context: LoadContext) -> None:
    spec = clip_model(model_location={**S3, "auth_required": True})
    with pytest.raises(ModelLoadError, match=r"auth_required is true.*modelAuth\.s3"):
        files_of(spec, context)
    with pytest.raises(ModelLoadError, match="credentials for hf, but the files lie at a place of kind s3"):
        files_of(replace(spec, auth=HUB_TOKEN), context)
    assert bucket.asked == []


def hub_place(filename: str | None = None) -> dict[str, Any]:
    named = {} if filename is None else {"filename": filename}
    return {"hf": {"repo_id": "org/private", **named}, "auth_required": True}


def test_file_of_a_private_repository_is_fetched_with_the_token(hub: FileStore, context: LoadContext) -> None:
    spec = replace(clip_model(model_location=hub_place("model.safetensors")), auth=HUB_TOKEN)
    assert files_of(spec, context).path.read_bytes() == b"checkpoint"
    packed = replace(text_model(model_location=hub_place("model.zip")), auth=HUB_TOKEN)
    assert contents(files_of(packed, context).path) == {"config.json": b"{}", "nested/weights.bin": b"weights"}


@pytest.mark.parametrize(
    "properties", [{"model_location": hub_place()}, {"name": "org/private"}], ids=["by location", "by name"]
)
def test_whole_private_repository_is_fetched_with_the_token_and_then_needs_none(
    properties: dict[str, Any], hub: FileStore, context: LoadContext
) -> None:
    spec = text_model(**properties)
    with_local_files(replace(spec, auth=HUB_TOKEN), context)
    asked = len(hub.asked)
    assert with_local_files(spec, context).repository
    assert len(hub.asked) == asked
    (checkpoint,) = Path(context.access.downloads.parent, "hub").rglob("model.safetensors")
    assert checkpoint.read_bytes() == b"checkpoint"


@pytest.mark.parametrize(
    "spec", [clip_model(model_location=hub_place("model.safetensors")), text_model(model_location=hub_place())]
)
def test_refusal_of_the_hub_is_told(spec: ModelSpec, hub: FileStore, context: LoadContext) -> None:
    wrong = ModelAuth("hf", (("token", "hf_wrong"),))
    with pytest.raises(
        ModelLoadError, match=r"'org/private' can't be had.*hub did not give it.*modelAuth.hf"
    ) as refused:
        files_of(replace(spec, auth=wrong), context)
    assert "hf_wrong" not in refused.value.message


def test_model_from_an_archive_at_a_url_embeds(
    store: FileStore, context: LoadContext, tmp_path: Path, converts_in_process: Callable[..., None]
) -> None:
    folder = random_bert(tmp_path / "bert", mean_normalized)
    store.files["/bert.zip"] = zipped({f"bert/{name}": data for name, data in contents(folder).items()})
    loading = ModelLoading(context.conversions, "onnx", context.access)
    loader = loading.load(text_model(type="sbert", url=f"{store.url}/bert.zip"))
    same = loading.load(text_model(type="sbert", localpath=str(folder)))
    assert loader.encode_text(["a text"]).tolist() == same.encode_text(["a text"]).tolist()
