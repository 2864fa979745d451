"""What staff do to chosen objects, from a list or from an object's own page: asked first, done, and said."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import ActionLocation
from django.contrib.admin.utils import quote
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object

ON_A_LIST: Final = "action"
ON_AN_OBJECT: Final = f"{ActionLocation.CHANGE_FORM.value}-action"
_NAMED: Final = 20


def action[F: Callable[..., Any]](name: str, effect: str = "", permission: str = "change") -> Callable[[F], F]:
    """Declare an action that a list and an object's own page offer, to whoever has the permission.

    A list, where it stands among others, says its `effect` too.
    """
    return admin.action(
        description=name,
        description_plural=f"{name}: {effect}" if effect else name,
        permissions=[permission],
        location=list(ActionLocation),
    )


class ActingAdmin(_ModelAdmin):
    def ask_first(
        self, request: HttpRequest, queryset: models.QuerySet[Any], title: str, text: str
    ) -> HttpResponse | None:
        """Return the page that asks before an action takes something away; nothing once that page was answered."""
        if request.POST.get("post"):
            return None
        # Its field has another name on an object's page, to which the answer goes back.
        name = ON_AN_OBJECT if ON_AN_OBJECT in request.POST else ON_A_LIST
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "text": text,
            "opts": self.opts,
            "queryset": queryset,
            "back": self._page_of(queryset[0]) if name == ON_AN_OBJECT and queryset else self._list(),
            "action_name": name,
            "action": request.POST[name],
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)

    def say(self, request: HttpRequest, done: str, objects: Iterable[models.Model]) -> None:
        """Say what an action has changed, as in `Disabled: ci, staging.`, or that nothing was to be changed."""
        names = [str(one) for one in objects]
        if not names:
            self.message_user(request, "Nothing to change: all of them are as you want them.", messages.WARNING)
            return
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        self.message_user(request, f"{done}: {', '.join(names[:_NAMED])}{more}.", messages.SUCCESS)

    def idle_actions(self, obj: Any) -> frozenset[str]:
        """Names of actions that would change nothing about this object: its page doesn't offer them."""
        return frozenset()

    def _list(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _page_of(self, obj: models.Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(obj.pk)])
