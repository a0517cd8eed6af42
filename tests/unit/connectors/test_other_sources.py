"""Reports, population messages, the drop folder and a real OpenSSH server on the loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook

from childdb.errors import ConfigurationError, InputRefusedError
from childdb.reading import Outcome
from childdb.reading.column_map import load_column_map
from connectors.drop_folder import look
from connectors.http import PullStoppedError
from connectors.population import COLUMNS, read_messages
from connectors.registry import load_registry
from connectors.reports import Unit, read_report
from connectors.sftp import SftpPlace, SftpSource, pull_files

PERSON = """<CongDan><SoDinhDanh>010319000001</SoDinhDanh><HoVaTen><Ho/><ChuDem/><Ten>LÒ THỊ MAI</Ten></HoVaTen>
<GioiTinh>2</GioiTinh><DanToc>05</DanToc><NgayThangNamSinh><NgayThangNam>20190305</NgayThangNam></NgayThangNamSinh>
<ThuongTru><MaTinhThanh>15</MaTinhThanh><MaPhuongXa>02647</MaPhuongXa></ThuongTru>
<Me><HoVaTen>VÀNG THỊ SEN</HoVaTen><SoDinhDanh>010192000001</SoDinhDanh></Me></CongDan>"""


def message(path: Path, count: int, stated: int, head: str = "") -> Path:
    path.write_text(
        f'{head}<CongdanCollection ThoiDiemDuLieu="2026-01-01T00:00:00" SoCongDan="{stated}">{PERSON * count}</CongdanCollection>',
        encoding="utf-8",
    )
    return path


def test_messages_become_rows_of_the_contract(tmp_path: Path) -> None:
    (table,) = read_messages(message(tmp_path / "m.xml", 3, 3))
    assert table.column_names == list(COLUMNS)
    row = table.to_pylist()[0]
    assert (row["personal_id_no"], row["birth_date"], row["sex"]) == ("010319000001", "2019-03-05", "2")
    assert (row["full_name"], row["mother_name"], row["commune_code"]) == (
        "LÒ THỊ MAI",
        "VÀNG THỊ SEN",
        "02647",
    )


@pytest.mark.parametrize(
    ("count", "stated", "head"), [(3, 4, ""), (1, 1, '<!DOCTYPE x [<!ENTITY a "b">]>'), (0, 1, "<broken>")]
)
def test_messages_that_disagree_with_themselves_are_refused(
    tmp_path: Path, count: int, stated: int, head: str
) -> None:
    with pytest.raises(InputRefusedError):
        list(read_messages(message(tmp_path / "m.xml", count, stated, head)))


def test_attendances_are_never_people(tmp_path: Path) -> None:
    book = Workbook()
    for row in (
        ["BÁO CÁO HOẠT ĐỘNG NĂM 2025"],
        ["STT", "Nội dung", "Đơn vị tính", "Số lượng", "Ghi chú"],
        [1, "Tổng số văn bản ban hành", "Văn bản", 12, None],
        [2, "Lớp tập huấn", "Lớp", "3", None],
        [None, "Người tham dự tập huấn", "Người", "1.204", None],
        [3, "Truyền thông trực tiếp", "Lượt người", 5000, None],
        ["NGƯỜI LẬP BIỂU", None, None, None, None],
    ):
        book.worksheets[0].append(row)
    book.save(tmp_path / "r.xlsx")
    reading, figures = read_report(tmp_path / "r.xlsx")
    assert reading.outcome is Outcome.ACCEPT_FLAGGED
    assert reading.physical_rows == reading.header_footer_rows + 4
    assert [figure.value for figure in figures] == ["12", "3", "1204", "5000"]
    assert [figure.unit for figure in figures] == [Unit.DOCUMENT, Unit.COURSE, Unit.PERSON, Unit.ATTENDANCE]


def test_registry_names_only_column_maps_that_exist() -> None:
    named = [dataset.column_map for dataset in load_registry().values() if dataset.column_map]
    assert {load_column_map(name).dataset for name in named} == set(named)
    with pytest.raises(ConfigurationError):
        load_column_map("nobody__nothing")


def test_drop_folder_leaves_links_and_growing_files(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "a.xlsx").write_bytes(b"a")
    (drop / "grows.xlsx").write_bytes(b"b")
    (drop / "b.xlsx.part").write_bytes(b"c")
    (drop / "a.xlsx.sha256").write_text("0")
    os.symlink("/etc/passwd", drop / "link.xlsx")
    os.mkfifo(drop / "pipe.csv")
    os.link(tmp_path / "drop" / "a.xlsx", drop / "twin.xlsx")

    def grow(_: float) -> None:
        (drop / "grows.xlsx").write_bytes(b"longer")

    found = {arrival.shown_name: arrival.reason_code for arrival in look(drop, sleep=grow)}
    assert found == {
        "a.xlsx": "INJ-LINK", "twin.xlsx": "INJ-LINK", "b.xlsx.part": "FILE-UNSTABLE", "grows.xlsx": "FILE-UNSTABLE",
        "link.xlsx": "INJ-LINK", "pipe.csv": "INJ-LINK",
    }  # fmt: skip


def _make_key(path: Path) -> str:
    """Make a key pair with OpenSSH's own program and return the public line."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "invented", "-f", str(path)], check=True
    )
    return path.with_name(path.name + ".pub").read_text(encoding="ascii").strip()


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def sftp_place(tmp_path: Path) -> Iterator[SftpPlace]:
    """A real OpenSSH server on the loopback with a folder of two files and a link."""
    remote = tmp_path / "remote"
    (remote / "xa").mkdir(parents=True)
    (remote / "xa" / "a.xlsx").write_bytes(b"one")
    (remote / "b.xlsx").write_bytes(b"two")
    (remote / "c.xlsx.part").write_bytes(b"half")
    os.symlink("/etc/passwd", remote / "link.xlsx")
    port, account = _port(), pwd.getpwuid(os.geteuid()).pw_name
    host = _make_key(tmp_path / "host_key")
    (tmp_path / "authorized").write_text(_make_key(tmp_path / "key") + "\n", encoding="ascii")
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host_key\nPidFile {tmp_path}/sshd.pid\n"
        f"AuthorizedKeysFile {tmp_path}/authorized\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n",
        encoding="ascii",
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "/usr/sbin/sshd"
    server = subprocess.Popen(
        [program, "-D", "-e", "-f", str(tmp_path / "sshd_config")], stderr=(tmp_path / "log").open("wb")
    )
    try:
        _wait_for(port, server)
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {' '.join(host.split()[:2])}\n", encoding="ascii")
        yield SftpPlace("127.0.0.1", port, account, tmp_path / "key", known, str(remote))
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the SSH server did not come up")


