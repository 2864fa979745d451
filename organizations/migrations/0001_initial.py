import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import organizations.ids
import organizations.models.organization
import organizations.models.user
import organizations.text


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("id", organizations.ids.PublicIdField(prefix="user", serialize=False)),
                (
                    "email",
                    organizations.models.user.LowerCaseEmailField(max_length=254, unique=True, verbose_name="email"),
                ),
                (
                    "name",
                    models.CharField(blank=True, max_length=100, validators=[organizations.text.validate_single_line]),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Unticking ends this user's access, and their sessions, at once.",
                        verbose_name="active",
                    ),
                ),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False, help_text="May log in to this administration.", verbose_name="staff"
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", organizations.ids.PublicIdField(prefix="evt", serialize=False)),
                ("organization_id", models.CharField(blank=True, max_length=40)),
                ("actor_id", models.CharField(blank=True, max_length=40)),
                ("actor_label", models.TextField(blank=True)),
                ("actor_kind", models.CharField(max_length=20)),
                ("ip", models.CharField(blank=True, max_length=64, verbose_name="IP address")),
                ("action", models.CharField(max_length=100)),
                ("target_id", models.CharField(blank=True, max_length=100)),
                ("target_label", models.TextField(blank=True)),
                ("details", models.JSONField(blank=True, default=dict)),
                ("result", models.CharField(default="ok", max_length=40)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "default_permissions": ("view",),
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["organization_id", "at"], name="audit_event_by_organization")],
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                ("id", organizations.ids.PublicIdField(prefix="org", serialize=False)),
                ("name", models.CharField(max_length=100, validators=[organizations.text.validate_single_line])),
                ("slug", models.SlugField(editable=False, max_length=120, unique=True)),
                ("suspended_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "fingerprint_salt",
                    organizations.models.organization.SaltField(
                        default=organizations.models.organization.new_salt, max_length=32
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="organization_name_not_empty"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("slug", ""), _negated=True), name="organization_slug_not_empty"
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            django.db.models.functions.text.Length("fingerprint_salt"), 32
                        ),
                        name="organization_salt_length",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", organizations.ids.PublicIdField(prefix="mem", serialize=False)),
                ("role", models.CharField(choices=[("admin", "Admin"), ("member", "Member")], max_length=20)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="organizations.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", organizations.ids.PublicIdField(prefix="key", serialize=False)),
                ("name", models.CharField(max_length=100, validators=[organizations.text.validate_single_line])),
                ("hint", models.CharField(editable=False, max_length=20, verbose_name="key")),
                ("lookup", models.CharField(editable=False, max_length=12, unique=True)),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("enabled", models.BooleanField(default=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_keys",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
            },
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                name="user_email_lower_case",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("organization", "user"), name="membership_unique"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["admin", "member"])), name="membership_role_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="api_key_name_not_empty"
            ),
        ),
    ]
