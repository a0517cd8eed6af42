"""What each reason code of an answer says to a person, in Vietnamese first."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, tuple[str, str]] = {
    "NUMBER-RECORDED": ("Đã ghi nhận số; sẽ đối chiếu lại ở lần chạy sau.", "The number is recorded and will be matched again."),
    "ANSWER-RECORDED": ("Đã ghi nhận kết quả.", "The answer is recorded."),
    "ANSWER-REPEATED": ("Dòng này đã được trả lời giống hệt; không ghi lần hai.", "The same answer was applied before; nothing is done twice."),
    "ANSWER-CONTRADICTS": ("Khác với câu trả lời đã ghi nhận trước đó; cần người xem.", "Differs from the answer applied before; a person has to look."),
    "ROW-TWICE": ("Cùng một dòng đứng hai lần với câu trả lời khác nhau.", "The row stands twice with different answers."),
    "ITEM-CLOSED": ("Việc này đã khép lại; câu trả lời đến muộn được giữ để xem.", "The item is closed; the late answer is held."),
    "ROW-ADDED": ("Dòng thêm vào, không có trong danh sách đã gửi.", "The row was added; it is not in the list that was sent."),
    "KEY-UNKNOWN": ("Mã dòng không phải của hệ thống này.", "The row key is not one of ours."),
    "KEY-ALTERED": ("Mã dòng bị sửa.", "The row key was edited."),
    "WRONG-COMMUNE": ("Dòng thuộc danh sách của xã khác.", "The row belongs to another commune's list."),
    "COLUMN-MISSING": ("Danh sách thiếu cột nên không so được dòng với bản đã gửi.", "A column is gone, so the row cannot be compared."),
    "ROW-ALTERED": ("Ô được bảo vệ của dòng bị sửa; cần người xem.", "A protected cell of the row was edited; a person has to look."),
    "RESULT-MISSING": ("Có số hoặc ghi chú nhưng chưa chọn kết quả.", "A number or note without a result."),
    "RESULT-UNKNOWN": ("Kết quả không thuộc danh mục.", "The result is not in the list of results."),
    "RESULT-CONTRADICTS-NUMBER": ("Kết quả chọn không đi cùng với số.", "This result cannot come with a number."),
    "CHILD-NOT-COUNTED": ("Trẻ không còn trong danh sách hiện hành.", "The child is no longer in the current lists."),
    "NUMBER-EMPTY": ("Kết quả cần có số nhưng ô số trống.", "The result needs a number and none is given."),
    "NUMBER-MALFORMED": ("Số không đúng 12 chữ số.", "The number does not have twelve digits."),
    "NUMBER-CONTRADICTS-CHILD": ("Số không khớp giới tính hoặc năm sinh của trẻ.", "The number disagrees with the child's sex or year of birth."),
    "CONFIRMED-ANOTHER-NUMBER": ("Chọn «Xác nhận đúng» nhưng số khác số đang ghi.", "Confirmed, but the number is another one than the one on record."),
    "NUMBER-OF-ANOTHER-CHILD": ("Số đã thuộc về một trẻ khác.", "The number belongs to another child already."),
    "NUMBER-TWICE": ("Cùng một số cho hai trẻ trong tệp.", "The same number for two children in the file."),
    "NUMBER-CONTRADICTS-REGISTRY": ("Dữ liệu dân cư ghi số này là của người khác.", "The population data describe the number's holder as somebody else."),
    "CORRECTION-EMPTY": ("Chọn «Sửa» nhưng không ghi sửa gì.", "A correction without saying what."),
    "ANSWER-EMPTY": ("Danh sách chưa có dòng nào được trả lời; hãy điền rồi gửi lại.", "No row is answered; fill the list in and send it again."),
    "ANSWER-NOT-A-LIST": ("Tệp không phải danh sách do hệ thống gửi.", "The file is not a list of ours."),
    "ANSWER-TOO-LONG": ("Tệp dài hơn mọi danh sách đã gửi (quá 20.000 dòng); không đọc.", "The file is longer than any list sent (over 20,000 rows); it was not read."),
    "BATCH-UNKNOWN": ("Danh sách thuộc một đợt mà hệ thống này không gửi.", "The list belongs to a batch that was never sent from here."),
    "SERVICE-NOT-FOUND": ("Dữ liệu dân cư không có người khớp cả số, họ tên và ngày sinh.", "The population service knows nobody with this number, name and birth date."),
    "MENDED-IN-LIST": ("Đã sửa; việc được khép lại và sẽ đối chiếu với lần xuất sau.", "Mended; the item is closed and compared with the next export."),
    "NOTHING-MENDED": ("Ô sai vẫn chưa được sửa hoặc bị bỏ trống.", "The wrong cell is not mended yet, or was left empty."),
    "FILE-ACTIVE": ("Tệp có macro; hãy lưu thành .xlsx không macro rồi gửi lại.", "The workbook holds macros; save it as .xlsx without macros."),
}  # fmt: skip
_OTHER = (
    "Tệp không đọc được; hãy lưu lại thành .xlsx rồi gửi lại.",
    "The file cannot be read; save it as .xlsx and send it again.",
)


def reason_texts(code: str) -> tuple[str, str]:
    """Return what a code says, in Vietnamese and English."""
    return REASONS.get(code, _OTHER)
