"""Django's own error page, which DEBUG shows: where it broke, and nothing of what was typed or held there."""

from types import FrameType
from typing import Any, Final, override

from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from byok_site.logs import named

WITHHELD: Final = "What it says is withheld: an exception may quote what was typed."


class QuietReporterFilter(SafeExceptionReporterFilter):
    """What Django's own error page may show with DEBUG on: where it broke, and nothing of what was typed or held there.

    Django's filter does nothing while DEBUG is on, and any variable of any frame may hold a secret.
    """

    @override
    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    @override
    def get_post_parameters(self, request: HttpRequest | None) -> MultiValueDict[str, Any]:
        return self.get_cleansed_multivaluedict(request, request.POST) if request else MultiValueDict()

    @override
    def get_cleansed_multivaluedict(self, request: HttpRequest | None, multivaluedict: QueryDict) -> QueryDict:
        cleansed = multivaluedict.copy()
        for name in multivaluedict:
            cleansed[name] = self.cleansed_substitute
        return cleansed

    @override
    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return dict.fromkeys(request.COOKIES, self.cleansed_substitute)

    @override
    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> Any:
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]


class QuietReporter(ExceptionReporter):
    """Django's own error page without a word of what an exception says: any may quote what it was given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.template_info:
            self.template_info = {**self.template_info, "message": WITHHELD}

    @override
    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        data |= {"exception_value": WITHHELD, "exception_notes": "", "unicode_hint": ""}
        return data

    @override
    def get_traceback_frames(self) -> list[dict[str, Any]]:
        frames = super().get_traceback_frames()
        for frame in frames:
            if frame["exc_cause"] is not None:
                frame["exc_cause"] = named(frame["exc_cause"])
        return frames
