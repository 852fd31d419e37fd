"""The yardsticks: nginx and Apache as Debian ships them, with access logs off."""

import os
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from bench.measure.processes import START_TIMEOUT_S, BenchError, Program, has_ended

POLL_S = 0.005  # these two do not say when they can serve, so they are asked
PROGRAM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"  # not all on a user's PATH
APACHE_MODULES = Path("/usr/lib/apache2/modules")
APACHE_DEFAULTS = (  # those that Debian enables, with the worker MPM in place of event
    "mpm_worker authn_core authz_core authz_host authz_user access_compat alias"
    " auth_basic authn_file autoindex deflate dir env filter mime negotiation"
    " reqtimeout setenvif status"
).split()

NGINX_USER = "user www-data;"  # only root may be somebody else
APACHE_USER = "User www-data\nGroup www-data"
NGINX = """
daemon off;
{user}
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/errors;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    access_log off;
    gzip on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {site}; }}
}}
"""
APACHE = """
{modules}
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
{user}
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/errors
Mutex file:{folder} default
Timeout 300
KeepAlive On
MaxKeepAliveRequests 100
KeepAliveTimeout 5
TypesConfig /dev/null
StartServers 3
MinSpareThreads 25
MaxSpareThreads 75
ThreadLimit 64
ThreadsPerChild 25
MaxRequestWorkers 150
MaxConnectionsPerChild 0
DocumentRoot {site}
<Directory {site}>
    Require all granted
    AllowOverride None
</Directory>
"""


@dataclass(frozen=True)
class Yardstick:
    """A server of others, as it stands beside the labs in charts and tables."""

    number: int
    name: str
    title: str
    program: str
    arguments: tuple[str, ...]  # what comes before its configuration file
    configuration: str
    user: str  # its line that says as whom its workers run

    def command(self, site: Path, folder: Path, port: int) -> list[str]:
        """How to start it on a port, with all that it writes in a folder."""
        modules = "\n".join(
            f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so"
            for name in APACHE_DEFAULTS
        )
        file = folder / f"{self.name}.conf"
        words = {"site": site, "folder": folder, "port": port, "modules": modules}
        words["user"] = self.user if os.geteuid() == 0 else ""
        file.write_text(self.configuration.format(**words))
        return [self.program, *self.arguments, str(file)]


def find_yardsticks(first_number: int) -> list[Yardstick]:
    """Those that are installed, numbered from the given number on."""
    path = f"{os.environ.get('PATH', '')}:{PROGRAM_FOLDERS}"
    flags, deferred = ("-e", "stderr", "-c"), NGINX.replace(
        "{port};", "{port} deferred;"
    )
    known = (
        ("nginx", "nginx (2 workers)", flags, NGINX, NGINX_USER),
        ("apache2", "Apache (worker)", ("-D", "FOREGROUND", "-f"), APACHE, APACHE_USER),
        ("nginx-deferred", "nginx (deferred accept)", flags, deferred, NGINX_USER),
    )
    return [
        Yardstick(first_number + place, name, title, program, *how)
        for place, (name, title, *how) in enumerate(known)
        if (program := shutil.which(name.partition("-")[0], path=path)) is not None
    ]


def find_free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_serves(server: Program, port: int) -> None:
    """Ask a server that announces nothing until it takes a connection."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if has_ended(server):
            raise BenchError(f"{server.name} did not start: {last_words(server)}")
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(POLL_S)
    raise BenchError(f"{server.name} did not serve within {START_TIMEOUT_S} s")


def last_words(server: Program) -> str:
    """What a server that is gone said on standard error."""
    said = server.child.stderr.read().decode(errors="replace").split("\n")
    return said[0] or f"status {server.child.returncode}"
