"""The warehouse's PostgreSQL: an embedded server or one given by its address, roles, migrations."""

from childdb.database.access import Database, connect, open_database
from childdb.database.roles import Role

__all__ = ["Database", "Role", "connect", "open_database"]
