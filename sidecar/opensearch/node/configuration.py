"""The node's own configuration files and its Java command line."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from sidecar.config import Settings
from sidecar.errors import ConfigurationError
from sidecar.opensearch.cluster_name import CLUSTER_NAME
from sidecar.opensearch.node.account import FILE_MODE, Account, make_node_folder, make_shared_folder
from sidecar.opensearch.node.java import Java
from sidecar.opensearch.node.places import NodeFolder

MAIN_CLASS = "org.opensearch.bootstrap.OpenSearch"

# What OpenSearch's launcher adds to jvm.options (SystemJvmOptions.java, 3.5), less AlwaysPreTouch: that takes
# the whole heap from a small machine at once. The launcher itself is four further runs of Java, two seconds.
SYSTEM_OPTIONS = (
    "-Dopensearch.networkaddress.cache.ttl=60",
    "-Dopensearch.networkaddress.cache.negative.ttl=10",
    "-Xss1m",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Djna.nosys=true",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:+ShowCodeDetailsInExceptionMessages",
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dio.netty.recycler.maxCapacityPerThread=0",
    "-Dio.netty.allocator.numDirectArenas=0",
    "-Dlog4j.shutdownHookEnabled=false",
    "-Dlog4j2.disable.jmx=true",
    "-Djava.locale.providers=SPI,CLDR",
)
# Options of jvm.options that name places or sizes, which are ours to say.
OURS = re.compile(r"-Xm[sx]|-Xlog:gc|-Djava\.io\.tmpdir|-XX:(HeapDumpPath|ErrorFile|\+HeapDumpOnOutOfMemoryError)")

LOGGING = """\
status = error

appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
appender.console.filter.threshold.type = ThresholdFilter
appender.console.filter.threshold.level = error

appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = ${sys:opensearch.logs.base_path}${sys:file.separator}node.log
appender.file.filePattern = ${sys:opensearch.logs.base_path}${sys:file.separator}node.%i.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 16MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3

rootLogger.level = info
rootLogger.appenderRef.console.ref = console
rootLogger.appenderRef.file.ref = file
"""


def write_configuration(folder: NodeFolder, *, port: int, account: Account | None) -> None:
    """Make the node's folders and write its configuration: one node, loopback only, no security plugin."""
    make_shared_folder(folder.root)
    for part in (folder.config, folder.logs, folder.temporary, folder.data):
        make_node_folder(part, account)
    values = {
        "cluster.name": CLUSTER_NAME,
        "node.name": "embedded",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": 0,
        "path.data": str(folder.data),
        "path.logs": str(folder.logs),
    }
    lines = [f"{name}: {json.dumps(value)}\n" for name, value in values.items()]
    for name, text in (("opensearch.yml", "".join(lines)), ("log4j2.properties", LOGGING)):
        # Written beside and moved in: the folder is the node user's, who could have put a link there.
        draft = folder.root / name
        draft.write_text(text, "utf-8")
        draft.chmod(FILE_MODE)
        draft.replace(folder.config / name)


def java_command(java: Java, distribution: Path, folder: NodeFolder, settings: Settings) -> list[str]:
    """The command that runs the node in the foreground; its working folder must be the distribution."""
    release = int(java.version.split(".")[0].split("-")[0])
    shipped = jvm_options((distribution / "config" / "jvm.options").read_text("utf-8"), release)
    return [
        str(java.program),
        *SYSTEM_OPTIONS,
        *(option for option in shipped if not OURS.match(option)),
        f"-Xms{settings.node_heap}",
        f"-Xmx{settings.node_heap}",
        f"-XX:MaxDirectMemorySize={_bytes(settings.node_heap) // 2}",  # as the launcher does
        f"-Djava.io.tmpdir={folder.temporary}",
        f"-XX:ErrorFile={folder.logs / 'java-crash.log'}",
        *_further_options(settings.node_java_options),
        f"-Dopensearch.path.home={distribution}",
        config_option(folder),
        "-Dopensearch.distribution.type=zip",
        "-Dopensearch.bundled_jdk=false",
        "-cp",
        str(distribution / "lib" / "*"),
        MAIN_CLASS,
    ]


def _further_options(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ConfigurationError(f"OPENSEARCH_JAVA_OPTS: a quote is not closed (given: {text!r})") from error


def config_option(folder: NodeFolder) -> str:
    """The option by which the node's process is known among all others."""
    return f"-Dopensearch.path.conf={folder.config}"


def jvm_options(text: str, release: int) -> list[str]:
    """The options in OpenSearch's jvm.options that hold for a Java release.

    A line is an option, or one for some releases only: ``11:-X``, ``11-:-X`` (and later), ``8-10:-X``.
    """
    options = []
    for line in text.splitlines():
        found = re.fullmatch(r"(?:(\d+)(-)?(\d+)?:)?(-\S.*)", line.strip())
        if found is None:
            continue
        first, to, last, option = found.groups()
        lowest = int(first or 0)
        highest = int(last) if last else (release if to or first is None else lowest)
        if lowest <= release <= highest:
            options.append(option)
    return options


def _bytes(heap: str) -> int:
    return int(heap[:-1]) * {"m": 1 << 20, "g": 1 << 30}[heap[-1]]
