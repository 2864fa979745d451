from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from organizations.ids import PublicIdField
from organizations.text import NAME_LENGTH, validate_single_line

if TYPE_CHECKING:
    _EmailField = models.EmailField[str, str]
else:
    _EmailField = models.EmailField


class LowerCaseEmailField(_EmailField):
    """An address that is lower-case in forms, rows and look-ups alike, so that letter case never makes two users of one."""

    def to_python(self, value: Any) -> Any:
        return self._lower(super().to_python(value))

    def get_prep_value(self, value: Any) -> Any:
        return self._lower(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self._lower(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    @staticmethod
    def _lower(value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user; without a password they can only come in by a reset link. Validates neither."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})


class User(AbstractBaseUser, PermissionsMixin):
    id = PublicIdField(prefix="user")
    email = LowerCaseEmailField("email", unique=True)
    name = models.CharField(max_length=NAME_LENGTH, blank=True, validators=[validate_single_line])
    is_active = models.BooleanField(
        "active", default=True, help_text="Unticking ends this user's access, and their sessions, at once."
    )
    is_staff = models.BooleanField("staff", default=False, help_text="May log in to this administration.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, **kwargs: Any) -> None:
        # A nameless user goes by the local part of their address, so that no page shows a blank.
        self.name = self.name.strip() or self.email.strip().partition("@")[0][:NAME_LENGTH]
        super().save(**kwargs)

    @property
    def label(self) -> str:
        """The name the audit trail keeps: `Alice (alice@acme.example)`."""
        return f"{self.name} ({self.email})"
