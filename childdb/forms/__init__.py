"""Statistical forms: one workbook per province, laid out as the ministry's forms are, from released figures."""

from childdb.forms.model import FormProvince, FormUnit
from childdb.forms.places import form_provinces
from childdb.forms.writer import form_file_name, write_forms

__all__ = ["FormProvince", "FormUnit", "form_file_name", "form_provinces", "write_forms"]