def test_sftp_fetches_regular_files_only(sftp_place: SftpPlace, tmp_path: Path) -> None:
    found = {name: path.read_bytes() for name, path in pull_files(sftp_place, tmp_path)}
    assert found == {"xa/a.xlsx": b"one", "b.xlsx": b"two"}


def test_sftp_server_with_another_key_is_not_trusted(sftp_place: SftpPlace, tmp_path: Path) -> None:
    other = _make_key(tmp_path / "other_key")
    sftp_place.known_hosts_file.write_text(
        f"[127.0.0.1]:{sftp_place.port} {' '.join(other.split()[:2])}\n", encoding="ascii"
    )
    with pytest.raises(PullStoppedError, match="API-TLS"):
        list(pull_files(sftp_place, tmp_path))
    sftp_place.known_hosts_file.write_text("", encoding="ascii")
    with pytest.raises(PullStoppedError, match="API-TLS"):
        list(pull_files(sftp_place, tmp_path))


def test_sftp_server_that_refuses_our_key_stops(sftp_place: SftpPlace, tmp_path: Path) -> None:
    _make_key(tmp_path / "stranger")
    with pytest.raises(PullStoppedError, match="API-AUTH"):
        list(pull_files(replace(sftp_place, key_file=tmp_path / "stranger"), tmp_path))


def test_sftp_file_that_changes_while_it_is_fetched_waits_for_the_next_run(
    sftp_place: SftpPlace, tmp_path: Path
) -> None:
    with SftpSource(sftp_place) as source:
        listed = {Path(file.path).name: file for file in source.files()}
        (tmp_path / "remote" / "b.xlsx").write_bytes(b"longer than it was")
        with pytest.raises(PullStoppedError, match="API-DRIFT"):
            source.fetch(listed["b.xlsx"], tmp_path)
    assert not list(tmp_path.glob("sftp-*"))
    assert {name: path.read_bytes() for name, path in pull_files(sftp_place, tmp_path)} == {
        "xa/a.xlsx": b"one", "b.xlsx": b"longer than it was",
    }  # fmt: skip


def test_a_checksum_that_disagrees_is_told(tmp_path: Path) -> None:
    import hashlib

    for name, digest in (("good.csv", hashlib.sha256(b"x").hexdigest()), ("bad.csv", "0" * 64)):
        (tmp_path / name).write_bytes(b"x")
        (tmp_path / f"{name}.sha256").write_text(f"{digest}  {name}\n")
    found = {arrival.shown_name: arrival.reason_code for arrival in look(tmp_path, pause=0)}
    assert found == {"good.csv": None, "bad.csv": "DEL-CHECKSUM"}
