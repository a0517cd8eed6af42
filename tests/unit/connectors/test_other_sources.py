"""Reports, population messages, the drop folder and an SFTP server on the loopback."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from openpyxl import Workbook

from childdb.errors import InputRefusedError
from childdb.reading import Outcome
from connectors.drop_folder import look
from connectors.http import PullStoppedError
from connectors.population import COLUMNS, read_messages
from connectors.registry import load_registry
from connectors.reports import Unit, read_report
from connectors.sftp import SftpPlace, pull_files

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
    folder = Path(__file__).parents[3] / "connectors" / "column_maps"
    for dataset in load_registry().values():
        assert dataset.column_map is None or (folder / f"{dataset.column_map}.yml").is_file()


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


class _Login(paramiko.ServerInterface):
    def __init__(self, key: paramiko.PKey) -> None:
        self.key = key

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL if key == self.key else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"


class _Files(paramiko.SFTPServerInterface):
    root = ""

    def _path(self, path: str) -> str:
        return os.path.join(self.root, self.canonicalize(path).lstrip("/"))

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes]:  # type: ignore[override]
        folder = self._path(path)
        return [
            paramiko.SFTPAttributes.from_stat(os.lstat(os.path.join(folder, name)), name)
            for name in os.listdir(folder)
        ]

    def stat(self, path: str) -> paramiko.SFTPAttributes:  # type: ignore[override]
        return paramiko.SFTPAttributes.from_stat(os.stat(self._path(path)))

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle:  # type: ignore[override]
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = open(self._path(path), "rb")  # type: ignore[attr-defined]  # noqa: SIM115
        return handle


@pytest.fixture
def sftp_place(tmp_path: Path) -> Iterator[SftpPlace]:
    """A real SSH server on the loopback with a folder of two files and a link."""
    remote = tmp_path / "remote"
    (remote / "xa").mkdir(parents=True)
    (remote / "xa" / "a.xlsx").write_bytes(b"one")
    (remote / "b.xlsx").write_bytes(b"two")
    os.symlink("/etc/passwd", remote / "link.xlsx")
    host, mine = paramiko.RSAKey.generate(2048), paramiko.RSAKey.generate(2048)
    mine.write_private_key_file(str(tmp_path / "key"))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(5)
    port = listening.getsockname()[1]
    files = type("BoundFiles", (_Files,), {"root": str(remote)})

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(host)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files)
            transport.start_server(server=_Login(mine))

    threading.Thread(target=accept, daemon=True).start()
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {host.get_name()} {host.get_base64()}\n", encoding="ascii")
    yield SftpPlace("127.0.0.1", port, "loader", tmp_path / "key", known, ".")
    listening.close()


def test_sftp_fetches_regular_files_only(sftp_place: SftpPlace, tmp_path: Path) -> None:
    found = {name: path.read_bytes() for name, path in pull_files(sftp_place, tmp_path)}
    assert found == {"a.xlsx": b"one", "b.xlsx": b"two"}


def test_sftp_server_with_another_key_is_not_trusted(sftp_place: SftpPlace, tmp_path: Path) -> None:
    other = paramiko.RSAKey.generate(2048)
    sftp_place.known_hosts_file.write_text(
        f"[127.0.0.1]:{sftp_place.port} {other.get_name()} {other.get_base64()}\n", encoding="ascii"
    )
    with pytest.raises(PullStoppedError, match="API-TLS"):
        list(pull_files(sftp_place, tmp_path))


def test_a_checksum_that_disagrees_is_told(tmp_path: Path) -> None:
    import hashlib

    for name, digest in (("good.csv", hashlib.sha256(b"x").hexdigest()), ("bad.csv", "0" * 64)):
        (tmp_path / name).write_bytes(b"x")
        (tmp_path / f"{name}.sha256").write_text(f"{digest}  {name}\n")
    found = {arrival.shown_name: arrival.reason_code for arrival in look(tmp_path, pause=0)}
    assert found == {"good.csv": None, "bad.csv": "DEL-CHECKSUM"}
